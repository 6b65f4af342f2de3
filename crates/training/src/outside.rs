//! Penalties on what a decision owes to the pixels outside the object.

//! Robust features, which of them are spurious, and images in their order.

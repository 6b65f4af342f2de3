//! Reads Python pickles as data and never runs them.
//!
//! A pickle is a program for a small stack machine, and Python's own reader lets that program call any function. This
//! machine has no way to call anything:
//!
//! - [`Pickle::parse`] reads plain values (numbers, text, bytes, lists, tuples, sets, dictionaries) and refuses a
//!   pickle that names a Python class or function.
//! - [`Pickle::read_objects`] also accepts objects, as torch checkpoints contain them. It keeps each call as a
//!   description: the name of the function and its arguments ([`Value::call`]).
//! - [`write_text_lists`] writes the one kind of pickle that this project produces.
//!
//! All values lie in one list and refer to each other by index. A pickle may nest a million lists, or share one list a
//! million times, and still takes no recursion and no more memory than in proportion to its length. No length stated in
//! a pickle is trusted before its bytes have arrived.
//!
//! ```
//! use hard_imagenet_pickle::Pickle;
//!
//! // pickle.dumps({537: ["a", "b"]}, protocol=2)
//! let bytes = b"\x80\x02}q\x00M\x19\x02]q\x01(X\x01\x00\x00\x00aq\x02X\x01\x00\x00\x00bq\x03es.";
//! let pickle = Pickle::parse(bytes)?;
//! let (key, value) = pickle.root().entries().unwrap().next().unwrap();
//! assert_eq!(key.as_int(), Some(537));
//! assert_eq!(value.items().unwrap().filter_map(|item| item.as_text()).collect::<Vec<_>>(), ["a", "b"]);
//! # Ok::<(), hard_imagenet_pickle::PickleError>(())
//! ```

mod error;
mod input;
mod machine;
mod node;
mod opcode;
mod pickle;
mod value;
mod write;

pub use error::PickleError;
pub use pickle::Pickle;
pub use value::Value;
pub use write::write_text_lists;

/// The reason why a pickle could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleError {
    /// The pickle ends too early.
    #[error("the pickle is truncated; download or copy the file again")]
    Truncated,
    /// The bytes are not a pickle, or a damaged one.
    #[error("not a pickle, or a damaged one: byte {at} {what}; download or copy the file again")]
    Damaged {
        /// The offset of the offending byte from the start.
        at: usize,
        /// A predicate, such as "takes from an empty stack".
        what: &'static str,
    },
    /// The pickle names a Python function or class where only plain values are accepted.
    #[error(
        "the pickle contains a Python object ({name}), which is never run here; save the data again as plain numbers, \
         text, lists and dictionaries"
    )]
    Object {
        /// The name, such as "numpy.core.multiarray.scalar".
        name: String,
    },
    /// The pickle has more instructions than any file of its kind.
    #[error("the pickle has more than {limit} instructions, more than any file of this kind needs")]
    TooLong {
        /// The largest accepted number of instructions.
        limit: usize,
    },
    /// The underlying reader failed.
    #[error("the pickle could not be read: {reason}")]
    Read {
        /// The system's reason.
        reason: String,
    },
}

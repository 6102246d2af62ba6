//! Bytes of a file that belong together.

/// What the next bytes of a file are.
pub(super) struct Chunk {
    /// How many bytes, at least 1.
    pub(super) len: usize,
    /// The number of the storage that they belong to, if any.
    pub(super) storage: Option<usize>,
}

//! What a download yields, and what it reports meanwhile.

use crate::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A checkpoint on this machine. Of a split one this is the index, the parts lie beside it and their bytes count too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its path inside the hub's cache that ends in the repository's own file name.
    pub path: PathBuf,
    /// The file's path in the repository.
    pub file: String,
    /// The commit it is of, where the hub says.
    pub commit: Option<String>,
    /// Its length, with that of its parts.
    pub bytes: u64,
    /// How many of them came over the network this time; 0 when the cache had it.
    pub transferred: u64,
}

/// What [`crate::download`] is doing.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Event<'a> {
    /// This file of the repository is taken; `others` could have been.
    Chosen { file: &'a str, others: &'a [String] },
    /// The checkpoint is split: part `number` of `of` comes next.
    Part { file: &'a str, number: usize, of: usize },
    /// Another process is fetching the same file; its end is waited for.
    Waiting,
    /// Bytes that are on this machine are compared with the hub's hash: so many of them by now.
    Checking { done: u64, total: u64 },
    /// So many bytes are here by now; the first of these events tells how many an earlier run left.
    Transfer { done: u64, total: u64 },
    /// The transfer failed and goes on, where it stopped, after this pause.
    Retry { error: &'a Error, pause: Duration },
    /// The bytes that an earlier run left are of another file; all are fetched anew.
    Restart,
    /// The cache's copy is not what the hub has; it is fetched anew and replaced.
    Stale { path: &'a Path },
    /// The hub can't be asked; the copy that the cache has is taken as it is.
    Unreachable { error: &'a Error, path: &'a Path },
}

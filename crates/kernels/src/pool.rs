//! The threads of a WebAssembly module with shared memory, as the interface for their owner: each is a web worker
//! that runs [`help`], and has a share of every product, stage and attention once it is [admitted](admit).

use crate::threads::POOL;

pub use crate::threads::pool::MOST_HELPERS;

/// Threads that share the work: the one that calls this crate's functions and the admitted helpers.
pub fn threads() -> usize {
    POOL.threads()
}

/// Makes the calling thread the helper of this slot, 0 to [`MOST_HELPERS`] − 1, calls `joined` and works
/// for ever.
///
/// # Panics
/// If the slot is taken or there is none of this number.
pub fn help(slot: usize, joined: impl FnOnce()) -> ! {
    POOL.help(slot, joined)
}

/// Gives work to the helper of this slot from now on. Called by the thread that calls this crate's
/// functions, between two such calls.
///
/// # Panics
/// If it has not joined.
pub fn admit(slot: usize) {
    POOL.admit(slot);
}

/// Reports that the helper of this slot has died, so that it is not waited for.
pub fn lose(slot: usize) {
    POOL.lose(slot);
}

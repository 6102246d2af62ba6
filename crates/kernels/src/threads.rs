//! Static sharing of work among rayon's threads.

use std::ops::Range;

use rayon::prelude::*;

/// Threads that work is shared among: rayon's current pool; 1 in WebAssembly without atomics,
/// where rayon must not be asked (it would try to spawn).
pub(crate) fn count() -> usize {
    if cfg!(all(target_arch = "wasm32", not(target_feature = "atomics"))) {
        1
    } else {
        rayon::current_num_threads()
    }
}

/// Calls `work(part, range)` for `0..items` cut into one contiguous range a thread, all of nearly
/// equal length. `part` < [`count()`] numbers the range. Empty ranges are left out.
pub(crate) fn split(items: usize, work: impl Fn(usize, Range<usize>) + Sync) {
    let parts = count().min(items);
    if parts <= 1 {
        return work(0, 0..items);
    }
    (0..parts)
        .into_par_iter()
        .with_max_len(1)
        .for_each(|part| work(part, items * part / parts..items * (part + 1) / parts));
}

/// Like [`split`], but on the calling thread alone if all items together are `small`: waking
/// another thread would take longer than the work.
pub(crate) fn split_unless(small: bool, items: usize, work: impl Fn(usize, Range<usize>) + Sync) {
    if small { work(0, 0..items) } else { split(items, work) }
}

/// A mutable buffer that several threads write at different places.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T> {
    start: *mut T,
    len: usize,
}

// SAFETY: `slice` is the only access, and its callers promise disjoint ranges.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn new(buffer: &mut [T]) -> Self {
        Shared { start: buffer.as_mut_ptr(), len: buffer.len() }
    }

    /// Where element `index` lies.
    pub fn at(self, index: usize) -> *mut T {
        assert!(index < self.len, "{index} of {}", self.len);
        self.start.wrapping_add(index)
    }

    /// The elements `range`.
    ///
    /// # Safety
    /// The buffer given to `new` outlives the result, and no other live slice overlaps `range`.
    pub unsafe fn slice<'a>(self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        // SAFETY: inside the buffer by the assertion; alive and unshared by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

//! Sharing of work among threads: rayon's natively, our own [`pool`] in WebAssembly with shared
//! memory, and the calling one alone in WebAssembly without.

#[cfg(any(test, all(target_arch = "wasm32", target_feature = "atomics")))]
pub(crate) mod pool;
#[cfg(any(test, all(target_arch = "wasm32", target_feature = "atomics")))]
pub(crate) mod share;
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
pub(crate) static POOL: pool::Pool = pool::Pool::new();

use std::ops::Range;

#[cfg(not(target_arch = "wasm32"))]
use rayon::prelude::*;

/// Threads that work is shared among.
pub(crate) fn count() -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::current_num_threads();
    #[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
    return POOL.threads();
    #[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
    return 1;
}

/// Calls `work(thread, range)` until each of `0..items` was in one range. `thread` < [`count()`] is
/// another number for each thread that works at the same time. Ranges are contiguous, natively one a
/// thread, all of nearly equal length.
pub(crate) fn split(items: usize, work: impl Fn(usize, Range<usize>) + Sync) {
    split_by(1, items, work);
}

/// Like [`split`], but in multiples of `grain` until a thread's share is nearly done.
pub(crate) fn split_by(grain: usize, items: usize, work: impl Fn(usize, Range<usize>) + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = grain;
        let parts = count().min(items);
        if parts <= 1 {
            return work(0, 0..items);
        }
        (0..parts)
            .into_par_iter()
            .with_max_len(1)
            .for_each(|part| work(part, items * part / parts..items * (part + 1) / parts));
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
    POOL.run(items, grain, &work);
    #[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
    {
        let _ = grain;
        work(0, 0..items);
    }
}

/// Like [`split`], but on the calling thread alone if all items together are `small`: waking
/// another thread would take longer than the work.
pub(crate) fn split_unless(small: bool, items: usize, work: impl Fn(usize, Range<usize>) + Sync) {
    if small { work(0, 0..items) } else { split(items, work) }
}

/// Calls `work(i, chunk)` for each chunk of `len` values of a buffer (the last may be shorter), shared among the
/// threads that the products are shared among.
///
/// # Panics
/// If `len` is 0.
pub fn for_each_chunk<T: Send>(buffer: &mut [T], len: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    let (whole, chunks) = (buffer.len(), buffer.len().div_ceil(len));
    let shared = Shared::new(buffer);
    split(chunks, |_, range| {
        for i in range {
            // SAFETY: `buffer` is borrowed until all threads are done, each chunk is in one range, and chunks do not
            // overlap.
            let chunk = unsafe { shared.slice(i * len..whole.min((i + 1) * len)) };
            work(i, chunk);
        }
    });
}

/// A mutable buffer that several threads write at different places.
pub(crate) struct Shared<T> {
    start: *mut T,
    len: usize,
}

// Derived, they would ask the same of T.
impl<T> Copy for Shared<T> {}
impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chunk_is_worked_on_once() {
        for len in [0, 1, 6, 7, 8, 700, 999] {
            let mut buffer = vec![0u8; len];
            for_each_chunk(&mut buffer, 7, |i, chunk| {
                assert_eq!(chunk.len(), 7.min(len - 7 * i));
                chunk.iter_mut().for_each(|value| *value += 1 + i as u8);
            });
            assert!(buffer.iter().enumerate().all(|(at, &value)| value == 1 + (at / 7) as u8), "{buffer:?}");
        }
    }
}

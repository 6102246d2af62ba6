//! One thread's share of the work, from which it and the others take parts.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// A thread takes one part in so many of what is left of a share.
const FRACTION: usize = 8;

/// Items that nobody has begun: the first in the lower half, the end in the upper. One cache line each,
/// since threads write them all the time.
#[repr(align(128))]
pub(crate) struct Share(AtomicU64);

impl Share {
    pub const fn empty() -> Self {
        Share(AtomicU64::new(0))
    }

    #[cfg(test)]
    pub fn of(items: Range<usize>) -> Self {
        let share = Self::empty();
        share.set(items);
        share
    }

    pub fn set(&self, items: Range<usize>) {
        self.0.store(items.start as u64 | (items.end as u64) << 32, Ordering::Release);
    }

    /// The first part, for the owner of the share.
    pub fn take(&self, grain: usize) -> Option<Range<usize>> {
        self.part(|left| {
            let end = left.start + part(&left, grain);
            (left.start..end, end..left.end)
        })
    }

    /// The last part, for the others.
    pub fn take_last(&self, grain: usize) -> Option<Range<usize>> {
        self.part(|left| {
            let start = left.end - part(&left, grain);
            (start..left.end, left.start..start)
        })
    }

    /// Divides what is left into what is taken and what stays.
    fn part(&self, divide: impl Fn(Range<usize>) -> (Range<usize>, Range<usize>)) -> Option<Range<usize>> {
        let mut packed = self.0.load(Ordering::Acquire);
        loop {
            let left = (packed & u64::from(u32::MAX)) as usize..(packed >> 32) as usize;
            if left.is_empty() {
                return None;
            }
            let (taken, stays) = divide(left);
            let next = stays.start as u64 | (stays.end as u64) << 32;
            match self.0.compare_exchange_weak(packed, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(taken),
                Err(changed) => packed = changed,
            }
        }
    }
}

/// The length of a part of what is left: a multiple of `grain` while there is more than that, then one item.
fn part(left: &Range<usize>, grain: usize) -> usize {
    match left.len() > grain {
        true => left.len().div_ceil(FRACTION).next_multiple_of(grain).min(left.len()),
        false => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_taken_in_multiples_of_the_grain_and_its_end_item_by_item() {
        let share = Share::of(0..64);
        let taken: Vec<_> = std::iter::from_fn(|| share.take(4)).map(|part| part.len()).collect();
        assert_eq!(taken, [8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 4, 1, 1, 1, 1]);
        let share = Share::of(8..15);
        let taken: Vec<_> = std::iter::from_fn(|| share.take_last(4)).collect();
        assert_eq!(taken, [11..15, 10..11, 9..10, 8..9]);
    }

    /// What a thread has begun, nobody can do for it: so a part is short.
    #[test]
    fn no_part_is_more_than_an_eighth_of_what_is_left() {
        let share = Share::of(0..1000);
        let mut left: usize = 1000;
        while let Some(part) = share.take(1) {
            assert!(part.len() <= left.div_ceil(FRACTION), "{part:?} of {left}");
            left -= part.len();
        }
        assert_eq!(left, 0);
    }
}

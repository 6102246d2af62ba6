//! A file whose storages lie where its beginning says: `.safetensors`, and PyTorch's container before 1.6.

use super::chunk::Chunk;
use crate::pth::legacy::COUNT_BYTES;
use std::ops::Range;

/// Where each storage lies, and how far the file has come.
pub(super) struct Ranges {
    /// In the file's order.
    regions: Vec<Region>,
    /// Number of the first region that does not end before `position`.
    next: usize,
    position: u64,
    file_bytes: u64,
    /// What has come of a count.
    count: Vec<u8>,
}

struct Region {
    bytes: Range<u64>,
    content: Content,
}

#[derive(Clone, Copy)]
enum Content {
    Storage(usize),
    /// It must be this number.
    Count(u64),
}

impl Ranges {
    /// The storages of a file that has come as far as `position`.
    pub(super) fn new(storages: &[Range<usize>], position: u64, file_bytes: u64) -> Self {
        let region = |(number, bytes): (usize, &Range<usize>)| Region {
            bytes: bytes.start as u64..bytes.end as u64,
            content: Content::Storage(number),
        };
        let mut regions: Vec<Region> = storages.iter().enumerate().map(region).collect();
        regions.sort_by_key(|region| region.bytes.start);
        Self { regions, next: 0, position, file_bytes, count: Vec::new() }
    }

    /// [`Ranges::new`] of a file with a count before each storage.
    pub(super) fn counted(storages: &[Range<usize>], counts: &[u64], position: u64) -> Self {
        let end = storages.iter().map(|bytes| bytes.end as u64).max().unwrap_or(position);
        let mut ranges = Self::new(storages, position, end);
        let before = |(bytes, &count): (&Range<usize>, &u64)| Region {
            bytes: bytes.start.saturating_sub(COUNT_BYTES) as u64..bytes.start as u64,
            content: Content::Count(count),
        };
        ranges.regions.extend(storages.iter().zip(counts).map(before));
        ranges.regions.sort_by_key(|region| region.bytes.start);
        ranges
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Takes some of the next bytes, which are not empty.
    ///
    /// # Errors
    /// A sentence, when they are not what they should be.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Chunk, String> {
        while self.regions.get(self.next).is_some_and(|region| region.bytes.end <= self.position) {
            self.next += 1;
        }
        let (end, content) = match self.regions.get(self.next) {
            Some(region) if region.bytes.start <= self.position => (region.bytes.end, Some(region.content)),
            Some(region) => (region.bytes.start, None),
            None if self.position < self.file_bytes => (self.file_bytes, None),
            None => return Err(format!("it is longer than the {} bytes it should have", self.file_bytes)),
        };
        let len = usize::try_from(end - self.position).unwrap_or(usize::MAX).min(bytes.len());
        self.position += len as u64;
        let storage = match content {
            Some(Content::Storage(number)) => Some(number),
            Some(Content::Count(expected)) => {
                self.count.extend_from_slice(&bytes[..len]);
                self.check_count(expected)?;
                None
            }
            None => None,
        };
        Ok(Chunk { len, storage })
    }

    fn check_count(&mut self, expected: u64) -> Result<(), String> {
        if let Some(&count) = self.count.first_chunk::<COUNT_BYTES>() {
            let got = u64::from_le_bytes(count);
            if got != expected {
                return Err(format!("a storage has {got} numbers where its pickle tells of {expected}"));
            }
            self.count.clear();
        }
        Ok(())
    }

    /// Whether a conversion can go on from here: no storage and no count has begun.
    pub(super) fn is_between(&self) -> bool {
        let inside = |region: &Region| region.bytes.start < self.position && self.position < region.bytes.end;
        !self.regions.get(self.next).is_some_and(inside)
    }

    /// Goes on from `position`; `arrived` are the storages that have been used.
    ///
    /// # Errors
    /// A sentence, when those are not the ones before `position`.
    pub(super) fn resume(
        &mut self,
        position: u64,
        arrived: impl Fn(usize) -> Option<bool>,
    ) -> Result<(), String> {
        let fits = |region: &Region| match region.content {
            Content::Storage(number) => {
                arrived(number).is_none_or(|arrived| arrived == (region.bytes.end <= position))
            }
            Content::Count(_) => true,
        };
        let ahead = (self.position..=self.file_bytes).contains(&position);
        self.position = position;
        self.next = self.regions.partition_point(|region| region.bytes.end <= position);
        if ahead && self.is_between() && self.regions.iter().all(fits) {
            return Ok(());
        }
        Err("it does not say how far the file had come".into())
    }

    /// Whether all of the file has come.
    pub(super) fn is_whole(&self) -> bool {
        self.position == self.file_bytes
    }
}

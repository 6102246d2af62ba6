//! Which photos of a shard are done, and what came of them.

use super::journal::{Line, Verdict};
use super::tally::Tally;
use crate::dataset::Shard;
use std::collections::BTreeMap;

/// Unreadable photos whose names are kept; of more only the number is.
const NAMED: usize = 10_000;

/// The account of one shard. Its memory is a quarter of a byte a photo beside the tally.
pub struct Ledger {
    shard: Shard,
    /// Photos in all shards.
    photos: u64,
    answered: Bits,
    refused: Bits,
    pub tally: Tally,
    pub unreadable: Unreadable,
}

/// Photos that could not be read.
#[derive(Default)]
pub struct Unreadable {
    pub photos: u64,
    /// File and reason, by the photo's number; no more than [`NAMED`] of them.
    pub named: BTreeMap<u64, (String, String)>,
}

impl Unreadable {
    pub fn add(&mut self, other: Self) {
        self.photos += other.photos;
        self.named.extend(other.named);
        while self.named.len() > NAMED {
            self.named.pop_last();
        }
    }
}

/// Why a line can't be right.
#[derive(Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It names a photo or a class that there is not.
    Range,
    /// The photo was answered before.
    Twice(u64),
}

impl Ledger {
    pub fn new(shard: Shard, photos: u64, classes: usize) -> Self {
        let size = shard.size(photos);
        Self {
            shard,
            photos,
            answered: Bits::new(size),
            refused: Bits::new(size),
            tally: Tally::new(classes),
            unreadable: Unreadable::default(),
        }
    }

    /// Enters what came of a photo. A photo that could not be read may be tried again, one that was answered not.
    pub fn enter(&mut self, line: Line) -> Result<(), Misfit> {
        let classes = self.tally.classes.len();
        let position =
            self.shard.position(line.photo).filter(|_| line.photo < self.photos).ok_or(Misfit::Range)?;
        let known = |class: &u32| (*class as usize) < classes;
        if !known(&line.class) {
            return Err(Misfit::Range);
        }
        if self.answered.get(position) {
            return Err(Misfit::Twice(line.photo));
        }
        match line.verdict {
            Verdict::Answer { top, .. } => {
                if !top.iter().all(known) {
                    return Err(Misfit::Range);
                }
                if self.refused.get(position) {
                    self.refused.set(position, false);
                    self.unreadable.photos -= 1;
                    self.unreadable.named.remove(&line.photo);
                }
                self.answered.set(position, true);
                self.tally.count(line.class, &top);
            }
            Verdict::Refusal { error } => {
                if !self.refused.get(position) {
                    self.refused.set(position, true);
                    self.unreadable.photos += 1;
                }
                if self.unreadable.named.len() < NAMED {
                    self.unreadable.named.insert(line.photo, (line.file, error));
                }
            }
        }
        Ok(())
    }

    /// Whether the photo was answered. One that could not be read was not.
    pub fn has(&self, photo: u64) -> bool {
        self.shard.position(photo).is_some_and(|position| self.answered.get(position))
    }

    /// Photos of the shard of which nothing is known.
    pub fn left(&self) -> u64 {
        self.shard.size(self.photos) - self.tally.all.images - self.unreadable.photos
    }
}

/// A set of numbers, one bit for each.
struct Bits(Vec<u64>);

impl Bits {
    fn new(size: u64) -> Self {
        Self(vec![0; size.div_ceil(64) as usize])
    }

    fn get(&self, index: u64) -> bool {
        self.0[(index / 64) as usize] >> (index % 64) & 1 == 1
    }

    fn set(&mut self, index: u64, value: bool) {
        let (word, bit) = (&mut self.0[(index / 64) as usize], 1 << (index % 64));
        if value { *word |= bit } else { *word &= !bit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(photo: u64, class: u32, top: &[u32]) -> Line {
        let verdict = Verdict::Answer { top: top.to_vec(), score: 0.5 };
        Line { photo, file: format!("{photo}.jpg"), class, verdict }
    }

    fn refusal(photo: u64) -> Line {
        Line {
            photo,
            file: format!("{photo}.jpg"),
            class: 0,
            verdict: Verdict::Refusal { error: "No.".into() },
        }
    }

    #[test]
    fn only_what_fits_is_entered() {
        let mut ledger = Ledger::new(Shard { number: 2, of: 3 }, 200, 5);
        assert_eq!(ledger.left(), 67);
        for misfit in [
            answer(0, 0, &[0]),
            answer(200, 0, &[0]),
            answer(202, 0, &[0]),
            answer(1, 5, &[0]),
            answer(1, 0, &[5]),
        ] {
            assert_eq!(ledger.enter(misfit), Err(Misfit::Range));
        }
        assert_eq!(ledger.enter(answer(199, 0, &[0])), Ok(()));
        assert_eq!(ledger.enter(answer(199, 0, &[0])), Err(Misfit::Twice(199)));
        assert_eq!(ledger.enter(refusal(199)), Err(Misfit::Twice(199)));
        assert_eq!((ledger.has(199), ledger.has(196), ledger.left()), (true, false, 66));
    }

    #[test]
    fn a_photo_that_could_not_be_read_may_be_tried_again() {
        let mut ledger = Ledger::new(Shard::WHOLE, 3, 2);
        ledger.enter(refusal(1)).unwrap();
        ledger.enter(refusal(1)).unwrap();
        assert_eq!((ledger.unreadable.photos, ledger.has(1), ledger.left()), (1, false, 2));
        ledger.enter(answer(1, 1, &[0, 1])).unwrap();
        assert_eq!((ledger.unreadable.photos, ledger.unreadable.named.len(), ledger.left()), (0, 0, 2));
        assert_eq!(ledger.tally.all.top_5, 1);
    }
}

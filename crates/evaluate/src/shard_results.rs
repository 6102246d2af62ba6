//! The results of one shard so far: which photos are done, and the counts over them.

use crate::calibration::{KeptLogits, PhotoLogits};
use crate::counts::Counts;
use crate::dataset::Shard;
use crate::journal_format::{Header, Line, Outcome};
use std::collections::BTreeMap;

/// Unreadable photos whose names are kept; of more only the number is.
const NAMED: usize = 10_000;

/// Beside the counts a photo takes a quarter of a byte, and for a calibration four bytes a class.
pub struct ShardResults {
    shard: Shard,
    /// Photos in all shards.
    photos: u64,
    answered: Bits,
    unread: Bits,
    /// Right answers and confusions so far.
    pub counts: Counts,
    /// Photos that could not be read so far.
    pub unreadable: Unreadable,
    /// For a calibration, of every photo that was answered, in any order.
    pub logits: Vec<PhotoLogits>,
    keeps_logits: bool,
}

/// Photos that could not be read.
#[derive(Default)]
pub struct Unreadable {
    /// How many there are.
    pub photos: u64,
    /// File and reason, by the photo's number; at most 10,000.
    pub named: BTreeMap<u64, (String, String)>,
}

impl Unreadable {
    /// Adds those of another shard.
    pub fn add(&mut self, other: Self) {
        self.photos += other.photos;
        self.named.extend(other.named);
        while self.named.len() > NAMED {
            self.named.pop_last();
        }
    }
}

/// Why a journal's line can't be right.
#[derive(Debug, PartialEq, Eq)]
pub enum InvalidLine {
    /// It names a photo or a class that there is not, or has another number of logits than there are classes.
    OutOfRange,
    /// The photo was answered before.
    Repeated(u64),
}

impl ShardResults {
    /// Of a run that has not begun.
    pub fn new(header: &Header) -> Self {
        let (shard, photos) = (header.shard, header.dataset.photos);
        let size = shard.size(photos);
        Self {
            shard,
            photos,
            answered: Bits::new(size),
            unread: Bits::new(size),
            counts: Counts::new(header.classes.len()),
            unreadable: Unreadable::default(),
            logits: Vec::new(),
            keeps_logits: header.calibration.is_some(),
        }
    }

    /// Adds a photo's outcome. A photo that could not be read may be tried again, one that was answered not.
    pub fn record(&mut self, line: Line) -> Result<(), InvalidLine> {
        let classes = self.counts.classes.len();
        let position = self
            .shard
            .position(line.photo)
            .filter(|_| line.photo < self.photos)
            .ok_or(InvalidLine::OutOfRange)?;
        let known = |class: &u32| (*class as usize) < classes;
        if !known(&line.class) {
            return Err(InvalidLine::OutOfRange);
        }
        if self.answered.get(position) {
            return Err(InvalidLine::Repeated(line.photo));
        }
        match line.outcome {
            Outcome::Answer { top, calibration, .. } => {
                let has_logits = calibration.as_ref().is_some_and(|kept| kept.logits.len() == classes);
                if !top.iter().all(known) || self.keeps_logits && !has_logits {
                    return Err(InvalidLine::OutOfRange);
                }
                if self.unread.get(position) {
                    self.unread.set(position, false);
                    self.unreadable.photos -= 1;
                    self.unreadable.named.remove(&line.photo);
                }
                self.answered.set(position, true);
                self.counts.count(line.class, &top);
                if let Some(KeptLogits { sha256, logits }) = calibration.filter(|_| self.keeps_logits) {
                    self.logits.push(PhotoLogits { sha256, class: line.class, logits });
                }
            }
            Outcome::Unreadable { error } => {
                if !self.unread.get(position) {
                    self.unread.set(position, true);
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
    pub fn is_answered(&self, photo: u64) -> bool {
        self.shard.position(photo).is_some_and(|position| self.answered.get(position))
    }

    /// Photos of the shard of which nothing is known.
    pub fn remaining(&self) -> u64 {
        self.shard.size(self.photos) - self.counts.all.images - self.unreadable.photos
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
    use crate::dataset::Identity;
    use crate::journal_format::{CalibrationPart, ModelIdentity};

    fn header(shard: Shard, photos: u64, classes: usize) -> Header {
        let model = ModelIdentity { name: "m".into(), sha256: "ab".into() };
        let classes = vec![(String::new(), "class".into()); classes];
        Header::new(model, "cpu", Identity { sha256: "cd".into(), photos }, shard, classes)
    }

    fn answer(photo: u64, class: u32, top: &[u32]) -> Line {
        let outcome = Outcome::Answer { top: top.to_vec(), score: 0.5, calibration: None };
        Line { photo, file: format!("{photo}.jpg"), class, outcome }
    }

    fn unreadable(photo: u64) -> Line {
        Line {
            photo,
            file: format!("{photo}.jpg"),
            class: 0,
            outcome: Outcome::Unreadable { error: "No.".into() },
        }
    }

    #[test]
    fn only_valid_lines_are_recorded() {
        let mut results = ShardResults::new(&header(Shard { number: 2, of: 3 }, 200, 5));
        assert_eq!(results.remaining(), 67);
        for invalid in [
            answer(0, 0, &[0]),
            answer(200, 0, &[0]),
            answer(202, 0, &[0]),
            answer(1, 5, &[0]),
            answer(1, 0, &[5]),
        ] {
            assert_eq!(results.record(invalid), Err(InvalidLine::OutOfRange));
        }
        assert_eq!(results.record(answer(199, 0, &[0])), Ok(()));
        assert_eq!(results.record(answer(199, 0, &[0])), Err(InvalidLine::Repeated(199)));
        assert_eq!(results.record(unreadable(199)), Err(InvalidLine::Repeated(199)));
        assert_eq!(
            (results.is_answered(199), results.is_answered(196), results.remaining()),
            (true, false, 66)
        );
    }

    #[test]
    fn a_calibration_takes_lines_with_as_many_logits_as_classes() {
        let header = header(Shard::WHOLE, 3, 2).keeping_logits(CalibrationPart::Known);
        let mut results = ShardResults::new(&header);
        let mut with_logits = |photo, logits: Option<Vec<f32>>| {
            let kept = logits.map(|logits| KeptLogits { sha256: "ab".into(), logits });
            let outcome = Outcome::Answer { top: vec![0], score: 0.5, calibration: kept };
            results.record(Line { photo, file: "x.jpg".into(), class: 1, outcome })
        };
        assert_eq!(with_logits(0, None), Err(InvalidLine::OutOfRange));
        assert_eq!(with_logits(0, Some(vec![1.0; 3])), Err(InvalidLine::OutOfRange));
        assert_eq!(with_logits(0, Some(vec![1.0, 2.0])), Ok(()));
        let kept = PhotoLogits { sha256: "ab".into(), class: 1, logits: vec![1.0, 2.0] };
        assert_eq!(results.logits, [kept]);
    }

    #[test]
    fn a_photo_that_could_not_be_read_may_be_tried_again() {
        let mut results = ShardResults::new(&header(Shard::WHOLE, 3, 2));
        results.record(unreadable(1)).unwrap();
        results.record(unreadable(1)).unwrap();
        assert_eq!((results.unreadable.photos, results.is_answered(1), results.remaining()), (1, false, 2));
        results.record(answer(1, 1, &[0, 1])).unwrap();
        assert_eq!(
            (results.unreadable.photos, results.unreadable.named.len(), results.remaining()),
            (0, 0, 2)
        );
        assert_eq!(results.counts.all.top_5, 1);
    }
}

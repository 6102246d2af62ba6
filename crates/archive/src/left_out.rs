//! Files that were skipped: how many for which reason, and the first of their names.

use std::rc::Rc;

/// So many names are kept; the rest is only counted.
pub const NAMES_KEPT: usize = 200;

/// Why a file is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Reason {
    Video,
    Sound,
    Document,
    /// No photo, and nothing else that is known.
    Other,
    /// A system's own file.
    Hidden,
    Encrypted,
    /// Packed by a method that can't be unpacked here.
    Method,
    /// An archive in an archive that is too deep inside, too large, or of a format that is not read.
    Nested,
    /// A link, a device or a sparse file in a tar file.
    Special,
    /// Damaged, or gone since it was listed.
    Unreadable,
    /// A folder that the browser does not list.
    Folder,
    /// One file more than are taken at once.
    Beyond,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::Video,
        Self::Sound,
        Self::Document,
        Self::Other,
        Self::Hidden,
        Self::Encrypted,
        Self::Method,
        Self::Nested,
        Self::Special,
        Self::Unreadable,
        Self::Folder,
        Self::Beyond,
    ];
}

/// Counts what is left out and keeps the first names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeftOut {
    counts: [u64; Reason::ALL.len()],
    names: Vec<(Rc<str>, Reason)>,
}

impl LeftOut {
    /// Counts a file, and keeps its name while there is room.
    pub fn add(&mut self, name: &str, reason: Reason) {
        self.count(reason, 1);
        if self.names.len() < NAMES_KEPT {
            self.names.push((name.into(), reason));
        }
    }

    /// Files whose names are not known.
    pub fn count(&mut self, reason: Reason, files: u64) {
        let count = &mut self.counts[reason as usize];
        *count = count.saturating_add(files);
    }

    /// Adds what another count holds.
    pub fn append(&mut self, other: Self) {
        for reason in Reason::ALL {
            self.count(reason, other.counts[reason as usize]);
        }
        let room = NAMES_KEPT - self.names.len();
        self.names.extend(other.names.into_iter().take(room));
    }

    /// Files that were skipped.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether nothing was skipped.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// How many for which reason, those without a file skipped.
    pub fn counts(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().map(|reason| (reason, self.counts[reason as usize])).filter(|(_, n)| *n > 0)
    }

    /// The first names, in the order in which the files were left out.
    pub fn names(&self) -> &[(Rc<str>, Reason)] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_named() {
        let mut left_out = LeftOut::default();
        assert!(left_out.is_empty());
        for n in 0..300 {
            left_out.add(&format!("{n}.mp4"), Reason::Video);
        }
        let mut more = LeftOut::default();
        more.add("a.jpg", Reason::Encrypted);
        more.count(Reason::Beyond, u64::MAX);
        left_out.append(more);
        let counts: Vec<_> = left_out.counts().collect();
        assert_eq!(counts, [(Reason::Video, 300), (Reason::Encrypted, 1), (Reason::Beyond, u64::MAX)]);
        assert_eq!(left_out.total(), u64::MAX);
        assert_eq!(left_out.names().len(), NAMES_KEPT);
    }

    #[test]
    fn every_reason_has_its_place() {
        for (at, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
        }
    }
}

//! How precisely the scans of a progressive frame have told its coefficients.

use super::structure::{Frame, Scan};

/// Coefficients that are followed, in zigzag order: the mean and those that [smoothing](super::general) estimates.
pub(super) const FOLLOWED: usize = 10;

/// The lowest bit that is told of each coefficient; none where nothing is.
pub(super) type LowestBits = [Option<u8>; FOLLOWED];

/// A component's coefficients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// With the component's latest scan.
    pub now: LowestBits,
    /// Before it, which holds where that scan ends early. As libjpeg has it, all is known before the file's first scan.
    pub before: LowestBits,
}

impl Progress {
    /// Takes a scan of the component, which is the file's first or a further one.
    pub fn begin(&mut self, scan: &Scan, is_first: bool) {
        let (first, last) = (usize::from(scan.first), usize::from(scan.last));
        for place in first.min(1)..FOLLOWED {
            self.before[place] = if is_first { Some(0) } else { self.now[place] };
        }
        for place in first..=last.min(FOLLOWED - 1) {
            self.now[place] = Some(scan.lowest_bit);
        }
    }

    /// Whether all that smoothing estimates is known to the last bit.
    pub fn is_complete(&self) -> bool {
        self.now[1..].iter().all(|&lowest| lowest == Some(0))
    }
}

/// Whether the scans tell of all coefficients that smoothing would estimate else, if their data does not end early.
pub(super) fn is_complete(frame: &Frame, scans: &[Scan]) -> bool {
    frame.components.iter().all(|component| {
        let mut progress = Progress::default();
        let of_component = |scan: &&Scan| scan.components.iter().any(|(id, ..)| *id == component.id);
        scans.iter().filter(of_component).for_each(|scan| progress.begin(scan, false));
        progress.is_complete()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(first: u8, last: u8, lowest_bit: u8) -> Scan {
        Scan { components: vec![(1, 0, 0)], first, last, refines: false, lowest_bit, data: 0 }
    }

    #[test]
    fn scans_tell_coefficients_bit_by_bit() {
        let mut progress = Progress::default();
        progress.begin(&scan(0, 0, 1), true);
        assert_eq!((progress.now[0], progress.now[1], progress.before), (Some(1), None, [Some(0); FOLLOWED]));
        progress.begin(&scan(1, 5, 2), false);
        assert_eq!((progress.now[5], progress.now[6], progress.before[5]), (Some(2), None, None));
        progress.begin(&scan(6, 63, 0), false);
        assert!(!progress.is_complete(), "two bits of five coefficients are missing");
        assert_eq!((progress.before[5], progress.before[6]), (Some(2), None));
        progress.begin(&scan(1, 63, 0), false);
        assert!(progress.is_complete(), "the mean's lowest bit is not asked for");
    }
}

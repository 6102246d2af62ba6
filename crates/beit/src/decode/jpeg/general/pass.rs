//! What a scan tells of its blocks.

use crate::decode::jpeg::structure::{Frame, Scan};

/// The coefficients that a scan has, by their place in zigzag order, and which of their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// All of them.
    Whole,
    /// The mean, but for so many low bits.
    Mean { low: u32 },
    /// One more bit of the mean.
    MeanBit { low: u32 },
    /// Some coefficients, but for so many low bits.
    Others { first: usize, last: usize, low: u32 },
    /// One more bit of these.
    OthersBit { first: usize, last: usize, low: u32 },
}

impl Pass {
    /// None where the scan's header contradicts itself.
    pub fn of(frame: &Frame, scan: &Scan) -> Option<Self> {
        if !frame.is_progressive() {
            return Some(Self::Whole);
        }
        let (first, last) = (usize::from(scan.first), usize::from(scan.last));
        let low = u32::from(scan.lowest_bit);
        let is_ordered = if first == 0 { last == 0 } else { last >= first && last < 64 };
        (is_ordered && low <= 13 && (first == 0 || scan.components.len() == 1)).then_some(())?;
        Some(match (first, scan.refines) {
            (0, false) => Self::Mean { low },
            (0, true) => Self::MeanBit { low },
            (_, false) => Self::Others { first, last, low },
            (_, true) => Self::OthersBit { first, last, low },
        })
    }

    pub fn is_of_means(self) -> bool {
        matches!(self, Self::Mean { .. } | Self::MeanBit { .. })
    }
}

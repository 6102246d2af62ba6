//! Whether the last scan's coded data holds all of its blocks.
//!
//! Decoders paint what is missing in grey and report success. Where the end marker is missing, only counting the blocks
//! tells a photo of which nothing else is missing from one that is cut.

use super::entropy::{Bits, Huffman, Tables};
use super::structure::{Frame, Scan};

/// Zeros at a file's end that a scan may use: more of them are not a photo's data but what a recovery tool has put in its
/// place.
const MOST_ZEROS: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    /// All blocks are there.
    Whole,
    /// The data ends before its blocks do.
    Cut,
    /// Of another kind than sequential scans in Huffman's code, or damaged.
    Unknown,
}

/// Counts the blocks of the last scan.
pub(super) fn of_last_scan(bytes: &[u8], frame: &Frame, scans: &[Scan]) -> Completeness {
    let Some(scan) = scans.last().filter(|_| frame.is_sequential()) else { return Completeness::Unknown };
    let all: usize = scans.iter().map(|scan| scan.components.len()).sum();
    if all < frame.components.len() {
        return Completeness::Cut;
    }
    let mut bits = Bits::new(bytes, scan.data);
    let padding = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
    match blocks(&mut bits, frame, scan) {
        Some(()) if bits.at <= bytes.len() - padding.saturating_sub(MOST_ZEROS) => Completeness::Whole,
        Some(()) => Completeness::Cut,
        None if bits.ended => Completeness::Cut,
        None => Completeness::Unknown,
    }
}

/// Reads over all blocks of a scan; none where they are not all there.
fn blocks(bits: &mut Bits, frame: &Frame, scan: &Scan) -> Option<()> {
    let tables = Tables::before(bits.bytes, scan.data);
    let mut components = Vec::new();
    for &(id, dc, ac) in &scan.components {
        let component = frame.components.iter().find(|component| component.id == id)?;
        components.push((component, tables.huffman.get(&(0, dc))?, tables.huffman.get(&(1, ac))?));
    }
    let (across, down) = frame.units(scan);
    let is_interleaved = components.len() > 1;
    for unit in 0..across * down {
        if tables.restart > 0 && unit > 0 && unit % tables.restart == 0 {
            bits.restart()?;
        }
        for (component, dc, ac) in &components {
            let blocks = if is_interleaved { component.horizontal * component.vertical } else { 1 };
            for _ in 0..blocks {
                block(bits, dc, ac)?;
            }
        }
    }
    Some(())
}

/// Reads over one block of 64 coefficients.
fn block(bits: &mut Bits, dc: &Huffman, ac: &Huffman) -> Option<()> {
    let length = dc.symbol(bits)?;
    bits.skip(length)?;
    let mut coefficient = 1;
    while coefficient < 64 {
        let symbol = ac.symbol(bits)?;
        let (zeros, length) = (symbol >> 4, symbol & 15);
        match (zeros, length) {
            (0, 0) => break,
            (15, 0) => coefficient += 16,
            _ => {
                bits.skip(length)?;
                coefficient += usize::from(zeros) + 1;
            }
        }
    }
    Some(())
}

//! Whether the coded data of a frame in Huffman's code holds all of its blocks: of a progressive one, the means of all.
//!
//! Decoders paint what is missing in grey or in stripes and report success. Only counting the blocks tells a photo of which
//! nothing but the end marker is missing from one that is cut.

use super::entropy::{Bits, Huffman, Stop};
use super::structure::{Frame, Scan};
use super::tables::Tables;

/// Zeros at a file's end that are taken for a photo's data: more of them are what a recovery tool or an unfinished download
/// has put in its place.
const MOST_ZEROS: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    /// All blocks are there.
    Whole,
    /// Zeros have taken the place of the last ones, so many in a hundred. Decoders read them as if they were data.
    Padded {
        /// 1 to 100.
        missing_percent: u8,
    },
    /// The data ends before its blocks do.
    Cut,
    /// In another code, or damaged.
    Unknown,
}

/// Counts the blocks of a sequential frame's last scan.
pub(super) fn of_last_scan(bytes: &[u8], frame: &Frame, scans: &[Scan]) -> Completeness {
    let is_known = frame.is_sequential() && !frame.is_arithmetic();
    let Some(scan) = scans.last().filter(|_| is_known) else { return Completeness::Unknown };
    let all: usize = scans.iter().map(|scan| scan.components.len()).sum();
    if all < frame.components.len() {
        return Completeness::Cut;
    }
    let padding = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
    let end = bytes.len() - padding.saturating_sub(MOST_ZEROS);
    let (across, down) = frame.units(scan);
    let all = across * down;
    match blocks(bytes, frame, scan, end) {
        Ok(before) if before == all => Completeness::Whole,
        Ok(before) => Completeness::Padded { missing_percent: percent(all - before, all) },
        Err(Stop::Ended) => Completeness::Cut,
        Err(Stop::Damaged) => Completeness::Unknown,
    }
}

/// So many of all in hundredths, rounded up.
pub(super) fn percent(part: u64, all: u64) -> u8 {
    (part.min(all) * 100).div_ceil(all.max(1)) as u8
}

/// Counts the blocks whose means a progressive frame's scans tell.
pub(super) fn of_means(bytes: &[u8], frame: &Frame, scans: &[Scan]) -> Completeness {
    if !frame.is_progressive() || frame.is_arithmetic() {
        return Completeness::Unknown;
    }
    let mut missing: Vec<_> = frame.components.iter().map(|component| component.id).collect();
    for scan in scans.iter().filter(|scan| scan.is_of_means() && !scan.refines) {
        match blocks(bytes, frame, scan, bytes.len()) {
            Ok(_) => missing.retain(|id| scan.components.iter().all(|(of_scan, ..)| of_scan != id)),
            Err(Stop::Ended) => return Completeness::Cut,
            Err(Stop::Damaged) => return Completeness::Unknown,
        }
    }
    if missing.is_empty() { Completeness::Whole } else { Completeness::Cut }
}

/// Reads over all blocks of a scan; returns how many groups of them come before this place in the file.
fn blocks(bytes: &[u8], frame: &Frame, scan: &Scan, end: usize) -> Result<u64, Stop> {
    let bits = &mut Bits::new(bytes, scan.data);
    let tables = Tables::before(bytes, scan.data);
    let mut components = Vec::new();
    for &(id, dc, ac) in &scan.components {
        let component = frame.components.iter().find(|component| component.id == id).ok_or(Stop::Damaged)?;
        let others = if frame.is_progressive() { None } else { Some(tables.ac(ac).ok_or(Stop::Damaged)?) };
        components.push((component, tables.dc(dc).ok_or(Stop::Damaged)?, others));
    }
    let (across, down) = frame.units(scan);
    let is_interleaved = components.len() > 1;
    let mut before = 0;
    for unit in 0..across * down {
        if tables.restart > 0 && unit > 0 && unit % tables.restart == 0 {
            bits.restart(((unit / tables.restart - 1) % 8) as u8)?;
        }
        for (component, dc, others) in &components {
            let blocks = if is_interleaved { component.horizontal * component.vertical } else { 1 };
            for _ in 0..blocks {
                let length = dc.symbol(bits)?;
                bits.skip(length.min(16).into())?;
                if let Some(others) = others {
                    pass_over(bits, others)?;
                }
            }
        }
        if bits.position() <= end {
            before = unit + 1;
        }
    }
    Ok(before)
}

/// Reads over a block's coefficients but the first.
fn pass_over(bits: &mut Bits, table: &Huffman) -> Result<(), Stop> {
    let mut coefficient = 1;
    while coefficient < 64 {
        let symbol = table.symbol(bits)?;
        let (zeros, length) = (symbol >> 4, symbol & 15);
        match (zeros, length) {
            (0, 0) => break,
            (15, 0) => coefficient += 16,
            _ => {
                bits.skip(length.into())?;
                coefficient += usize::from(zeros) + 1;
            }
        }
    }
    Ok(())
}

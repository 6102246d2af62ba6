//! A decoder of every JPEG that is not hierarchical: sequential, progressive and lossless, in Huffman's and in the arithmetic
//! code, of 8 and 12 bits (lossless ones of 2 to 16), any number of scans and any sampling.
//!
//! Its pixels are those of libjpeg-turbo's defaults, with which Pillow and browsers read JPEG. Written after ITU-T T.81.

mod arithmetic;
mod arithmetic_coder;
mod colour;
mod huffman;
mod idct;
mod lossless;
mod pass;
mod plane;
mod scan;
mod smoothing;
mod upsample;

use super::entropy::Stop;
use super::structure::{self, Frame, Scan, Segment, Segments};
use super::tables::Tables;
use super::{FORMAT, corrupt};
use crate::decode::{DecodeError, Rgb};
use arithmetic_coder::ArithmeticCoder;
pub(super) use colour::Colours;
use huffman::HuffmanCoder;
use pass::Pass;
use plane::Plane;

/// No encoder writes more scans; a file of thousands is made to keep a decoder busy.
const MOST_SCANS: usize = 200;

/// Bytes a pixel that decoding takes at most, beside the file.
pub(super) fn bytes_per_pixel(frame: &Frame) -> u64 {
    // Samples are of two bytes, and coefficients too: a plane has the one or the other.
    2 * frame.components.len() as u64 + 3
}

/// Decodes at so many parts of the size: 1, 2, 4 or 8; of a progressive frame 1 or 8, of a lossless one 1.
///
/// A scan of a progressive frame that is missing or ends early leaves the picture coarse, and [smoothed](smoothing) as
/// libjpeg does it, unless it is the one that has the means of blocks.
///
/// # Errors
/// Where the means of some blocks are missing, the data is damaged, or there is not enough memory.
pub(super) fn decode(bytes: &[u8], frame: &Frame, colours: Colours, by: u64) -> Result<Rgb, DecodeError> {
    let mut planes = frame
        .components
        .iter()
        .map(|component| Plane::new(frame, component, by))
        .collect::<Result<Vec<_>, _>>()?;
    let mut tables = Tables::default();
    let mut scans = 0;
    let mut last_row = None;
    for segment in Segments::new(bytes) {
        let Segment { marker: 0xda, at, content } = segment else {
            tables.note(&segment);
            continue;
        };
        let scan = structure::scan(content, at + content.len()).ok_or_else(|| corrupt("a scan's header"))?;
        scans += 1;
        if scans > MOST_SCANS {
            return Err(corrupt("it has too many scans"));
        }
        last_row = read(bytes, frame, &scan, &tables, &mut planes, by)?;
        for number in frame.numbers(&scan).unwrap_or_default() {
            planes[number].progress.begin(&scan, scans == 1);
        }
    }
    if !planes.iter().all(|plane| plane.has_means) {
        return Err(DecodeError::Truncated { format: FORMAT });
    }
    let is_smoothed = by == 1
        && frame.is_progressive()
        && smoothing::is_needed(planes.iter().map(|plane| (&plane.progress, plane.steps.as_ref())));
    for plane in &mut planes {
        plane.finish(frame, is_smoothed.then_some(last_row.unwrap_or(usize::MAX)))?;
    }
    colour::rgb(frame, &planes, colours, by)
}

/// Reads a scan's blocks; returns the last row of groups that it tells something of, where its data ends early.
fn read(
    bytes: &[u8],
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    planes: &mut [Plane],
    by: u64,
) -> Result<Option<usize>, DecodeError> {
    let contradicts = || corrupt("a scan's header contradicts the frame's");
    let numbers = frame.numbers(scan).ok_or_else(contradicts)?;
    let pass = Pass::of(frame, scan).ok_or_else(contradicts)?;
    if frame.is_progressive() && by > 1 && !pass.is_of_means() {
        return Ok(None);
    }
    let last_row = if frame.is_lossless() {
        lossless::read(bytes, frame, scan, tables, planes).map(|()| None)
    } else {
        for &number in &numbers {
            if planes[number].steps.is_none() {
                let steps = tables.steps(frame.components[number].table);
                planes[number].steps =
                    Some(*steps.ok_or_else(|| corrupt("a quantization table is missing"))?);
            }
        }
        let no_table = || corrupt("a table of codes is missing");
        if frame.is_arithmetic() {
            let mut coder = ArithmeticCoder::new(bytes, frame, scan, tables).ok_or_else(no_table)?;
            scan::read(&mut coder, frame, scan, tables.restart, planes).map_err(|stop| coder.stopped(stop))
        } else {
            let mut coder = HuffmanCoder::new(bytes, frame, scan, tables).ok_or_else(no_table)?;
            scan::read(&mut coder, frame, scan, tables.restart, planes)
        }
    };
    match last_row {
        Ok(last_row) => {
            if matches!(pass, Pass::Whole | Pass::Mean { .. }) {
                numbers.into_iter().for_each(|number| planes[number].has_means = true);
            }
            Ok(last_row)
        }
        Err(Stop::Ended) if matches!(pass, Pass::Whole | Pass::Mean { .. }) => {
            Err(DecodeError::Truncated { format: FORMAT })
        }
        Err(Stop::Ended) => Ok(None),
        Err(Stop::Damaged) => Err(corrupt("a scan's data")),
    }
}

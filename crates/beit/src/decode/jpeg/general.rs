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

use super::completeness::percent;
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
use scan::Extent;

/// No encoder writes more scans; a file of thousands is made to keep a decoder busy.
const MOST_SCANS: usize = 200;

/// Bytes a pixel that decoding takes at most, beside the file.
pub(super) fn bytes_per_pixel(frame: &Frame) -> u64 {
    // Samples are of two bytes, and coefficients too: a plane has the one or the other.
    2 * frame.components.len() as u64 + 3
}

/// Decodes at so many parts of the size: 1, 2, 4 or 8; of a progressive frame 1 or 8, of a lossless one 1. Tells also of how
/// many hundredths of the picture the means of blocks are missing: these blocks are grey, as libjpeg leaves them.
///
/// A scan of a progressive frame that is missing or ends early leaves the picture coarse, and [smoothed](smoothing) as
/// libjpeg does it, unless it is the one that has the means of blocks.
///
/// # Errors
/// Where a component has no data, the data is damaged, or there is not enough memory.
pub(super) fn decode(
    bytes: &[u8],
    frame: &Frame,
    colours: Colours,
    by: u64,
) -> Result<(Rgb, u8), DecodeError> {
    let mut planes = frame
        .components
        .iter()
        .map(|component| Plane::new(frame, component, by))
        .collect::<Result<Vec<_>, _>>()?;
    let mut tables = Tables::default();
    let mut scans = 0;
    let mut last_row = None;
    let mut missing_percent = 0;
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
        let extent = read(bytes, frame, &scan, &tables, &mut planes, by)?;
        last_row = extent.last_row;
        missing_percent = missing_percent.max(percent(extent.missing, extent.all));
        for number in frame.numbers(&scan).unwrap_or_default() {
            planes[number].progress.begin(&scan, scans == 1);
        }
    }
    if !planes.iter().all(|plane| plane.has_means) {
        return Err(DecodeError::Truncated { format: FORMAT });
    }
    // What was known before a scan libjpeg looks up from the second one on.
    if scans == 1 {
        planes.iter_mut().for_each(|plane| plane.progress.before[1..].fill(None));
    }
    let is_smoothed = by == 1
        && frame.is_progressive()
        && smoothing::is_needed(planes.iter().map(|plane| (&plane.progress, plane.steps.as_ref())));
    for plane in &mut planes {
        plane.finish(frame, is_smoothed.then_some(last_row.unwrap_or(usize::MAX)))?;
    }
    Ok((colour::rgb(frame, &planes, colours, by)?, missing_percent))
}

/// Reads a scan's blocks; returns how far its data reaches, of a scan without means only the row where it ends early.
fn read(
    bytes: &[u8],
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    planes: &mut [Plane],
    by: u64,
) -> Result<Extent, DecodeError> {
    let contradicts = || corrupt("a scan's header contradicts the frame's");
    let numbers = frame.numbers(scan).ok_or_else(contradicts)?;
    let pass = Pass::of(frame, scan).ok_or_else(contradicts)?;
    if frame.is_progressive() && by > 1 && !pass.is_of_means() {
        return Ok(Extent::default());
    }
    let extent = if frame.is_lossless() {
        lossless::read(bytes, frame, scan, tables, planes).map(|()| Extent::default())
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
    match extent {
        Ok(extent) if matches!(pass, Pass::Whole | Pass::Mean { .. }) => {
            numbers.into_iter().for_each(|number| planes[number].has_means = true);
            Ok(extent)
        }
        Ok(extent) => Ok(Extent { last_row: extent.last_row, ..Extent::default() }),
        Err(Stop::Ended) if matches!(pass, Pass::Whole | Pass::Mean { .. }) => {
            Err(DecodeError::Truncated { format: FORMAT })
        }
        Err(Stop::Ended) => Ok(Extent::default()),
        Err(Stop::Damaged) => Err(corrupt("a scan's data")),
    }
}

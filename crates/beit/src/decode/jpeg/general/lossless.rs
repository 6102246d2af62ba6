//! Lossless frames in Huffman's code (T.81, Annex H): each sample is told by its difference from a prediction.

use super::plane::Plane;
use crate::decode::jpeg::entropy::{Bits, Huffman, Stop};
use crate::decode::jpeg::structure::{Frame, Scan};
use crate::decode::jpeg::tables::Tables;

/// Reads all samples of a scan.
///
/// # Errors
/// Where the data ends or is damaged, or the header contradicts itself.
pub(super) fn read(
    bytes: &[u8],
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    planes: &mut [Plane],
) -> Result<(), Stop> {
    let numbers = frame.numbers(scan).ok_or(Stop::Damaged)?;
    let huffman = scan.components.iter().map(|(_, table, _)| tables.dc(*table)).collect::<Option<Vec<_>>>();
    let huffman = huffman.ok_or(Stop::Damaged)?;
    // The last bits are left out by the encoder.
    let (predictor, dropped) = (scan.first, scan.lowest_bit);
    if !(1..=7).contains(&predictor) || dropped >= frame.precision {
        return Err(Stop::Damaged);
    }
    let (across, down) = frame.units(scan);
    // Predictions begin anew with a row: restarts come after whole rows.
    if !tables.restart.is_multiple_of(across) {
        return Err(Stop::Damaged);
    }
    let rows_between = tables.restart / across;
    let begin = 1 << (frame.precision - dropped - 1);
    let mut bits = Bits::new(bytes, scan.data);
    // The row of units after which predictions began.
    let mut top = 0;
    for row in 0..down {
        if rows_between > 0 && row > 0 && row.is_multiple_of(rows_between) {
            bits.restart(((row / rows_between - 1) % 8) as u8)?;
            top = row;
        }
        for column in 0..across as usize {
            for (&number, table) in numbers.iter().zip(&huffman) {
                let component = &frame.components[number];
                let (wide, high) = match numbers.len() {
                    1 => (1, 1),
                    _ => (usize::from(component.horizontal), usize::from(component.vertical)),
                };
                let plane = &mut planes[number];
                for sample in 0..wide * high {
                    let (x, y) = (column * wide + sample % wide, row as usize * high + sample / wide);
                    let is_first_row = y == top as usize * high;
                    let at = y * plane.stride + x;
                    let before = |back: usize| plane.samples[at - back];
                    let prediction = match (is_first_row, x) {
                        (true, 0) => begin,
                        (true, _) => before(1).into(),
                        (false, 0) => before(plane.stride).into(),
                        _ => predicted(predictor, before(1), before(plane.stride), before(plane.stride + 1)),
                    };
                    let value = prediction.wrapping_add(difference(table, &mut bits)?) as u16;
                    *plane.samples.get_mut(at).ok_or(Stop::Damaged)? = value;
                }
            }
        }
    }
    if dropped > 0 {
        for number in numbers {
            planes[number].samples.iter_mut().for_each(|sample| *sample <<= dropped);
        }
    }
    Ok(())
}

/// Table H.1, from the samples on the left, above, and above on the left.
fn predicted(predictor: u8, left: u16, above: u16, corner: u16) -> i32 {
    let (left, above, corner) = (i32::from(left), i32::from(above), i32::from(corner));
    match predictor {
        1 => left,
        2 => above,
        3 => corner,
        4 => left + above - corner,
        5 => left + ((above - corner) >> 1),
        6 => above + ((left - corner) >> 1),
        _ => (left + above) >> 1,
    }
}

/// A difference, of which 16 bits count.
fn difference(table: &Huffman, bits: &mut Bits) -> Result<i32, Stop> {
    match table.symbol(bits)? {
        length @ 0..=15 => bits.difference(length.into()),
        16 => Ok(1 << 15),
        _ => Err(Stop::Damaged),
    }
}

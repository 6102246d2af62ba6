//! A progressive JPEG at an eighth of its size: the mean of each block of 8 × 8 samples, which scans of their own hold.
//!
//! All other scans are skipped, so that a photo of hundreds of megapixels takes a few megabytes.

use super::entropy::{Bits, Tables};
use super::structure::{Frame, Scan, Structure};
use crate::decode::Rgb;
use crate::decode::samples::rgb_of_ycbcr;

/// The means of one component's blocks.
struct Plane {
    /// Blocks across, whole units of them.
    stride: usize,
    /// Blocks across and down that the picture has.
    size: (usize, usize),
    means: Vec<i16>,
}

/// None where the scans of means are not all there or damaged.
pub(super) fn decode(bytes: &[u8], structure: &Structure, frame: &Frame, is_rgb: bool) -> Option<Rgb> {
    let finest = frame.finest();
    let blocks = |length: u16, factor: u8, finest: u8| {
        (usize::from(length) * usize::from(factor)).div_ceil(usize::from(finest)).div_ceil(8)
    };
    let units = |length: u16, finest: u8| usize::from(length).div_ceil(8 * usize::from(finest));
    let plane = |component: &super::structure::Component| {
        let stride = units(frame.width, finest.0) * usize::from(component.horizontal);
        let rows = units(frame.height, finest.1) * usize::from(component.vertical);
        let size = (
            blocks(frame.width, component.horizontal, finest.0),
            blocks(frame.height, component.vertical, finest.1),
        );
        Plane { stride, size, means: vec![0; stride * rows] }
    };
    let mut planes: Vec<_> = frame.components.iter().map(plane).collect();
    let mut seen = vec![false; planes.len()];
    for scan in structure.scans.iter().filter(|scan| scan.is_of_means) {
        read_scan(bytes, frame, scan, &mut planes)?;
        for (component, seen) in frame.components.iter().zip(&mut seen) {
            *seen |= scan.components.iter().any(|(id, ..)| *id == component.id);
        }
    }
    seen.into_iter().all(|seen| seen).then_some(())?;

    let tables = Tables::before(bytes, structure.scans.last()?.data);
    let steps: Option<Vec<_>> =
        frame.components.iter().map(|c| tables.mean_step.get(&c.table).copied()).collect();
    let steps = steps?;
    let (width, height) = (usize::from(frame.width).div_ceil(8), usize::from(frame.height).div_ceil(8));
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let sample = |number: usize| {
                let (plane, component) = (&planes[number], &frame.components[number]);
                let at = |position: usize, factor: u8, finest: u8, length: usize| {
                    (position * usize::from(factor) / usize::from(finest)).min(length - 1)
                };
                let column = at(x, component.horizontal, finest.0, plane.size.0);
                let row = at(y, component.vertical, finest.1, plane.size.1);
                let mean = i32::from(plane.means[row * plane.stride + column]) * i32::from(steps[number]);
                (((mean + 4) >> 3) + 128).clamp(0, 255) as u8
            };
            pixels.extend(match planes.len() {
                1 => [sample(0); 3],
                _ if is_rgb => [sample(0), sample(1), sample(2)],
                _ => rgb_of_ycbcr([sample(0), sample(1), sample(2)]),
            });
        }
    }
    Some(Rgb { width: width as u32, height: height as u32, pixels })
}

/// The means that a scan tells, or one more bit of each.
fn read_scan(bytes: &[u8], frame: &Frame, scan: &Scan, planes: &mut [Plane]) -> Option<()> {
    let tables = Tables::before(bytes, scan.data);
    let mut components = Vec::new();
    for &(id, table, _) in &scan.components {
        let number = frame.components.iter().position(|component| component.id == id)?;
        let table = if scan.refines { None } else { Some(tables.huffman.get(&(0, table))?) };
        components.push((number, table, 0));
    }
    let is_interleaved = components.len() > 1;
    let mut bits = Bits::new(bytes, scan.data);
    let (across, down) = frame.units(scan);
    for unit in 0..across * down {
        if tables.restart > 0 && unit > 0 && unit % tables.restart == 0 {
            bits.restart()?;
            components.iter_mut().for_each(|(.., before)| *before = 0);
        }
        let (column, row) = ((unit % across) as usize, (unit / across) as usize);
        for (number, table, before) in &mut components {
            let component = &frame.components[*number];
            let (wide, high) = match is_interleaved {
                true => (usize::from(component.horizontal), usize::from(component.vertical)),
                false => (1, 1),
            };
            for block in 0..wide * high {
                let (x, y) = (column * wide + block % wide, row * high + block / wide);
                let plane = &mut planes[*number];
                let mean = plane.means.get_mut(y * plane.stride + x)?;
                match table {
                    Some(table) => {
                        let length = table.symbol(&mut bits)?;
                        *before += bits.difference(length.min(15))?;
                        *mean = i16::try_from(*before << scan.lowest_bit).ok()?;
                    }
                    None => *mean |= (bits.bit()? << scan.lowest_bit) as i16,
                }
            }
        }
    }
    Some(())
}

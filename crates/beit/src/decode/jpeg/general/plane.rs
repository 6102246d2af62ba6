//! One component's samples, and its coefficients while further scans may tell more of them.

use super::{idct, smoothing};
use crate::decode::DecodeError;
use crate::decode::jpeg::entropy::Stop;
use crate::decode::jpeg::progress::Progress;
use crate::decode::jpeg::structure::{Component, Frame};

/// How many blocks a plane has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Those that the picture reaches into, across and down.
    pub across: usize,
    pub down: usize,
    /// Blocks from one row to the next.
    pub stride: usize,
    /// Rows of blocks in a group of all components' blocks, and groups down.
    pub vertical: usize,
    pub groups: usize,
}

impl Shape {
    /// The means of the 5 × 5 blocks around the one at column `x` and row `y`. Beyond an edge the block at the edge counts.
    fn means_around(&self, coefficients: &[i16], x: usize, y: usize) -> [[i16; 5]; 5] {
        let columns =
            [x.saturating_sub(2), x.saturating_sub(1), x, x + 1, x + 2].map(|x| x.min(self.across - 1));
        // The rows that only fill up the last group are coded too and count, except for that group's own rows.
        let last_group = (self.groups - 1) * self.vertical;
        let is_in_last = y >= last_group;
        let last = if is_in_last { self.down - 1 } else { self.groups * self.vertical - 1 };
        // libjpeg-turbo takes the one row of the second of two groups for the picture's second row.
        let is_mistaken = is_in_last && self.groups == 2 && self.down == last_group + 1;
        let two_above = if is_mistaken { y - 1 } else { y.saturating_sub(2) };
        [two_above, y.saturating_sub(1), y, (y + 1).min(last), (y + 2).min(last)]
            .map(|y| columns.map(|x| coefficients[(y * self.stride + x) * 64]))
    }
}

pub(super) struct Plane {
    /// Samples that the picture has, across and down.
    pub width: usize,
    pub height: usize,
    /// Samples from one row to the next.
    pub stride: usize,
    /// Row by row, whole blocks of them.
    pub samples: Vec<u16>,
    /// Samples that a block has across, of 8: fewer where the picture is decoded at a reduced size.
    side: usize,
    /// Bits a sample.
    precision: u8,
    /// Those of each block, row by row: all 64, of means alone 1. None where blocks come whole.
    coefficients: Vec<i16>,
    kept: usize,
    /// The quantization steps that held when the component's first scan began.
    pub steps: Option<[u16; 64]>,
    /// All blocks' means are known.
    pub has_means: bool,
    /// Of a progressive frame: what its scans have told.
    pub progress: Progress,
    shape: Shape,
}

impl Plane {
    /// The plane of a component at so many parts of its size: 1, 2, 4 or 8. Of a progressive frame that is reduced, the
    /// means alone are kept, which are an eighth.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn new(frame: &Frame, component: &Component, by: u64) -> Result<Self, DecodeError> {
        let (finest, unit) = (frame.finest(), frame.unit());
        let samples = |length: u16, factor: u8, finest: u8| {
            (u64::from(length) * u64::from(factor)).div_ceil(u64::from(finest)).div_ceil(by)
        };
        let blocks = |length: u16, factor: u8, finest: u8| {
            u64::from(length).div_ceil(unit * u64::from(finest)) * u64::from(factor)
        };
        let width = samples(frame.width, component.horizontal, finest.0);
        let height = samples(frame.height, component.vertical, finest.1);
        let across = blocks(frame.width, component.horizontal, finest.0);
        let down = blocks(frame.height, component.vertical, finest.1);
        let side = unit / by.min(unit);
        let kept = if !frame.is_progressive() {
            0
        } else if by == 1 {
            64
        } else {
            1
        };
        let of_frame = |error: OutOfMemory| error.of(frame);
        let in_picture = |length: u16, factor: u8, finest: u8| {
            (u64::from(length) * u64::from(factor)).div_ceil(unit * u64::from(finest)) as usize
        };
        let shape = Shape {
            across: in_picture(frame.width, component.horizontal, finest.0),
            down: in_picture(frame.height, component.vertical, finest.1),
            stride: across as usize,
            vertical: component.vertical.into(),
            groups: (down / u64::from(component.vertical)) as usize,
        };
        let mut plane = Self {
            width: width as usize,
            height: height as usize,
            stride: usize::try_from(across * side).map_err(|_| OutOfMemory.of(frame))?,
            samples: Vec::new(),
            side: side as usize,
            precision: frame.precision,
            coefficients: zeros(across * down * kept).map_err(of_frame)?,
            kept: kept as usize,
            steps: None,
            has_means: false,
            progress: Progress::default(),
            shape,
        };
        if kept == 0 {
            plane.samples = zeros(across * down * side * side).map_err(of_frame)?;
        }
        Ok(plane)
    }

    /// Has the block at this place changed: of a progressive frame what is known of it, else an empty one, which then
    /// gives its samples.
    #[inline]
    pub fn update(
        &mut self,
        (x, y): (usize, usize),
        change: impl FnOnce(&mut [i16; 64]) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let across = self.stride / self.side;
        let place = (y * across + x) * self.kept;
        match self.kept {
            0 => {
                let mut block = [0; 64];
                change(&mut block)?;
                self.put((x, y), &block);
                Ok(())
            }
            1 => {
                let mean = self.coefficients.get_mut(place).ok_or(Stop::Damaged)?;
                let mut block = [0; 64];
                block[0] = *mean;
                change(&mut block)?;
                *mean = block[0];
                Ok(())
            }
            _ => {
                let block = self.coefficients.get_mut(place..place + 64).ok_or(Stop::Damaged)?;
                change(block.first_chunk_mut().ok_or(Stop::Damaged)?)
            }
        }
    }

    /// The samples of a block.
    fn put(&mut self, (x, y): (usize, usize), block: &[i16; 64]) {
        let Some(steps) = &self.steps else { return };
        let (side, by) = (self.side, 8 / self.side);
        let at = (y * self.stride + x) * side;
        if side == 1 {
            // The mean of all samples, but for those that are out of range.
            let mean = i32::from(block[0]).wrapping_mul(i32::from(steps[0])).wrapping_add(4) >> 3;
            let level = mean.wrapping_add(1 << (self.precision - 1)).clamp(0, (1 << self.precision) - 1);
            if let Some(sample) = self.samples.get_mut(at) {
                *sample = level as u16;
            }
            return;
        }
        let samples = idct::samples(block, steps, self.precision);
        for row in 0..side {
            let Some(out) = self.samples.get_mut(at + row * self.stride..at + row * self.stride + side)
            else {
                return;
            };
            if by == 1 {
                out.copy_from_slice(&samples[8 * row..8 * row + 8]);
                continue;
            }
            for (column, out) in out.iter_mut().enumerate() {
                let of_cell =
                    |at: usize| u32::from(samples[(row * by + at / by) * 8 + column * by + at % by]);
                let cells = (by * by) as u32;
                *out = (((0..by * by).map(of_cell).sum::<u32>() + cells / 2) / cells) as u16;
            }
        }
    }

    /// Gives the samples of all blocks, once no scan is left that tells more of them. Where they are to be smoothed, the
    /// last row of groups is told of which the last scan has something.
    ///
    /// # Errors
    /// Where there is no memory for them.
    pub fn finish(&mut self, frame: &Frame, smoothed: Option<usize>) -> Result<(), DecodeError> {
        if self.kept == 0 {
            return Ok(());
        }
        let coefficients = std::mem::take(&mut self.coefficients);
        let blocks = coefficients.len() / self.kept;
        let samples = blocks as u64 * (self.side * self.side) as u64;
        self.samples = zeros(samples).map_err(|error| error.of(frame))?;
        let shape = self.shape;
        for (number, known) in coefficients.chunks_exact(self.kept).enumerate() {
            let mut block = [0; 64];
            block[..known.len()].copy_from_slice(known);
            let place @ (x, y) = (number % shape.stride, number / shape.stride);
            if let Some(last_row) = smoothed
                && let Some(steps) = &self.steps
                && x < shape.across
                && y < shape.down
            {
                let progress = &self.progress;
                let known = if y / shape.vertical > last_row { &progress.before } else { &progress.now };
                smoothing::estimate(&mut block, &shape.means_around(&coefficients, x, y), steps, known);
            }
            self.put(place, &block);
        }
        Ok(())
    }

    /// A row of the picture's samples; beyond the last one, the last one.
    pub fn row(&self, y: usize) -> &[u16] {
        let begin = y.min(self.height - 1) * self.stride;
        &self.samples[begin..begin + self.width]
    }
}

/// There is no room for a plane.
struct OutOfMemory;

impl OutOfMemory {
    fn of(self, frame: &Frame) -> DecodeError {
        DecodeError::OutOfMemory { width: frame.width.into(), height: frame.height.into() }
    }
}

fn zeros<T: Clone + Default>(count: u64) -> Result<Vec<T>, OutOfMemory> {
    let count = usize::try_from(count).map_err(|_| OutOfMemory)?;
    // Zeros by allocation cost nothing until they are touched, but without memory it ends the program. Ask first.
    Vec::<T>::new().try_reserve_exact(count).map_err(|_| OutOfMemory)?;
    Ok(vec![T::default(); count])
}

//! Activations quantised on the fly: signed 8-bit codes in blocks of 32.
//!
//! One rounding rule for every instruction set, so that codes are equal bit for bit: with `amax` the
//! block's largest magnitude, scale = amax/c and code = round(x · (c/amax)), half to even, where c is the
//! largest code that the weights' format allows ([`WeightFormat::largest_activation`]).
//! A block whose amax is below [`SMALLEST`](crate::float::SMALLEST) is zero; one that holds an infinity or a NaN has
//! codes 0 and scale NaN, so that the product says NaN instead of something plausible.

use crate::kernel_table::{Group, Kernels};
use crate::pack::WeightFormat;
use crate::shape::length;
use crate::threads::{self, Shared};
use crate::{BLOCK, Isa};

/// Activations `[rows, k]` as signed codes with one f32 scale per block of 32 columns, for a product with
/// weights of one format.
///
/// Rows are grouped in tiles of as many rows as the instruction set's GEMM kernel takes at once (the
/// last tile has what is left, h ≤ the full height). In a tile everything lies in the order in
/// which the kernel reads it: codes `[block][step][h][4 bytes]`, scales `[block][h]`, corrections
/// `[block][h]`. A correction is −offset · Σ codes, where the offset is the one that the weights' codes
/// carry, 64 (8-bit) or 8 (4-bit): Σ a·(w + offset) − offset·Σ a = Σ a·w.
///
/// Buffers are kept between calls: quantising does not allocate once they are large enough.
#[derive(Default)]
pub struct QuantizedActivations {
    made_for: Option<(Isa, WeightFormat)>,
    rows: usize,
    k: usize,
    groups: Vec<Group>,
    scales: Vec<f32>,
    /// With 4-bit weights at most 8 · 32 · 127 = 32512, so where the kernel adds in i16 it is one.
    corrections: Vec<i32>,
    /// A row a thread, on its way to codes.
    pub(crate) floats: Vec<f32>,
}

impl QuantizedActivations {
    /// Quantises `x`, `[rows, k]` row-major, for `isa`'s kernels and weights of `format`.
    ///
    /// # Panics
    /// If `k` is no multiple of 32 or `x` isn't `rows · k` long.
    pub fn quantize(&mut self, isa: Isa, format: WeightFormat, x: &[f32], rows: usize, k: usize) {
        assert_eq!(x.len(), length([rows, k]), "activations of {rows} × {k}");
        let codes = self.begin(isa, format, rows, k);
        threads::split_unless(rows * k < 1 << 14, rows, |_, rows| {
            for row in rows {
                // SAFETY: each row is given to one thread.
                unsafe { codes.write(row, 0, &x[row * k..][..k]) };
            }
        });
    }

    /// Allocates for `[rows, k]`. Until every block is [written](Codes::write) it holds what an
    /// earlier use left.
    ///
    /// # Panics
    /// If `k` is no multiple of 32.
    pub(crate) fn begin(&mut self, isa: Isa, format: WeightFormat, rows: usize, k: usize) -> Codes {
        assert_eq!(k % BLOCK, 0, "activations of {rows} × {k}: no multiple of 32");
        let kernels = isa.kernels();
        let blocks = k / BLOCK;
        self.made_for = Some((isa, format));
        (self.rows, self.k) = (rows, k);
        self.groups.resize(length([rows, blocks, kernels.steps()]), 0);
        self.scales.resize(rows * blocks, 0.0);
        self.corrections.resize(rows * blocks, 0);
        Codes {
            kernels,
            format,
            rows,
            blocks,
            groups: Shared::new(&mut self.groups),
            scales: Shared::new(&mut self.scales),
            corrections: Shared::new(&mut self.corrections),
        }
    }

    /// Rows: the tokens of all photos.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: the inner dimension of the product.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The instruction set whose layout the codes are in, and the format of the weights that they meet; none
    /// before the first `quantize`.
    pub(crate) fn made_for(&self) -> Option<(Isa, WeightFormat)> {
        self.made_for
    }

    /// Scale and codes of one block, and the sum of the codes. For tests and tools.
    pub fn block(&self, row: usize, block: usize) -> (f32, [i8; BLOCK], i32) {
        let (isa, format) = self.made_for.expect("quantize comes first");
        let kernels = isa.kernels();
        let first = row / kernels.tile_rows * kernels.tile_rows;
        let height = kernels.tile_rows.min(self.rows - first);
        let at = first * (self.k / BLOCK) + block * height + (row - first);
        let start = (at - row + first) * kernels.steps() + (row - first);
        // A 16-bit code −127…127 is its own low byte, which comes first.
        let codes = std::array::from_fn(|i| {
            let byte = i * kernels.code_bytes;
            self.groups[start + byte / 4 * height].to_le_bytes()[byte % 4] as i8
        });
        let correction = match kernels.adds_in_i16(format) {
            true => i32::from(self.corrections[at] as i16),
            false => self.corrections[at],
        };
        (self.scales[at], codes, correction / -i32::from(format.offset()))
    }

    /// The tile that starts at row `first`, from block `block` on.
    pub(crate) fn tile(&self, kernels: &Kernels, first: usize, height: usize, block: usize) -> TileData<'_> {
        let at = first * (self.k / BLOCK) + block * height;
        TileData {
            groups: &self.groups[at * kernels.steps()..],
            scales: &self.scales[at..],
            corrections: &self.corrections[at..],
        }
    }
}

/// [`QuantizedActivations`] that several threads fill.
#[derive(Clone, Copy)]
pub(crate) struct Codes {
    kernels: &'static Kernels,
    format: WeightFormat,
    rows: usize,
    blocks: usize,
    groups: Shared<Group>,
    scales: Shared<f32>,
    corrections: Shared<i32>,
}

impl Codes {
    /// Quantises `x`, whole blocks, as the blocks `block`… of row `row`.
    ///
    /// # Safety
    /// What [`QuantizedActivations::begin`] was called on is alive and not looked at, and no other thread
    /// writes these blocks of this row.
    pub unsafe fn write(self, row: usize, block: usize, x: &[f32]) {
        let Self { kernels, format, rows, blocks, .. } = self;
        let count = x.len() / BLOCK;
        assert!(row < rows && block + count <= blocks, "row {row}, block {block} of {rows}, {blocks}");
        let first = row / kernels.tile_rows * kernels.tile_rows;
        let height = kernels.tile_rows.min(rows - first);
        // Of the tile's place, of this block's in it, of this row's in that.
        let at = first * blocks + block * height + (row - first);
        let group = (first * blocks + block * height) * kernels.steps() + (row - first);
        // SAFETY: kernels() has checked the instructions. Steps of `height` from there reach this row's
        // places in the tile and no other, `count` blocks of them by the assertion.
        unsafe {
            (kernels.quantize_row)(
                x.as_ptr(),
                count,
                f32::from(format.largest_activation()),
                self.groups.at(group),
                self.scales.at(at),
                self.corrections.at(at),
                height,
            );
            let mask = if kernels.adds_in_i16(format) { 0xffff } else { -1 };
            for i in 0..count {
                let sum = self.corrections.at(at + i * height);
                *sum = (-i32::from(format.offset()) * *sum) & mask;
            }
        }
    }
}

/// A tile of activations: see [`QuantizedActivations`] for the order.
pub(crate) struct TileData<'a> {
    pub groups: &'a [Group],
    pub scales: &'a [f32],
    pub corrections: &'a [i32],
}

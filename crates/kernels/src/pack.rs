//! Weights as the GEMM kernels want them: panels of eight output columns.

use std::sync::{Mutex, PoisonError};

use half::f16;

use crate::BLOCK;
use crate::shape::length;
use crate::threads::{self, Shared};

/// Below this many bytes a second thread takes longer to wake than to help.
const SMALL: usize = 1 << 16;

/// Rows of W, which are columns of the output, in a panel.
pub(crate) const PANEL: usize = 8;

/// How the weights' codes are stored: two of GGUF's block formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WeightFormat {
    /// f16 scale and 32 signed 8-bit codes, of which this crate takes −63…63 only: 34 bytes.
    Q8_0,
    /// f16 scale and 32 codes 0…15, offset 8, two in a byte: 18 bytes.
    Q4_0,
}

impl WeightFormat {
    /// Bytes of a block of 32 weights, before packing and after.
    pub const fn block_bytes(self) -> usize {
        match self {
            WeightFormat::Q8_0 => 2 + BLOCK,
            WeightFormat::Q4_0 => 2 + BLOCK / 2,
        }
    }

    /// The largest magnitude of a code that [`PackedWeights::pack`] takes.
    pub const fn largest_code(self) -> i8 {
        match self {
            WeightFormat::Q8_0 => 63,
            WeightFormat::Q4_0 => 8,
        }
    }

    /// What is added to a signed code to make it an unsigned one of at most seven bits.
    pub(crate) const fn offset(self) -> i8 {
        match self {
            WeightFormat::Q8_0 => 64,
            WeightFormat::Q4_0 => 8,
        }
    }

    /// The largest magnitude of a code of the activations that meet such weights. At most 64 with 8-bit weights:
    /// then four products with the unsigned codes are at most 4 · 127 · 64 = 32512, so that two pairs of them are
    /// added in 16 bits before one widening, a sixth of the work. Beside the rounding of weights of −63…63 it shows
    /// in the fifth decimal of the logits' cosine.
    pub const fn largest_activation(self) -> i8 {
        match self {
            WeightFormat::Q8_0 => 64,
            WeightFormat::Q4_0 => 127,
        }
    }
}

/// Why weights can't be packed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum PackError {
    #[error(
        "weights of {n} × {k}: no dimension may be 0, {k} must be a multiple of 32, and memory must hold them"
    )]
    Shape { n: usize, k: usize },
    #[error("weights of {n} × {k} in {format:?} take {expected} bytes, got {got}")]
    Length { format: WeightFormat, n: usize, k: usize, expected: usize, got: usize },
    #[error(
        "weight code {code} at row {row}, column {column}: 8-bit codes must lie in -63..=63, the \
         range whose products fit in 16 bits"
    )]
    CodeOutOfRange { row: usize, column: usize, code: i8 },
    #[error("weight scale {scale} at row {row}, block {block} is not a finite number")]
    Scale { row: usize, block: usize, scale: f32 },
}

/// Weights `[n, k]`, cut into panels of 8 rows (the last one padded with zeros). Panel after panel,
/// block of 32 columns after block:
///
/// ```text
/// 16 bytes          8 scales, f16, one a row
/// Q8_0: 256 bytes   step 0: row 0 k 0 1 2 3, row 1 k 0 1 2 3, … row 7; step 1: k 4 5 6 7; … step 7
/// Q4_0: 128 bytes   the same, but step 2t in the low and step 2t + 1 in the high nibbles
/// ```
///
/// Codes carry their offset (64 or 8), so all are unsigned numbers below 128: the second operand of
/// the relaxed dot products, and the first of `maddubs`.
#[derive(Clone, Debug)]
pub struct PackedWeights {
    format: WeightFormat,
    n: usize,
    k: usize,
    data: Vec<u8>,
}

impl PackedWeights {
    /// Packs weights `[n, k]` given as GGUF blocks in row-major order, in place: beside `blocks`
    /// only one panel a thread is held.
    pub fn pack(format: WeightFormat, n: usize, k: usize, blocks: Vec<u8>) -> Result<Self, PackError> {
        if n == 0 || k == 0 || !k.is_multiple_of(BLOCK) {
            return Err(PackError::Shape { n, k });
        }
        let too_long = || PackError::Shape { n, k };
        let row_bytes = (k / BLOCK).checked_mul(format.block_bytes()).ok_or_else(too_long)?;
        let expected = n.checked_mul(row_bytes).ok_or_else(too_long)?;
        if blocks.len() != expected {
            return Err(PackError::Length { format, n, k, expected, got: blocks.len() });
        }
        let mut data = blocks;
        let padded = n.checked_next_multiple_of(PANEL).and_then(|rows| rows.checked_mul(row_bytes));
        data.resize(padded.ok_or_else(too_long)?, 0);
        let (panel_bytes, shared) = (PANEL * row_bytes, Shared::new(&mut data));
        // Of each thread the first, with its panel.
        let faults = Mutex::new(Vec::new());
        threads::split_unless(expected < SMALL, n.div_ceil(PANEL), |_, panels| {
            let mut rows = vec![0; panel_bytes];
            for panel in panels {
                // SAFETY: each panel belongs to one thread.
                let packed = unsafe { shared.slice(panel * panel_bytes..(panel + 1) * panel_bytes) };
                rows.copy_from_slice(packed);
                if let Err(fault) = pack_panel(format, &rows, PANEL.min(n - panel * PANEL), packed) {
                    let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                    return faults.push((panel, fault));
                }
            }
        });
        let faults = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
        match faults.into_iter().min_by_key(|(panel, _)| *panel) {
            Some((panel, fault)) => Err(fault.below(panel * PANEL)),
            None => Ok(PackedWeights { format, n, k, data }),
        }
    }

    /// Rows of W: columns of the product.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Columns of W: the length of the dot products.
    pub fn k(&self) -> usize {
        self.k
    }

    /// How the weights were stored.
    pub fn format(&self) -> WeightFormat {
        self.format
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// The weights as numbers, `[n, k]` row-major. For tests and tools: the kernels never need it.
    pub fn dequantize(&self) -> Vec<f32> {
        let mut out = vec![0.0; length([self.n, self.k])];
        for (row, values) in out.chunks_exact_mut(self.k).enumerate() {
            for (block, values) in values.chunks_exact_mut(BLOCK).enumerate() {
                let (scale, codes) = self.block(row, block);
                for (value, code) in values.iter_mut().zip(codes) {
                    *value = scale * f32::from(code);
                }
            }
        }
        out
    }

    /// Scale and signed codes of one block.
    fn block(&self, row: usize, block: usize) -> (f32, [i8; BLOCK]) {
        let packed = &self.panel(row / PANEL)[block * self.panel_block_bytes()..];
        let row = row % PANEL;
        let scale = f16::from_le_bytes([packed[2 * row], packed[2 * row + 1]]).to_f32();
        let codes = std::array::from_fn(|k| {
            let (index, nibble) = code_place(self.format, row, k);
            let byte = packed[2 * PANEL + index];
            let code = match nibble {
                None => byte,
                Some(Nibble::Low) => byte & 15,
                Some(Nibble::High) => byte >> 4,
            };
            code as i8 - self.format.offset()
        });
        (scale, codes)
    }

    pub(crate) fn panels(&self) -> usize {
        self.n.div_ceil(PANEL)
    }

    /// Bytes that one block of columns takes in a panel.
    pub(crate) fn panel_block_bytes(&self) -> usize {
        PANEL * self.format.block_bytes()
    }

    /// The packed bytes of panel `index`.
    pub(crate) fn panel(&self, index: usize) -> &[u8] {
        let bytes = self.k / BLOCK * self.panel_block_bytes();
        &self.data[index * bytes..][..bytes]
    }
}

#[derive(Clone, Copy)]
enum Nibble {
    Low,
    High,
}

/// Where the code of (row of the panel, k of the block) lies behind the scales.
fn code_place(format: WeightFormat, row: usize, k: usize) -> (usize, Option<Nibble>) {
    let (step, lane) = (k / 4, k % 4);
    match format {
        WeightFormat::Q8_0 => ((step * PANEL + row) * 4 + lane, None),
        WeightFormat::Q4_0 => {
            let nibble = if step % 2 == 0 { Nibble::Low } else { Nibble::High };
            (((step / 2) * PANEL + row) * 4 + lane, Some(nibble))
        }
    }
}

/// Packs eight rows of GGUF blocks, of which the first `present` exist and the rest are padding.
fn pack_panel(format: WeightFormat, rows: &[u8], present: usize, packed: &mut [u8]) -> Result<(), PackError> {
    let bytes = format.block_bytes();
    let row_bytes = rows.len() / PANEL;
    for (block, packed) in packed.chunks_exact_mut(PANEL * bytes).enumerate() {
        let (scales, packed_codes) = packed.split_at_mut(2 * PANEL);
        for row in 0..PANEL {
            let source = &rows[row * row_bytes + block * bytes..][..bytes];
            let (scale, codes) = source.split_at(2);
            let value = f16::from_le_bytes([scale[0], scale[1]]).to_f32();
            if !value.is_finite() {
                return Err(PackError::Scale { row, block, scale: value });
            }
            scales[2 * row..2 * row + 2].copy_from_slice(scale);
            // What the step t of this row packs to lies so far behind the first step's.
            let steps = packed_codes[4 * row..].chunks_mut(4 * PANEL).map(|step| &mut step[..4]);
            match format {
                WeightFormat::Q8_0 => {
                    if !pack_q8_0(codes, steps) {
                        let (at, code) = out_of_range(codes);
                        return Err(PackError::CodeOutOfRange { row, column: block * BLOCK + at, code });
                    }
                }
                WeightFormat::Q4_0 if row < present => pack_q4_0(codes, steps),
                // Zeros, as 8-bit padding is.
                WeightFormat::Q4_0 => steps.for_each(|step| step.fill(0x88)),
            }
        }
    }
    Ok(())
}

/// Four codes at a time, each plus 64. Whether all are in range; else what was packed is no good.
fn pack_q8_0<'a>(codes: &[u8], steps: impl Iterator<Item = &'a mut [u8]>) -> bool {
    const HIGHEST: u32 = 0x8080_8080;
    let mut bad = 0;
    for (codes, step) in codes.as_chunks::<4>().0.iter().zip(steps) {
        let codes = u32::from_le_bytes(*codes);
        // From −64 to 63 the two highest bits are equal, and adding 64 is: flip the lower, clear the higher.
        let packed = (codes ^ 0x4040_4040) & !HIGHEST;
        // −64 itself packs to 0, the only byte from which 1 can be taken by a borrow alone.
        bad |= ((codes ^ (codes << 1)) | packed.wrapping_sub(0x0101_0101)) & HIGHEST;
        step.copy_from_slice(&packed.to_le_bytes());
    }
    bad == 0
}

/// The first code outside −63…63, and where.
fn out_of_range(codes: &[u8]) -> (usize, i8) {
    let mut codes = codes.iter().map(|&code| code as i8).enumerate();
    codes.find(|(_, code)| !(-63..=63).contains(code)).unwrap_or_default()
}

/// Two steps at a time, the first in the low nibbles. GGUF: byte j holds code j (low) and code j + 16 (high).
fn pack_q4_0<'a>(codes: &[u8], steps: impl Iterator<Item = &'a mut [u8]>) {
    const LOW: u32 = 0x0f0f_0f0f;
    let four = |at: usize| u32::from_le_bytes([codes[at], codes[at + 1], codes[at + 2], codes[at + 3]]);
    for (pair, step) in steps.enumerate() {
        let (first, second) = (four(pair % 2 * 8), four(pair % 2 * 8 + 4));
        let packed =
            if pair < 2 { (first & LOW) | (second & LOW) << 4 } else { (first >> 4 & LOW) | (second & !LOW) };
        step.copy_from_slice(&packed.to_le_bytes());
    }
}

impl PackError {
    /// The same error with its row counted from the first row of the matrix, `first` rows earlier.
    fn below(self, first: usize) -> Self {
        match self {
            PackError::CodeOutOfRange { row, column, code } => {
                PackError::CodeOutOfRange { row: first + row, column, code }
            }
            PackError::Scale { row, block, scale } => PackError::Scale { row: first + row, block, scale },
            other => other,
        }
    }
}

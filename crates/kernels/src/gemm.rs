//! The quantised matrix product: loops, blocking and threads. The inner tile is each instruction
//! set's own.

use std::mem::MaybeUninit;

use crate::activations::QuantizedActivations;
use crate::isa::Kernels;
use crate::pack::{PANEL, PackedWeights, WeightFormat};
use crate::threads::{self, Shared};
use crate::{BLOCK, Isa};

/// What follows the product and its bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    None,
    /// x · Φ(x), the exact form (by the error function), not the tanh approximation.
    Gelu,
}

/// Columns of W unpacked at a time: with 8 rows they stay in the first-level cache.
const CHUNK_BLOCKS: usize = 32;

/// Rows of activations that share an unpacked panel: a multiple of every tile height, 3 to 8.
const ROWS: usize = 240;

/// Bytes of an unpacked block at most: 8 scales as f32, then 8 × 32 codes as bytes or i16.
const UNPACKED_BLOCK: usize = 4 * PANEL + 2 * PANEL * BLOCK;

/// Unpacks `blocks` blocks of a panel into what the variant's tile kernel reads: per block 8 scales
/// as f32, then the codes.
///
/// # Safety
/// `packed` reaches `blocks` blocks as [`PackedWeights`] describes them, `unpacked` `blocks` times
/// the bytes that the variant writes a block (at most [`UNPACKED_BLOCK`]); `unpacked` is aligned to 64.
pub(crate) type UnpackPanel = unsafe fn(packed: *const u8, blocks: usize, unpacked: *mut u8);

/// Adds the product of a tile of activations and an unpacked panel to `acc`.
///
/// # Safety
/// The pointers of [`TileArgs`] reach as far as it says, and 1 ≤ height ≤ the variant's `tile_rows`.
pub(crate) type Tile = unsafe fn(height: usize, args: TileArgs);

/// Operands of one tile of `height` rows and 8 columns.
#[derive(Clone, Copy)]
pub(crate) struct TileArgs {
    /// `[blocks][height][32]` codes of the variant's size.
    pub codes: *const i8,
    /// `[blocks][height]`
    pub scales: *const f32,
    /// `[blocks][height]`, −8 · Σ codes
    pub corrections: *const i32,
    /// `[blocks]` unpacked blocks
    pub panel: *const u8,
    pub blocks: usize,
    /// `[height][8]`, added to
    pub acc: *mut f32,
}

#[repr(C, align(64))]
struct Scratch {
    panel: [MaybeUninit<u8>; CHUNK_BLOCKS * UNPACKED_BLOCK],
    acc: [f32; ROWS * PANEL],
}

/// out = a · wᵀ + bias, then `activation`; `out` is `[a.rows(), w.n()]` row-major.
///
/// Inside a block of 32 the dot product is an exact integer; blocks are added in f32 in ascending
/// order, beginning from the bias. Panels are shared among rayon's threads.
///
/// # Panics
/// If shapes don't match, or `a` was quantised for another instruction set.
pub fn gemm(
    isa: Isa,
    a: &QuantizedActivations,
    w: &PackedWeights,
    bias: Option<&[f32]>,
    activation: Activation,
    out: &mut [f32],
) {
    assert_eq!(a.k(), w.k(), "activations' and weights' inner dimension");
    assert_eq!(out.len(), a.rows() * w.n(), "output of {} × {}", a.rows(), w.n());
    assert!(bias.is_none_or(|b| b.len() == w.n()), "bias of another length than {}", w.n());
    if a.rows() == 0 {
        return;
    }
    assert_eq!(a.isa(), Some(isa), "activations quantised for other kernels");
    let kernels = isa.kernels();
    let out = Shared::new(out);
    threads::split(w.panels(), |_, panels| {
        let mut scratch = Scratch {
            panel: [MaybeUninit::uninit(); CHUNK_BLOCKS * UNPACKED_BLOCK],
            acc: [0.0; ROWS * PANEL],
        };
        for first in (0..a.rows()).step_by(ROWS) {
            let rows = ROWS.min(a.rows() - first);
            for panel in panels.clone() {
                let acc = &mut scratch.acc[..rows * PANEL];
                start(acc, bias, panel * PANEL);
                accumulate(kernels, a, w, first, panel, acc, &mut scratch.panel);
                if activation == Activation::Gelu {
                    // SAFETY: kernels() has checked the instructions.
                    unsafe { (kernels.gelu)(acc) };
                }
                finish(acc, out, first, panel * PANEL, w.n());
            }
        }
    });
}

/// acc ← bias, the columns from `column` on, in every row.
fn start(acc: &mut [f32], bias: Option<&[f32]>, column: usize) {
    let mut row = [0.0; PANEL];
    for (start, &bias) in row.iter_mut().zip(bias.map_or(&[][..], |b| &b[column..])) {
        *start = bias;
    }
    for acc in acc.chunks_exact_mut(PANEL) {
        acc.copy_from_slice(&row);
    }
}

/// acc `[rows][8]` += rows `first`… of `a` · the panel.
fn accumulate(
    kernels: &Kernels,
    a: &QuantizedActivations,
    w: &PackedWeights,
    first: usize,
    panel: usize,
    acc: &mut [f32],
    unpacked: &mut [MaybeUninit<u8>; CHUNK_BLOCKS * UNPACKED_BLOCK],
) {
    let (unpack, tile) = match w.format() {
        WeightFormat::Q8_0 => (kernels.unpack_q8_0, kernels.tile_q8_0),
        WeightFormat::Q4_0 => (kernels.unpack_q4_0, kernels.tile_q4_0),
    };
    for (chunk, packed) in w.panel(panel).chunks(CHUNK_BLOCKS * w.panel_block_bytes()).enumerate() {
        let blocks = packed.len() / w.panel_block_bytes();
        // SAFETY: `packed` is `blocks` blocks long and `unpacked` has room for CHUNK_BLOCKS of them;
        // it is the first field of a struct aligned to 64.
        unsafe { unpack(packed.as_ptr(), blocks, unpacked.as_mut_ptr().cast()) };
        for (index, acc) in acc.chunks_mut(kernels.tile_rows * PANEL).enumerate() {
            let height = acc.len() / PANEL;
            let at = first + index * kernels.tile_rows;
            let data = a.tile(kernels, at, height, chunk * CHUNK_BLOCKS);
            assert!(data.scales.len() >= blocks * height);
            let args = TileArgs {
                codes: data.codes.as_ptr(),
                scales: data.scales.as_ptr(),
                corrections: data.corrections.as_ptr(),
                panel: unpacked.as_ptr().cast(),
                blocks,
                acc: acc.as_mut_ptr(),
            };
            // SAFETY: the tile has `blocks · height` blocks of codes, scales and corrections by the
            // assertion (the three are of one length), the panel was unpacked above, and `acc` is
            // height × 8 long.
            unsafe { tile(height, args) };
        }
    }
}

/// Copies `acc` to the rows `first`… and the columns `column`… of `out`, which has `n` columns.
fn finish(acc: &[f32], out: Shared<f32>, first: usize, column: usize, n: usize) {
    let columns = PANEL.min(n - column);
    for (row, acc) in acc.chunks_exact(PANEL).enumerate() {
        let at = (first + row) * n + column;
        // SAFETY: no other thread has this panel, so nobody else touches these columns.
        let out = unsafe { out.slice(at..at + columns) };
        out.copy_from_slice(&acc[..columns]);
    }
}

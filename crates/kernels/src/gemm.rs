//! The quantised matrix product: loops, blocking and threads. The inner tile is each instruction
//! set's own.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::activations::{Group, QuantizedActivations};
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

/// Blocks of a panel that are unpacked at a time.
const CHUNK: usize = 32;

/// Rows of activations that share an unpacked chunk: a multiple of every tile height, 3 to 8.
const ROWS: usize = 240;

/// Panels whose chunks are unpacked together, at most.
const GROUP: usize = 4;

/// Bytes of an unpacked block at most: 8 scales as f32, then 8 × 32 codes as bytes or i16.
const UNPACKED_BLOCK: usize = 4 * PANEL + 2 * PANEL * BLOCK;

/// Bytes of unpacked chunks: together with a tile of activations they stay in a first-level cache of
/// 32 KiB, so each tile is read from farther away only once a group.
const UNPACKED: usize = 40 << 10;
const _: () = assert!(UNPACKED >= CHUNK * UNPACKED_BLOCK);

/// Unpacks `blocks` blocks of a panel into what the variant's tile kernel reads: per block 8 scales
/// as f32, then the codes.
///
/// # Safety
/// `packed` reaches `blocks` blocks as [`PackedWeights`] describes them, `unpacked` `blocks` times
/// [`Kernels::unpacked_block`] bytes.
pub(crate) type UnpackPanel = unsafe fn(packed: *const u8, blocks: usize, unpacked: *mut u8);

/// Adds the products of a tile of activations and each panel of a group to `acc`.
///
/// # Safety
/// The pointers of [`TileArgs`] reach as far as it says, and 1 ≤ height ≤ the variant's `tile_rows`.
pub(crate) type Tile = unsafe fn(height: usize, args: TileArgs);

/// Operands of one tile of `height` rows and `panels` times 8 columns.
#[derive(Clone, Copy)]
pub(crate) struct TileArgs {
    /// `[blocks][steps][height]` groups of codes.
    pub groups: *const Group,
    /// `[blocks][height]`
    pub scales: *const f32,
    /// `[blocks][height]`, −offset · Σ codes
    pub corrections: *const i32,
    pub blocks: usize,
    /// `[blocks]` unpacked blocks; the next panel's lie `panel_stride` bytes behind.
    pub panel: *const u8,
    pub panel_stride: usize,
    /// `[height][8]`, added to; the next panel's lie `acc_stride` floats behind.
    pub acc: *mut f32,
    pub acc_stride: usize,
    pub panels: usize,
}

impl TileArgs {
    /// Moves on to the next panel.
    #[inline(always)]
    pub fn next_panel(&mut self) {
        self.panel = self.panel.wrapping_add(self.panel_stride);
        self.acc = self.acc.wrapping_add(self.acc_stride);
    }
}

/// What one thread works in.
#[repr(C, align(64))]
struct Scratch {
    /// Chunks of a group of panels, one behind the other.
    unpacked: [MaybeUninit<u8>; UNPACKED],
    /// `[panel of the group][row][8]`
    acc: [f32; GROUP * ROWS * PANEL],
}

/// out = a · wᵀ + bias, then `activation`; `out` is `[a.rows(), w.n()]` row-major.
///
/// Inside a block of 32 the dot product is an exact integer; blocks are added in f32 in ascending
/// order, beginning from the bias. Panels are shared among threads.
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
    let group = (UNPACKED / (CHUNK * kernels.unpacked_block())).min(GROUP);
    threads::split_by(group, w.panels(), |_, panels| {
        let mut scratch =
            Scratch { unpacked: [MaybeUninit::uninit(); UNPACKED], acc: [0.0; GROUP * ROWS * PANEL] };
        for first in (0..a.rows()).step_by(ROWS) {
            let rows = ROWS.min(a.rows() - first);
            for panel in panels.clone().step_by(group) {
                let group = panel..(panel + group).min(panels.end);
                let acc = &mut scratch.acc[..group.len() * rows * PANEL];
                for (panel, acc) in group.clone().zip(acc.chunks_exact_mut(rows * PANEL)) {
                    start(acc, bias, panel * PANEL);
                }
                accumulate(kernels, a, w, first, group, acc, &mut scratch.unpacked);
                if activation == Activation::Gelu {
                    // SAFETY: kernels() has checked the instructions.
                    unsafe { (kernels.gelu)(acc) };
                }
                for (i, acc) in acc.chunks_exact(rows * PANEL).enumerate() {
                    finish(acc, out, first, (panel + i) * PANEL, w.n());
                }
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

/// acc `[panel][rows][8]` += rows `first`… of `a` · the panels of `group`.
fn accumulate(
    kernels: &Kernels,
    a: &QuantizedActivations,
    w: &PackedWeights,
    first: usize,
    group: Range<usize>,
    acc: &mut [f32],
    unpacked: &mut [MaybeUninit<u8>; UNPACKED],
) {
    let (unpack, tile) = match w.format() {
        WeightFormat::Q8_0 => (kernels.unpack_q8_0, kernels.tile_q8_0),
        WeightFormat::Q4_0 => (kernels.unpack_q4_0, kernels.tile_q4_0),
    };
    let rows = acc.len() / PANEL / group.len();
    let chunk_bytes = CHUNK * kernels.unpacked_block();
    for block in (0..w.k() / BLOCK).step_by(CHUNK) {
        let blocks = CHUNK.min(w.k() / BLOCK - block);
        for (panel, unpacked) in group.clone().zip(unpacked.chunks_exact_mut(chunk_bytes)) {
            let packed = &w.panel(panel)[block * w.panel_block_bytes()..][..blocks * w.panel_block_bytes()];
            // SAFETY: both have the length that UnpackPanel asks for.
            unsafe { unpack(packed.as_ptr(), blocks, unpacked.as_mut_ptr().cast()) };
        }
        for row in (0..rows).step_by(kernels.tile_rows) {
            let height = kernels.tile_rows.min(rows - row);
            let data = a.tile(kernels, w.format(), first + row, height, block);
            assert!(data.scales.len() >= blocks * height);
            let args = TileArgs {
                groups: data.groups.as_ptr(),
                scales: data.scales.as_ptr(),
                corrections: data.corrections.as_ptr(),
                blocks,
                panel: unpacked.as_ptr().cast(),
                panel_stride: chunk_bytes,
                acc: acc[row * PANEL..].as_mut_ptr(),
                acc_stride: rows * PANEL,
                panels: group.len(),
            };
            // SAFETY: the tile has `blocks · height` scales by the assertion, and as many corrections
            // and blocks of groups (the three are of one length); the group's chunks were unpacked
            // above, and `acc` has `rows` ≥ row + height rows of 8 for each of its panels.
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
        copy_row::<PANEL>(acc, out);
    }
}

/// out ← the first values of `acc`, N of them but for a matrix's last panel. Said apart because a copy of a
/// length that the compiler doesn't know is a call, in WebAssembly one out of it: a twelfth of the
/// whole product.
#[inline(always)]
pub(crate) fn copy_row<const N: usize>(acc: &[f32], out: &mut [f32]) {
    match (acc.first_chunk::<N>(), out.first_chunk_mut::<N>()) {
        (Some(acc), Some(out)) => *out = *acc,
        _ => out.copy_from_slice(&acc[..out.len()]),
    }
}

//! The quantised matrix product: loops, blocking and threads. The inner tile is each instruction
//! set's own.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::activations::{Codes, QuantizedActivations};
use crate::kernel_table::{Kernels, TileArgs};
use crate::pack::{PANEL, PackedWeights, WeightFormat};
use crate::rows_cut::{Cut, ROWS};
use crate::shape::length;
use crate::threads::{self, Shared};
use crate::{BLOCK, Isa};

/// What follows the product and its bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The product as it is.
    None,
    /// x · Φ(x), the exact form (by the error function), not the tanh approximation.
    Gelu,
}

/// Where a product goes, and in which form.
pub enum Output<'a> {
    /// `[rows, n]` row-major.
    Values(&'a mut [f32]),
    /// Quantised for the next product, with weights of this format: `n` is a multiple of 32.
    Codes(&'a mut QuantizedActivations, WeightFormat),
    /// `x += gamma ⊙ product`: the residual connection with its layer scale. `x` is `[rows, n]`, `gamma` `[n]`.
    AddScaled {
        /// The residual stream, updated in place.
        x: &'a mut [f32],
        /// The layer scale.
        gamma: &'a [f32],
    },
}

/// [`Output`] as threads share it.
#[derive(Clone, Copy)]
enum OutputPtr<'a> {
    Values(Shared<f32>),
    Codes(Codes),
    AddScaled { x: Shared<f32>, gamma: &'a [f32] },
}

/// Blocks of a panel that are unpacked at a time.
const CHUNK: usize = 32;

/// Panels that are finished together: their columns are one block of the next product's activations.
const GROUP: usize = BLOCK / PANEL;

/// Bytes of an unpacked block at most: 8 scales as f32, then 8 × 32 codes as bytes or i16.
const UNPACKED_BLOCK: usize = 4 * PANEL + 2 * PANEL * BLOCK;

/// Bytes of unpacked chunks: together with a tile of activations they stay in a first-level cache of
/// 32 KiB, so each tile is read from farther away only once a group.
const UNPACKED: usize = 40 << 10;
const _: () = assert!(UNPACKED >= CHUNK * UNPACKED_BLOCK);

/// What one thread works in.
#[repr(C, align(64))]
struct Scratch {
    /// Chunks of a group of panels, one behind the other.
    unpacked: [MaybeUninit<u8>; UNPACKED],
    /// `[panel of the group][row][8]`
    acc: [f32; GROUP * ROWS * PANEL],
}

/// activation(a · wᵀ + bias), `[a.rows(), w.n()]`, to `out`.
///
/// Inside a block of 32 the dot product is an exact integer; blocks are added in f32 in ascending
/// order, beginning from the bias. Panels and parts of the rows are shared among threads.
///
/// # Panics
/// If shapes don't match, or `a` was quantised for another instruction set or other weights.
pub fn gemm(
    isa: Isa,
    a: &QuantizedActivations,
    w: &PackedWeights,
    bias: Option<&[f32]>,
    activation: Activation,
    out: Output,
) {
    assert_eq!(a.k(), w.k(), "activations' and weights' inner dimension");
    assert!(bias.is_none_or(|b| b.len() == w.n()), "bias of another length than {}", w.n());
    let (rows, n) = (a.rows(), w.n());
    let out = match out {
        Output::Values(out) => {
            assert_eq!(out.len(), length([rows, n]), "output of {rows} × {n}");
            OutputPtr::Values(Shared::new(out))
        }
        Output::Codes(out, format) => OutputPtr::Codes(out.begin(isa, format, rows, n)),
        Output::AddScaled { x, gamma } => {
            assert_eq!(x.len(), length([rows, n]), "sum of {rows} × {n}");
            assert_eq!(gamma.len(), n, "factors of {rows} × {n}");
            OutputPtr::AddScaled { x: Shared::new(x), gamma }
        }
    };
    if rows == 0 {
        return;
    }
    assert_eq!(a.made_for(), Some((isa, w.format())), "activations quantised for other kernels or weights");
    let kernels = isa.kernels();
    // Panels whose chunks are unpacked together.
    let together = (UNPACKED / (CHUNK * kernels.unpacked_block())).min(GROUP);
    let cut = Cut::of(rows, kernels.tile_rows, threads::count());
    let groups = w.panels().div_ceil(GROUP);
    threads::split_by(cut.together, cut.parts * groups, |_, items| {
        let mut scratch =
            Scratch { unpacked: [MaybeUninit::uninit(); UNPACKED], acc: [0.0; GROUP * ROWS * PANEL] };
        for (group, range) in cut.pieces(groups, items) {
            let (first, rows) = (range.start, range.len());
            let group = group * GROUP..((group + 1) * GROUP).min(w.panels());
            let acc = &mut scratch.acc[..group.len() * rows * PANEL];
            for (panel, acc) in group.clone().zip(acc.chunks_exact_mut(rows * PANEL)) {
                start(acc, bias, panel * PANEL);
            }
            let parts = acc.chunks_mut(together * rows * PANEL);
            for (panel, acc) in group.clone().step_by(together).zip(parts) {
                let panels = panel..panel + acc.len() / (rows * PANEL);
                accumulate(kernels, a, w, first, panels, acc, &mut scratch.unpacked);
            }
            if activation == Activation::Gelu {
                // SAFETY: kernels() has checked the instructions.
                unsafe { (kernels.gelu)(acc) };
            }
            finish(acc, rows, out, first, group.start * PANEL, n);
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
            let data = a.tile(kernels, first + row, height, block);
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

/// Brings `acc`, `[panel][rows][8]`, to the rows `first`… and the columns `column`… of `out`, which has
/// `n` columns.
fn finish(acc: &[f32], rows: usize, out: OutputPtr, first: usize, column: usize, n: usize) {
    for row in 0..rows {
        let panels = acc[row * PANEL..].chunks(rows * PANEL).map(|acc| &acc[..PANEL]);
        if let OutputPtr::Codes(codes) = out {
            let mut block = [0.0; BLOCK];
            for (to, acc) in block.chunks_exact_mut(PANEL).zip(panels) {
                copy_row::<PANEL>(acc, to);
            }
            // SAFETY: no other thread has these rows of these panels, so nobody else writes this block.
            unsafe { codes.write(first + row, column / BLOCK, &block) };
            continue;
        }
        for (i, acc) in panels.enumerate() {
            let column = column + i * PANEL;
            let range = (first + row) * n + column..(first + row) * n + (column + PANEL).min(n);
            match out {
                OutputPtr::Values(out) => {
                    // SAFETY: no other thread has these rows of this panel, so nobody else touches them.
                    copy_row::<PANEL>(acc, unsafe { out.slice(range) });
                }
                OutputPtr::AddScaled { x, gamma } => {
                    // SAFETY: as above.
                    add_scaled(acc, &gamma[column..], unsafe { x.slice(range) });
                }
                OutputPtr::Codes(_) => {}
            }
        }
    }
}

/// x ← x + gamma ⊙ acc, eight of them but for a matrix's last panel.
#[inline(always)]
fn add_scaled(acc: &[f32], gamma: &[f32], x: &mut [f32]) {
    match (acc.first_chunk::<PANEL>(), gamma.first_chunk::<PANEL>(), x.first_chunk_mut::<PANEL>()) {
        (Some(acc), Some(gamma), Some(x)) => {
            for i in 0..PANEL {
                x[i] += gamma[i] * acc[i];
            }
        }
        _ => x.iter_mut().zip(acc.iter().zip(gamma)).for_each(|(x, (acc, gamma))| *x += gamma * acc),
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

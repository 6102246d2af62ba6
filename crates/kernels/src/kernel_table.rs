//! The table of functions that every instruction set implements, with their types and operands.

use crate::BLOCK;
use crate::pack::{PANEL, WeightFormat};

/// One variant's kernels. Each works on one thread; callers share rows, panels and heads among
/// threads.
///
/// # Safety of the function pointers
/// The machine must have the variant's instructions ([`Isa::kernels`](crate::Isa::kernels) checks it) and pointers must
/// reach as far as each type's documentation says.
pub(crate) struct Kernels {
    /// Rows of activations that a full GEMM tile takes; the codes are laid out for it.
    pub tile_rows: usize,
    /// Bytes of a code in [`crate::QuantizedActivations`]: 1, or 2 where the product wants i16.
    pub code_bytes: usize,
    /// The 4-bit tile kernel adds in i16, two to a lane.
    pub q4_0_in_i16: bool,
    pub quantize_row: QuantizeRow,
    pub unpack_q8_0: UnpackPanel,
    pub unpack_q4_0: UnpackPanel,
    pub tile_q8_0: Tile,
    pub tile_q4_0: Tile,
    /// x ← GELU(x), the exact (erf) form.
    pub gelu: unsafe fn(x: &mut [f32]),
    /// x ← softmax(x) over the whole slice.
    pub softmax_row: unsafe fn(x: &mut [f32]),
    pub layer_norm_row: LayerNormRow,
    /// x ← x + gamma ⊙ y; all slices of one length.
    pub add_scaled_row: unsafe fn(x: &mut [f32], y: &[f32], gamma: &[f32]),
    pub attention_head: AttentionHead,
    pub dense_tile: DenseTile,
}

impl Kernels {
    /// Groups of four bytes of codes in a block, which the GEMM takes one at a step.
    pub fn steps(&self) -> usize {
        BLOCK * self.code_bytes / 4
    }

    /// Whether the tile kernel for such weights adds in i16, and wants its correction as (correction, 0).
    pub fn adds_in_i16(&self, format: WeightFormat) -> bool {
        format == WeightFormat::Q4_0 && self.q4_0_in_i16
    }

    /// Bytes of a panel's unpacked block: 8 scales as f32, then as many bytes a weight as a code of
    /// the activations has.
    pub fn unpacked_block(&self) -> usize {
        PANEL * (4 + BLOCK * self.code_bytes)
    }
}

/// Four bytes of codes: four i8, or two i16, in order of their column.
pub(crate) type Group = u32;

/// Quantises one row of `blocks` blocks to codes of at most `largest`.
///
/// # Safety
/// `x` reaches `blocks · 32` floats. Group g of the row (a block has 8 of them, or 16 if codes are
/// i16) goes to `groups + g · stride`, block b's scale to `scales + b · stride` and the sum of its
/// codes to `sums + b · stride`.
pub(crate) type QuantizeRow = unsafe fn(
    x: *const f32,
    blocks: usize,
    largest: f32,
    groups: *mut Group,
    scales: *mut f32,
    sums: *mut i32,
    stride: usize,
);

/// Unpacks `blocks` blocks of a panel into what the variant's tile kernel reads: per block 8 scales
/// as f32, then the codes.
///
/// # Safety
/// `packed` reaches `blocks` blocks as [`PackedWeights`](crate::PackedWeights) describes them, `unpacked` `blocks` times
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

/// out ← (x − mean)/√(variance + eps) ⊙ weight + bias for one row; all slices of one length.
pub(crate) type LayerNormRow = unsafe fn(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]);

/// One head on one thread.
///
/// # Safety
/// Pointers reach as far as [`HeadArgs`] says.
pub(crate) type AttentionHead = unsafe fn(args: &HeadArgs);

/// Operands of one head, for some or all of its queries. A row of q, k, v follows the one before after `stride`
/// floats, of out after `out_stride`; each row is `width` floats.
pub(crate) struct HeadArgs {
    /// `[queries, width]`
    pub q: *const f32,
    /// `[tokens, width]`
    pub k: *const f32,
    /// `[tokens, width]`
    pub v: *const f32,
    pub stride: usize,
    pub queries: usize,
    pub tokens: usize,
    pub width: usize,
    /// `[queries, tokens]`, or null
    pub bias: *const f32,
    /// `[queries, width]`
    pub out: *mut f32,
    pub out_stride: usize,
    /// [`scratch_floats`](crate::attention_head::scratch_floats) floats
    pub scratch: *mut f32,
}

/// `height` rows of `x` (`k` floats each) times a panel; `acc` is `[height][16]` and is set.
///
/// # Safety
/// 1 ≤ height ≤ 4, and the pointers reach as far as that.
pub(crate) type DenseTile =
    unsafe fn(height: usize, x: *const f32, panel: *const f32, k: usize, acc: *mut f32);

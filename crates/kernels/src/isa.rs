//! Which instructions a kernel uses, and the one place where that choice becomes code.

use crate::BLOCK;
use crate::activations::QuantizeRow;
use crate::attention::AttentionHead;
use crate::dense::DenseTile;
use crate::gemm::{Tile, UnpackPanel};
use crate::pack::{PANEL, WeightFormat};
use crate::rows::LayerNormRow;

/// An instruction set with its own version of every kernel. All give the same integers; floats
/// differ by rounding only (fused multiply-add or not, order of sums).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// The plainest loops: the reference that all others are tested against.
    Scalar,
    /// WebAssembly SIMD: 8-bit codes widened to 16 bits, `i32x4.dot_i16x8`.
    Simd128,
    /// Relaxed SIMD, `i16x8.relaxed_dot_i8x16_i7x16` and one widening: fastest on x86 without VNNI.
    RelaxedPairs,
    /// Relaxed SIMD, `i32x4.relaxed_dot_i8x16_i7x16_add`: one instruction on AVX-VNNI and on Arm
    /// with the dot-product extension.
    RelaxedQuads,
    /// x86-64 with AVX2 and F16C.
    Avx2,
    /// x86-64 with AVX-512 VL and VNNI beside those.
    Avx512Vnni,
}

impl Isa {
    /// Every variant, plainest first.
    pub const ALL: [Isa; 6] =
        [Isa::Scalar, Isa::Simd128, Isa::RelaxedPairs, Isa::RelaxedQuads, Isa::Avx2, Isa::Avx512Vnni];

    /// The variants that are compiled into this program and that this machine can run.
    pub fn available() -> Vec<Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// The variant that is fastest on most machines, without measuring.
    pub fn best() -> Isa {
        [Isa::Avx512Vnni, Isa::Avx2, Isa::RelaxedPairs, Isa::Simd128]
            .into_iter()
            .find(|isa| isa.is_available())
            .unwrap_or(Isa::Scalar)
    }

    /// Whether this variant is compiled in and can run here.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar => true,
            Isa::Simd128 => cfg!(all(target_arch = "wasm32", target_feature = "simd128")),
            Isa::RelaxedPairs | Isa::RelaxedQuads => {
                cfg!(all(target_arch = "wasm32", target_feature = "relaxed-simd"))
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => crate::x86::has_avx2(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => crate::x86::has_avx512_vnni(),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512Vnni => false,
        }
    }

    /// A short name for logs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Simd128 => "simd128",
            Isa::RelaxedPairs => "relaxed-pairs",
            Isa::RelaxedQuads => "relaxed-quads",
            Isa::Avx2 => "avx2",
            Isa::Avx512Vnni => "avx512-vnni",
        }
    }

    /// The kernels of this variant: the crate's only dispatch.
    ///
    /// # Panics
    /// If the variant can't run here (see [`Isa::is_available`]): calling it would be undefined.
    pub(crate) fn kernels(self) -> &'static Kernels {
        assert!(self.is_available(), "the {} kernels can't run on this machine", self.name());
        match self {
            Isa::Scalar => &crate::scalar::KERNELS,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => &crate::simd128::KERNELS,
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Isa::RelaxedPairs => &crate::relaxed::PAIRS,
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Isa::RelaxedQuads => &crate::relaxed::QUADS,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &crate::x86::AVX2,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => &crate::x86::AVX512_VNNI,
            _ => unreachable!("is_available() is false for variants that aren't compiled in"),
        }
    }
}

/// One variant's kernels. Each works on one thread; callers share rows, panels and heads among
/// threads.
///
/// # Safety of the function pointers
/// The machine must have the variant's instructions ([`Isa::kernels`] checks it) and pointers must
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

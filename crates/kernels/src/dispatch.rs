//! From an instruction set to its table of kernels: the only dispatch, at run time.

use crate::Isa;
use crate::kernel_table::Kernels;

impl Isa {
    /// The kernels of this variant.
    ///
    /// # Panics
    /// If the variant can't run here (see [`Isa::is_available`]): calling it would be undefined.
    pub(crate) fn kernels(self) -> &'static Kernels {
        assert!(self.is_available(), "the {} kernels can't run on this machine", self.name());
        match self {
            Isa::Scalar => &crate::scalar::KERNELS,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => &crate::simd128::KERNELS,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128Extmul => &crate::extmul::KERNELS,
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

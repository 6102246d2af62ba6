//! The instruction sets that kernels are written for, and which of them this machine has.

/// An instruction set with its own version of every kernel. All SIMD variants give the same bits: none fuses a
/// multiplication and an addition, and all add in the same order. [`Isa::Scalar`] has the same integers, and floats
/// that differ by rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// The plainest loops: the reference that all others are tested against.
    Scalar,
    /// WebAssembly SIMD: 8-bit codes widened to 16 bits, `i32x4.dot_i16x8`.
    Simd128,
    /// WebAssembly SIMD: `i16x8.extmul` of 8-bit codes, which Arm has an instruction for.
    Simd128Extmul,
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
    pub const ALL: [Isa; 7] = [
        Isa::Scalar,
        Isa::Simd128,
        Isa::Simd128Extmul,
        Isa::RelaxedPairs,
        Isa::RelaxedQuads,
        Isa::Avx2,
        Isa::Avx512Vnni,
    ];

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
            Isa::Simd128 | Isa::Simd128Extmul => {
                cfg!(all(target_arch = "wasm32", target_feature = "simd128"))
            }
            Isa::RelaxedPairs | Isa::RelaxedQuads => {
                cfg!(all(target_arch = "wasm32", target_feature = "relaxed-simd"))
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => has_avx2(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => {
                // The instruction on 256-bit registers, which needs no AVX-512 of full width.
                has_avx2() && is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512Vnni => false,
        }
    }

    /// A short name for logs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Simd128 => "simd128",
            Isa::Simd128Extmul => "simd128-extmul",
            Isa::RelaxedPairs => "relaxed-pairs",
            Isa::RelaxedQuads => "relaxed-quads",
            Isa::Avx2 => "avx2",
            Isa::Avx512Vnni => "avx512-vnni",
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c")
}

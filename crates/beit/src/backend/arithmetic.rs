//! What a GPU computes matrix products in.

/// How a product of activations and weights is computed. Sums are always F32, and so is everything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// Weights dequantised to F32: the network's own answers to rounding, on every GPU.
    #[default]
    F32,
    /// Both factors, and sums of four products, in F16; needs the adapter's `shader-f16`. Activations beyond
    /// 65504 overflow.
    F16,
    /// Activations quantised like the processor's, four products of 8-bit codes an instruction; needs WGSL's
    /// `packed_4x8_integer_dot_product`. Weights that aren't quantised stay with F32.
    Int8,
}

impl Arithmetic {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Int8];

    /// For a person to read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Int8 => "8-bit",
        }
    }
}

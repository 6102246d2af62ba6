//! The WGSL kernels, one file each in `kernels/`. All that differs between the variants of one file are
//! constants and the type of a product's factors, declared in front of it.

use crate::weights::Format;
use beit::backend::Arithmetic;
use std::borrow::Cow;

/// A kernel, with the constants it is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Never of Int8 and F32 weights.
    Linear {
        /// Of the weights.
        format: Format,
        /// Of the factors; sums are F32 or exact.
        arithmetic: Arithmetic,
        /// What a workgroup computes.
        tile: Tile,
    },
    /// Activations to 8-bit codes.
    Quantize,
    /// Over each row.
    LayerNorm {
        /// Sums by operations of subgroups.
        subgroups: bool,
    },
    /// Of all heads.
    Attention,
    /// The residual connection with its layer scale.
    AddScaled,
    /// Also adds the position embedding, where there is one.
    PrependClassToken,
    /// The input of the head, before its norm.
    MeanOfPatches,
}

/// What a kernel binds: its uniform `shape`, then buffers that it reads, then buffers that it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bindings {
    /// Storage buffers that are read only.
    pub read: usize,
    /// Storage buffers that are written.
    pub written: usize,
}

/// How many outputs a workgroup of the matrix product computes: rows, of 64 columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tile {
    /// 128 rows, 8 × 8 outputs a thread: the fewest reads an output.
    Tall,
    /// 64 rows, 8 × 4 outputs a thread.
    Middle,
    /// 32 rows, 8 × 4 outputs a thread: the most workgroups, for products too small to fill a GPU otherwise.
    Low,
}

impl Tile {
    /// Every tile, the largest first.
    pub const ALL: [Self; 3] = [Self::Tall, Self::Middle, Self::Low];

    pub(crate) const fn rows(self) -> u32 {
        match self {
            Self::Tall => 128,
            Self::Middle => 64,
            Self::Low => 32,
        }
    }

    const fn thread_columns(self) -> u32 {
        match self {
            Self::Tall => 8,
            Self::Middle | Self::Low => 4,
        }
    }

    /// The largest tile that leaves `enough` workgroups and isn't half empty.
    pub(crate) fn choose(rows: usize, panels: usize, enough: usize) -> Self {
        let fits = |tile: &Self| {
            let tall = tile.rows() as usize;
            rows > tall / 2 && rows.div_ceil(tall) * panels >= enough
        };
        Self::ALL.into_iter().find(fits).unwrap_or(Self::Low)
    }
}

/// Queries that a workgroup of `attention.wgsl` takes.
pub(crate) const ATTENTION_QUERIES: u32 = 16;
/// The widest head that `attention.wgsl` takes.
pub(crate) const ATTENTION_HEAD_WIDTH: usize = 64;
/// Threads of a workgroup of the kernels with a thread for each four values.
pub(crate) const ELEMENTWISE_THREADS: u32 = 128;
/// Quads that a workgroup of `mean_of_patches.wgsl` takes.
pub(crate) const MEAN_QUADS: u32 = 16;

impl Kernel {
    /// Every kernel in every variant.
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Quantize,
            Self::LayerNorm { subgroups: false },
            Self::LayerNorm { subgroups: true },
            Self::Attention,
            Self::AddScaled,
            Self::PrependClassToken,
            Self::MeanOfPatches,
        ];
        for format in Format::ALL {
            for arithmetic in Arithmetic::ALL {
                if format != Format::F32 || arithmetic != Arithmetic::Int8 {
                    all.extend(Tile::ALL.map(|tile| Self::Linear { format, arithmetic, tile }));
                }
            }
        }
        all
    }

    /// The product with weights in `format`, where products are computed in `arithmetic`.
    pub(crate) const fn product(format: Format, arithmetic: Arithmetic, tile: Tile) -> Self {
        let arithmetic = match (arithmetic, format) {
            (Arithmetic::Int8, Format::F32) => Arithmetic::F32,
            (arithmetic, _) => arithmetic,
        };
        Self::Linear { format, arithmetic, tile }
    }

    /// The name of its file, without extension.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear { arithmetic: Arithmetic::Int8, .. } => "linear_int8",
            Self::Linear { .. } => "linear",
            Self::Quantize => "quantize",
            Self::LayerNorm { subgroups: false } => "layer_norm",
            Self::LayerNorm { subgroups: true } => "layer_norm_subgroups",
            Self::Attention => "attention",
            Self::AddScaled => "add_scaled",
            Self::PrependClassToken => "prepend_class_token",
            Self::MeanOfPatches => "mean_of_patches",
        }
    }

    /// What the kernel binds.
    pub const fn bindings(self) -> Bindings {
        let (read, written) = match self {
            Self::Linear { arithmetic: Arithmetic::Int8, .. } => (5, 1),
            Self::Linear { .. } => (4, 1),
            Self::Quantize => (1, 2),
            Self::LayerNorm { .. } | Self::PrependClassToken => (3, 1),
            Self::Attention | Self::AddScaled => (2, 1),
            Self::MeanOfPatches => (1, 1),
        };
        Bindings { read, written }
    }

    /// Whether this is a product with activations in 8-bit codes.
    pub(crate) const fn is_of_codes(self) -> bool {
        matches!(self, Self::Linear { arithmetic: Arithmetic::Int8, .. })
    }

    /// WGSL with the entry point `main`.
    pub fn source(self) -> Cow<'static, str> {
        match self {
            Self::Linear { format, arithmetic, tile } => {
                let constants = [
                    ("FORMAT", format.number()),
                    ("TILE_ROWS", tile.rows()),
                    ("THREAD_COLUMNS", tile.thread_columns()),
                ];
                let constant = |(name, value)| format!("const {name}: u32 = {value}u;\n");
                let constants: String = constants.map(constant).concat();
                let (head, products) = match arithmetic {
                    Arithmetic::F32 => ("alias Real = f32;\n", include_str!("kernels/linear.wgsl")),
                    Arithmetic::F16 => {
                        ("enable f16;\nalias Real = f16;\n", include_str!("kernels/linear.wgsl"))
                    }
                    Arithmetic::Int8 => ("", include_str!("kernels/linear_int8.wgsl")),
                };
                Cow::Owned([head, &constants, products, include_str!("kernels/linear_common.wgsl")].concat())
            }
            Self::Quantize => Cow::Borrowed(include_str!("kernels/quantize.wgsl")),
            Self::LayerNorm { subgroups: false } => Cow::Borrowed(include_str!("kernels/layer_norm.wgsl")),
            Self::LayerNorm { subgroups: true } => {
                Cow::Borrowed(include_str!("kernels/layer_norm_subgroups.wgsl"))
            }
            Self::Attention => Cow::Borrowed(include_str!("kernels/attention.wgsl")),
            Self::AddScaled => Cow::Borrowed(include_str!("kernels/add_scaled.wgsl")),
            Self::PrependClassToken => Cow::Borrowed(include_str!("kernels/prepend_class_token.wgsl")),
            Self::MeanOfPatches => Cow::Borrowed(include_str!("kernels/mean_of_patches.wgsl")),
        }
    }
}

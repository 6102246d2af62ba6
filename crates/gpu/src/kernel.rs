//! The WGSL kernels, one file each in `kernels/`. All that differs between the variants of one file are
//! constants in front of it.

use crate::weights::Format;
use std::borrow::Cow;

/// A kernel, with the constants it is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    Linear { format: Format, tile: Tile },
    LayerNorm,
    Attention,
    AddScaled,
    PrependClassToken,
    MeanOfPatches,
}

/// Rows of outputs that a workgroup of the matrix product computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tile {
    /// 64: weights are brought to workgroup memory half as often.
    Tall,
    /// 32: more workgroups, for products too small to fill a GPU with tall ones.
    Low,
}

impl Tile {
    pub(crate) const fn rows(self) -> u32 {
        match self {
            Self::Tall => 64,
            Self::Low => 32,
        }
    }
}

/// Workgroups that a large GPU wants at the least.
const ENOUGH_WORKGROUPS: u32 = 160;

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
    pub const ALL: [Self; 11] = {
        const fn linear(format: Format, tile: Tile) -> Kernel {
            Kernel::Linear { format, tile }
        }
        [
            linear(Format::F32, Tile::Tall),
            linear(Format::F32, Tile::Low),
            linear(Format::Q8_0, Tile::Tall),
            linear(Format::Q8_0, Tile::Low),
            linear(Format::Q4_0, Tile::Tall),
            linear(Format::Q4_0, Tile::Low),
            Self::LayerNorm,
            Self::Attention,
            Self::AddScaled,
            Self::PrependClassToken,
            Self::MeanOfPatches,
        ]
    };

    /// The matrix product for weights of `panels` panels and this many rows of activations, and the rows
    /// that a workgroup takes.
    pub(crate) fn linear(format: Format, rows: u32, panels: u32) -> (Self, u32) {
        let tall = rows.div_ceil(Tile::Tall.rows()) * panels;
        let tile = if tall >= ENOUGH_WORKGROUPS { Tile::Tall } else { Tile::Low };
        (Self::Linear { format, tile }, tile.rows())
    }

    /// The name of its file, without extension.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::LayerNorm => "layer_norm",
            Self::Attention => "attention",
            Self::AddScaled => "add_scaled",
            Self::PrependClassToken => "prepend_class_token",
            Self::MeanOfPatches => "mean_of_patches",
        }
    }

    /// WGSL with the entry point `main`.
    pub fn source(self) -> Cow<'static, str> {
        match self {
            Self::Linear { format, tile } => {
                let (format, rows) = (format.number(), tile.rows());
                let constants = format!("const FORMAT: u32 = {format}u;\nconst TILE_ROWS: u32 = {rows}u;\n");
                Cow::Owned(constants + include_str!("kernels/linear.wgsl"))
            }
            Self::LayerNorm => Cow::Borrowed(include_str!("kernels/layer_norm.wgsl")),
            Self::Attention => Cow::Borrowed(include_str!("kernels/attention.wgsl")),
            Self::AddScaled => Cow::Borrowed(include_str!("kernels/add_scaled.wgsl")),
            Self::PrependClassToken => Cow::Borrowed(include_str!("kernels/prepend_class_token.wgsl")),
            Self::MeanOfPatches => Cow::Borrowed(include_str!("kernels/mean_of_patches.wgsl")),
        }
    }
}

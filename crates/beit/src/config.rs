//! What a BEiT network's shape is, read from the weights' metadata.

use crate::preprocess::Preprocessing;

/// Where a network keeps its sense of position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// A table of `(2·grid−1)² + 3` biases per head in every block, added to the attention scores.
    RelativeBias,
    /// One embedding per token, added once after the patch embedding.
    AbsoluteEmbedding,
}

/// The shape of a BEiT image classifier (timm's `Beit` with `global_pool="avg"`).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The model's own name, such as `beitv2_large_patch16_224`.
    pub name: String,
    /// Side of the square input in pixels; a multiple of `patch_size`.
    pub image_size: usize,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Length of a token's vector.
    pub width: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Attention heads; divides `width`.
    pub heads: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Rows of the head.
    pub classes: usize,
    /// How positions enter.
    pub position: Position,
    /// Added to the variance in every layer norm; 1e-6 in timm.
    pub layer_norm_eps: f32,
    /// From a photo to the input.
    pub preprocessing: Preprocessing,
}

impl Config {
    /// Patches along one side.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Patches, without the class token.
    pub fn patches(&self) -> usize {
        self.grid() * self.grid()
    }

    /// Patches and the class token.
    pub fn tokens(&self) -> usize {
        self.patches() + 1
    }

    /// Length of one head's query, key and value.
    pub fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// Multiply-accumulates that one photo takes: 61.6 · 10⁹ for BEiTv2-large.
    pub fn multiply_accumulates(&self) -> u64 {
        let [tokens, patches, width, depth] =
            [self.tokens(), self.patches(), self.width, self.depth].map(|n| n as u64);
        let [patch_values, mlp_width, classes] =
            [3 * self.patch_size * self.patch_size, self.mlp_width, self.classes].map(|n| n as u64);
        let products = 4 * width * width + 2 * width * mlp_width;
        let attention = 2 * tokens * width;
        patches * patch_values * width + depth * tokens * (products + attention) + width * classes
    }

    /// Multiply-accumulates of the first product of one block's MLP.
    pub fn mlp_multiply_accumulates(&self) -> u64 {
        self.tokens() as u64 * self.width as u64 * self.mlp_width as u64
    }

    /// Rows of a block's relative position bias table.
    pub fn relative_positions(&self) -> usize {
        crate::position::relative_positions(self.grid())
    }

    /// BEiTv2-large, 224 px, over ImageNet-1k: 304,430,568 parameters (timm's
    /// `beitv2_large_patch16_224`), preprocessed as it was evaluated.
    pub fn beitv2_large() -> Self {
        Self {
            name: "beitv2_large_patch16_224".into(),
            image_size: 224,
            patch_size: 16,
            width: 1024,
            depth: 24,
            heads: 16,
            mlp_width: 4096,
            classes: 1000,
            position: Position::RelativeBias,
            layer_norm_eps: 1e-6,
            preprocessing: Preprocessing {
                short_side: 256,
                crop: 224,
                mean: [0.485, 0.456, 0.406],
                std: [0.229, 0.224, 0.225],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sees_196_patches() {
        let config = Config::beitv2_large();
        assert_eq!((config.patches(), config.tokens(), config.head_width()), (196, 197, 64));
        assert_eq!(config.relative_positions(), 732);
    }
    /// Above 2³², though `usize` has 32 bits in the page's worker.
    #[test]
    fn multiply_accumulates_of_large() {
        let counts = [224, 384, 512].map(|image_size| {
            let config = Config { image_size, ..Config::beitv2_large() };
            (config.multiply_accumulates(), config.mlp_multiply_accumulates())
        });
        let expected = [
            (61_554_712_576, 197 * (1 << 22)),
            (191_066_300_416, 577 * (1 << 22)),
            (361_986_285_568, 1025 * (1 << 22)),
        ];
        assert_eq!(counts, expected);
    }
}

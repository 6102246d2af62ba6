//! The whole network: [`Pixels`] → logits.

use crate::backend::{Activation, Backend, BackendError, LayerNorm, Linear};
use crate::block::Block;
use crate::config::Config;
use crate::patch::PatchEmbedding;
use crate::preprocess::Pixels;

/// A BEiT image classifier on a device. Built by a [`ModelBuilder`](crate::builder::ModelBuilder).
pub struct Model<B: Backend> {
    pub(crate) config: Config,
    pub(crate) backend: B,
    pub(crate) patch_embedding: PatchEmbedding<B>,
    pub(crate) blocks: Vec<Block<B>>,
    pub(crate) fc_norm: LayerNorm<B>,
    pub(crate) head: Linear<B>,
}

impl<B: Backend> Model<B> {
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// One logit per class.
    ///
    /// # Errors
    /// When the pixels are not of the network's size, or the device fails.
    pub async fn logits(&self, pixels: &Pixels) -> Result<Vec<f32>, BackendError> {
        let tokens = self.tokens(pixels, |_, _| ())?;
        let pooled = self.pooled(&tokens)?;
        let logits = self.backend.linear(&pooled, &self.head, Activation::None)?;
        self.backend.read(&logits).await
    }

    /// The last block's output, `[tokens, width]`; `observe` sees every block's, with its number.
    pub fn tokens(
        &self,
        pixels: &Pixels,
        observe: impl FnMut(usize, &B::Tokens),
    ) -> Result<B::Tokens, BackendError> {
        self.tokens_of(std::slice::from_ref(pixels), observe)
    }

    /// [`Model::tokens`] of several photos, one below the other: `[photos · tokens, width]`.
    pub(crate) fn tokens_of(
        &self,
        photos: &[Pixels],
        mut observe: impl FnMut(usize, &B::Tokens),
    ) -> Result<B::Tokens, BackendError> {
        let expected = self.config.image_size;
        if let Some(got) = photos.iter().map(|pixels| pixels.size).find(|&size| size != expected) {
            return Err(BackendError::Shape { what: "side of the picture", expected, got });
        }
        let mut x = self.patch_embedding.forward(&self.backend, photos)?;
        for (i, block) in self.blocks.iter().enumerate() {
            block.forward(&self.backend, &mut x, self.config.heads)?;
            observe(i, &x);
        }
        Ok(x)
    }

    /// The mean of each photo's patch tokens, normed: `[photos, width]`, the features the head reads.
    pub fn pooled(&self, tokens: &B::Tokens) -> Result<B::Tokens, BackendError> {
        let mean = self.backend.mean_of_patches(tokens)?;
        self.backend.layer_norm(&mean, &self.fc_norm)
    }
}

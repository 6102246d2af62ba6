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
    /// The network's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What it runs on.
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

    /// The features that the head reads, `[width]` ([`Model::pooled`]), and one logit per class.
    ///
    /// # Errors
    /// As for [`Model::logits`].
    pub async fn features_and_logits(&self, pixels: &Pixels) -> Result<(Vec<f32>, Vec<f32>), BackendError> {
        let pooled = self.pooled(&self.tokens(pixels, |_, _| ())?)?;
        let logits = self.backend.linear(&pooled, &self.head, Activation::None)?;
        Ok((self.backend.read(&pooled).await?, self.backend.read(&logits).await?))
    }

    /// Runs every kind of operation on a black photo, of all blocks only a few: what a device makes at first use, such as
    /// memory or compiled code, is there for the first photo.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn warm_up(&self) -> Result<(), BackendError> {
        /// What a browser compiles in the background is ready after one or two.
        const BLOCKS: usize = 3;
        let black = Pixels::zeros(self.config.image_size);
        let mut x = self.patch_embedding.forward(&self.backend, &[black])?;
        for block in self.blocks.iter().take(BLOCKS) {
            block.forward(&self.backend, &mut x, self.config.heads)?;
        }
        let logits = self.backend.linear(&self.pooled(&x)?, &self.head, Activation::None)?;
        self.backend.read(&logits).await.map(drop)
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

    /// Puts a head over other classes, `[classes, width]`, in the place of the one there, which is given back with its
    /// number of classes. The rest of the network stays.
    pub fn replace_head(&mut self, classes: usize, head: Linear<B>) -> (usize, Linear<B>) {
        (std::mem::replace(&mut self.config.classes, classes), std::mem::replace(&mut self.head, head))
    }

    /// The mean of each photo's patch tokens, normed: `[photos, width]`, the features the head reads.
    pub fn pooled(&self, tokens: &B::Tokens) -> Result<B::Tokens, BackendError> {
        let mean = self.backend.mean_of_patches(tokens)?;
        self.backend.layer_norm(&mean, &self.fc_norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Cpu;
    use crate::builder::ModelBuilder;
    use crate::weights::{Tensor, TensorData};
    use kernels::Isa;

    #[test]
    fn another_head_reads_the_same_features_and_the_old_one_comes_back() {
        let (size, width) = (32, 32);
        let config =
            Config { image_size: size, width, depth: 1, heads: 2, mlp_width: 32, ..Config::beitv2_large() };
        let config = Config { classes: 4, ..config };
        let wave = |i: usize| ((i * 37 % 101) as f32 - 50.0) / 200.0;
        let mut builder = ModelBuilder::new(config.clone(), Cpu::new(Isa::best()));
        for spec in config.tensors() {
            let values = (0..spec.shape.iter().product()).map(wave).collect();
            builder.add(Tensor { spec, data: TensorData::Dense(values) }).unwrap();
        }
        let mut model = builder.finish().unwrap();
        let pixels = Pixels { size, values: (0..3 * size * size).map(wave).collect() };
        let logits = |model: &Model<Cpu>| pollster::block_on(model.logits(&pixels)).unwrap();
        let own = logits(&model);
        let features = model.pooled(&model.tokens(&pixels, |_, _| ()).unwrap()).unwrap();
        let weight: Vec<f32> = (0..2 * width).map(|i| wave(i * i)).collect();
        let head = Linear {
            weight: model.backend.matrix(2, width, TensorData::Dense(weight.clone())).unwrap(),
            bias: vec![0.5, -0.5],
        };
        let (classes, old) = model.replace_head(2, head);
        assert_eq!((classes, model.config().classes), (4, 2));
        let expected = weight
            .chunks_exact(width)
            .zip([0.5, -0.5])
            .map(|(row, bias)| row.iter().zip(features.values()).map(|(w, x)| w * x).sum::<f32>() + bias);
        for (got, expected) in logits(&model).iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{got} {expected}");
        }
        model.replace_head(classes, old);
        assert_eq!(logits(&model), own);
        let both = pollster::block_on(model.features_and_logits(&pixels)).unwrap();
        assert_eq!(both, (features.values().to_vec(), own));
    }
}

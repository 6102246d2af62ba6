//! Several photos in one pass: on a GPU, what each would leave idle is used by the others.

use crate::backend::{Activation, Backend, BackendError};
use crate::model::Model;
use crate::preprocess::Pixels;

impl<B: Backend> Model<B> {
    /// One logit per class, of each photo. The same numbers as [`Model::logits`] of each, to rounding.
    ///
    /// # Errors
    /// When some photo's pixels are not of the network's size, or the device fails.
    pub async fn batch_logits(&self, photos: &[Pixels]) -> Result<Vec<Vec<f32>>, BackendError> {
        self.logits_with_progress(photos, |_| ()).await
    }

    /// [`Model::batch_logits`]; `block_done` is called with each block's number. (On a GPU when the block is recorded.)
    ///
    /// # Errors
    /// As for [`Model::batch_logits`].
    pub async fn logits_with_progress(
        &self,
        photos: &[Pixels],
        mut block_done: impl FnMut(usize),
    ) -> Result<Vec<Vec<f32>>, BackendError> {
        if photos.is_empty() {
            return Ok(Vec::new());
        }
        let tokens = self.tokens_of(photos, |block, _| block_done(block))?;
        let pooled = self.pooled(&tokens)?;
        let logits = self.backend.linear(&pooled, &self.head, Activation::None)?;
        let logits = self.backend.read(&logits).await?;
        Ok(logits.chunks_exact(self.config.classes).map(<[f32]>::to_vec).collect())
    }
}

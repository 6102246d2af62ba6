//! One block: attention and MLP, each normed before, scaled and added after.

use crate::backend::{Activation, Backend, BackendError, LayerNorm, Linear};

/// The parts of a block, named as in the checkpoint.
pub struct Block<B: Backend> {
    pub norm1: LayerNorm<B>,
    /// `[3·width, width]`: q ‖ k ‖ v; k's bias is zero.
    pub qkv: Linear<B>,
    /// In networks with relative positions.
    pub position_bias: Option<B::PositionBias>,
    pub proj: Linear<B>,
    pub gamma_1: B::Vector,
    pub norm2: LayerNorm<B>,
    pub fc1: Linear<B>,
    pub fc2: Linear<B>,
    pub gamma_2: B::Vector,
}

impl<B: Backend> Block<B> {
    /// `x += gamma_1 ⊙ attention(norm1(x)); x += gamma_2 ⊙ mlp(norm2(x))`
    /// (timm/models/beit.py, `Block.forward`). `x` is `[tokens, width]`.
    pub fn forward(&self, backend: &B, x: &mut B::Tokens, heads: usize) -> Result<(), BackendError> {
        let attended = self.attention(backend, x, heads)?;
        backend.add_scaled(x, &attended, &self.gamma_1)?;
        let mixed = self.mlp(backend, x)?;
        backend.add_scaled(x, &mixed, &self.gamma_2)
    }

    fn attention(&self, backend: &B, x: &B::Tokens, heads: usize) -> Result<B::Tokens, BackendError> {
        let normed = backend.layer_norm(x, &self.norm1)?;
        let qkv = backend.linear(&normed, &self.qkv, Activation::None)?;
        let attended = backend.attention(&qkv, heads, self.position_bias.as_ref())?;
        backend.linear(&attended, &self.proj, Activation::None)
    }

    fn mlp(&self, backend: &B, x: &B::Tokens) -> Result<B::Tokens, BackendError> {
        let normed = backend.layer_norm(x, &self.norm2)?;
        let hidden = backend.linear(&normed, &self.fc1, Activation::Gelu)?;
        backend.linear(&hidden, &self.fc2, Activation::None)
    }
}

//! One block: attention and MLP, each normed before, scaled and added after.

use crate::backend::{Activation, Backend, BackendError, LayerNorm, Linear};

/// The parts of a block, named as in the checkpoint.
pub struct Block<B: Backend> {
    /// Before attention.
    pub norm1: LayerNorm<B>,
    /// `[3·width, width]`: q ‖ k ‖ v; k's bias is zero.
    pub qkv: Linear<B>,
    /// In networks with relative positions.
    pub position_bias: Option<B::PositionBias>,
    /// `[width, width]`: after attention.
    pub proj: Linear<B>,
    /// The layer scale of attention.
    pub gamma_1: B::Vector,
    /// Before the MLP.
    pub norm2: LayerNorm<B>,
    /// `[mlp_width, width]`, followed by GELU.
    pub fc1: Linear<B>,
    /// `[width, mlp_width]`
    pub fc2: Linear<B>,
    /// The layer scale of the MLP.
    pub gamma_2: B::Vector,
}

impl<B: Backend> Block<B> {
    /// `x += gamma_1 ⊙ attention(norm1(x)); x += gamma_2 ⊙ mlp(norm2(x))`
    /// (timm/models/beit.py, `Block.forward`). `x` is `[tokens, width]`.
    pub fn forward(&self, backend: &B, x: &mut B::Tokens, heads: usize) -> Result<(), BackendError> {
        let attended = self.attended(backend, x, heads)?;
        backend.add_linear(x, &attended, &self.proj, &self.gamma_1)?;
        // Its memory is used again.
        drop(attended);
        let hidden = self.hidden(backend, x)?;
        backend.add_linear(x, &hidden, &self.fc2, &self.gamma_2)
    }

    fn attended(&self, backend: &B, x: &B::Tokens, heads: usize) -> Result<B::Tokens, BackendError> {
        let normed = backend.layer_norm_for(x, &self.norm1, &self.qkv)?;
        let qkv = backend.linear(&normed, &self.qkv, Activation::None)?;
        backend.attention_for(&qkv, heads, self.position_bias.as_ref(), &self.proj)
    }

    fn hidden(&self, backend: &B, x: &B::Tokens) -> Result<B::Tokens, BackendError> {
        let normed = backend.layer_norm_for(x, &self.norm2, &self.fc1)?;
        backend.linear_for(&normed, &self.fc1, Activation::Gelu, &self.fc2)
    }
}

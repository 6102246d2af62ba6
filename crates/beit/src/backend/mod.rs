//! The operations that the network needs of a device.
//!
//! The forward pass ([`crate::model`], [`crate::block`]) is written once against [`Backend`];
//! a backend decides how tensors are stored and which kernels run.

mod agreement;
mod arithmetic;
mod cpu;
mod gpu_backend;
mod times;

pub use agreement::Agreement;
pub use arithmetic::Arithmetic;
pub use cpu::{Cpu, CpuTokens};
pub use gpu_backend::GpuBackend;
pub use times::Stage;

use crate::weights::TensorData;
use thiserror::Error;

/// A device: eleven operations, of which only [`Backend::read`] waits, and fused forms of them, which a device may
/// have more quickly than one operation after the other.
pub trait Backend {
    /// Weights of a linear layer, `[n, k]`, laid out for this device.
    type Matrix;
    /// A small tensor of F32 values.
    type Vector;
    /// Activations `[rows, width]` in F32, of one photo or of several, one below the other.
    type Tokens;
    /// A block's relative position bias.
    type PositionBias;

    /// Lays out the weights `[n, k]` of a linear layer.
    fn matrix(&self, n: usize, k: usize, data: TensorData) -> Result<Self::Matrix, BackendError>;

    /// Stores a small tensor.
    fn vector(&self, values: Vec<f32>) -> Result<Self::Vector, BackendError>;

    /// Stores a block's relative position bias, from the checkpoint's table `[(2·grid − 1)² + 3, heads]` for
    /// `grid`² patches and a class token.
    fn position_bias(
        &self,
        table: Vec<f32>,
        grid: usize,
        heads: usize,
    ) -> Result<Self::PositionBias, BackendError>;

    /// Brings `[photos · rows, width]` values to the device, `rows` of each photo. What is made of them has
    /// as many photos.
    fn upload(
        &self,
        values: &[f32],
        photos: usize,
        rows: usize,
        width: usize,
    ) -> Result<Self::Tokens, BackendError>;

    /// `[class_token; patches] + position`, for each photo: `[1 + patches, width]`.
    fn prepend_class_token(
        &self,
        patches: &Self::Tokens,
        class_token: &Self::Vector,
        position: Option<&Self::Vector>,
    ) -> Result<Self::Tokens, BackendError>;

    /// `(x − mean(x)) / √(var(x) + eps) ⊙ weight + bias`, per row.
    fn layer_norm(&self, x: &Self::Tokens, norm: &LayerNorm<Self>) -> Result<Self::Tokens, BackendError>;

    /// `activation(x·weightᵀ + bias)`: `[rows, k]` → `[rows, n]`.
    fn linear(
        &self,
        x: &Self::Tokens,
        linear: &Linear<Self>,
        activation: Activation,
    ) -> Result<Self::Tokens, BackendError>;

    /// `softmax(q·kᵀ/√head_width + bias)·v` for every head, among the tokens of each photo: `[tokens, 3·width]` (q ‖ k ‖ v) →
    /// `[tokens, width]`.
    fn attention(
        &self,
        qkv: &Self::Tokens,
        heads: usize,
        bias: Option<&Self::PositionBias>,
    ) -> Result<Self::Tokens, BackendError>;

    /// `x += gamma ⊙ y`: the residual connection with its layer scale.
    fn add_scaled(
        &self,
        x: &mut Self::Tokens,
        y: &Self::Tokens,
        gamma: &Self::Vector,
    ) -> Result<(), BackendError>;

    /// The mean of every row but a photo's first: `[photos · tokens, width]` → `[photos, width]`.
    fn mean_of_patches(&self, x: &Self::Tokens) -> Result<Self::Tokens, BackendError>;

    /// [`Backend::layer_norm`] whose result only `reader` reads.
    fn layer_norm_for(
        &self,
        x: &Self::Tokens,
        norm: &LayerNorm<Self>,
        reader: &Linear<Self>,
    ) -> Result<Self::Tokens, BackendError> {
        let _ = reader;
        self.layer_norm(x, norm)
    }

    /// [`Backend::linear`] whose result only `reader` reads.
    fn linear_for(
        &self,
        x: &Self::Tokens,
        linear: &Linear<Self>,
        activation: Activation,
        reader: &Linear<Self>,
    ) -> Result<Self::Tokens, BackendError> {
        let _ = reader;
        self.linear(x, linear, activation)
    }

    /// [`Backend::attention`] whose result only `reader` reads.
    fn attention_for(
        &self,
        qkv: &Self::Tokens,
        heads: usize,
        bias: Option<&Self::PositionBias>,
        reader: &Linear<Self>,
    ) -> Result<Self::Tokens, BackendError> {
        let _ = reader;
        self.attention(qkv, heads, bias)
    }

    /// `x += gamma ⊙ (y·weightᵀ + bias)`: [`Backend::linear`], then [`Backend::add_scaled`].
    fn add_linear(
        &self,
        x: &mut Self::Tokens,
        y: &Self::Tokens,
        linear: &Linear<Self>,
        gamma: &Self::Vector,
    ) -> Result<(), BackendError> {
        self.add_scaled(x, &self.linear(y, linear, Activation::None)?, gamma)
    }

    /// Milliseconds that went to each stage since this was last asked; empty if nobody counts them.
    fn take_times(&self) -> Vec<(Stage, f64)> {
        Vec::new()
    }

    /// Brings activations back, row-major.
    fn read(&self, x: &Self::Tokens) -> impl Future<Output = Result<Vec<f32>, BackendError>>;
}

/// A linear layer's weights and bias on a device.
pub struct Linear<B: Backend + ?Sized> {
    /// `[n, k]`
    pub weight: B::Matrix,
    /// `[n]`
    pub bias: B::Vector,
}

/// A layer norm's weight, bias and eps on a device.
pub struct LayerNorm<B: Backend + ?Sized> {
    /// `[width]`
    pub weight: B::Vector,
    /// `[width]`
    pub bias: B::Vector,
    /// Added to the variance.
    pub eps: f32,
}

pub use kernels::Activation;

/// Why a device could not do its part.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum BackendError {
    #[error("{what}: expected {expected}, got {got}")]
    Shape { what: &'static str, expected: usize, got: usize },
    #[error(transparent)]
    Pack(#[from] kernels::PackError),
    #[error("the device failed: {0}")]
    Device(String),
}

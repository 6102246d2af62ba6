//! The network on the processor, by [`kernels`].

use super::{Activation, Backend, BackendError, LayerNorm, Linear};
use crate::position::relative_positions;
use crate::weights::TensorData;
use kernels::{
    AttentionScratch, DenseWeights, Isa, PackedWeights, PositionBias, QuantizedActivations,
    RelativePositionBias,
};
use std::sync::{Arc, Mutex};

/// A processor and the instructions to use on it.
pub struct Cpu {
    isa: Isa,
    buffers: Arc<Mutex<Buffers>>,
}

/// Memory to use again, so that no photo after the first allocates.
#[derive(Default)]
struct Buffers {
    tokens: Vec<Vec<f32>>,
    quantized: Vec<QuantizedActivations>,
    attention: Vec<AttentionScratch>,
}

impl Cpu {
    pub fn new(isa: Isa) -> Self {
        Self { isa, buffers: Arc::default() }
    }

    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Room for `[rows, width]` values; what it holds is left over from an earlier use.
    fn tokens(&self, photos: usize, rows: usize, width: usize) -> CpuTokens {
        let length = rows * width;
        // Of the same length only: making another one longer would fill it with zeros, every time.
        let kept: Vec<f32> = self.borrow(|b| {
            let at = b.tokens.iter().position(|values| values.len() == length)?;
            Some(b.tokens.swap_remove(at))
        });
        let values = if kept.len() == length { kept } else { vec![0.0; length] };
        CpuTokens { values, photos, rows, width, home: self.buffers.clone() }
    }

    fn borrow<T: Default>(&self, take: impl FnOnce(&mut Buffers) -> Option<T>) -> T {
        self.buffers.lock().ok().and_then(|mut b| take(&mut b)).unwrap_or_default()
    }

    fn give_back(&self, put: impl FnOnce(&mut Buffers)) {
        if let Ok(mut buffers) = self.buffers.lock() {
            put(&mut buffers);
        }
    }
}

/// A linear layer's weights.
pub enum CpuMatrix {
    Dense(DenseWeights),
    Packed(PackedWeights),
}

/// Activations; their memory goes back to the [`Cpu`] they came from.
pub struct CpuTokens {
    values: Vec<f32>,
    photos: usize,
    /// Of all photos.
    rows: usize,
    width: usize,
    home: Arc<Mutex<Buffers>>,
}

impl CpuTokens {
    /// The values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Rows of one photo.
    fn photo_rows(&self) -> usize {
        self.rows / self.photos
    }
}

impl Drop for CpuTokens {
    fn drop(&mut self) {
        if let Ok(mut buffers) = self.home.lock() {
            buffers.tokens.push(std::mem::take(&mut self.values));
        }
    }
}

impl Backend for Cpu {
    type Matrix = CpuMatrix;
    type Vector = Vec<f32>;
    type Tokens = CpuTokens;
    type PositionBias = RelativePositionBias;

    fn matrix(&self, n: usize, k: usize, data: TensorData) -> Result<CpuMatrix, BackendError> {
        Ok(match data {
            TensorData::Dense(values) => {
                expect("weights", n * k, values.len())?;
                CpuMatrix::Dense(DenseWeights::pack(n, k, &values))
            }
            TensorData::Blocks { format, bytes } => {
                CpuMatrix::Packed(PackedWeights::pack(format, n, k, bytes)?)
            }
        })
    }

    fn vector(&self, values: Vec<f32>) -> Result<Vec<f32>, BackendError> {
        Ok(values)
    }

    fn position_bias(
        &self,
        table: Vec<f32>,
        grid: usize,
        heads: usize,
    ) -> Result<RelativePositionBias, BackendError> {
        let got = table.len();
        RelativePositionBias::new(&table, grid, heads).ok_or(BackendError::Shape {
            what: "relative position bias table",
            expected: relative_positions(grid) * heads,
            got,
        })
    }

    fn upload(
        &self,
        values: &[f32],
        photos: usize,
        rows: usize,
        width: usize,
    ) -> Result<CpuTokens, BackendError> {
        if photos == 0 {
            return Err(BackendError::Shape { what: "photos, at least", expected: 1, got: 0 });
        }
        expect("uploaded values", photos * rows * width, values.len())?;
        let mut tokens = self.tokens(photos, photos * rows, width);
        tokens.values.copy_from_slice(values);
        Ok(tokens)
    }

    fn prepend_class_token(
        &self,
        patches: &CpuTokens,
        class_token: &Vec<f32>,
        position: Option<&Vec<f32>>,
    ) -> Result<CpuTokens, BackendError> {
        let (width, photos) = (patches.width, patches.photos);
        expect("class token", width, class_token.len())?;
        let mut tokens = self.tokens(photos, photos + patches.rows, width);
        let of_photo = patches.photo_rows() * width;
        for (tokens, patches) in
            tokens.values.chunks_exact_mut(width + of_photo).zip(patches.values.chunks_exact(of_photo))
        {
            let (first, rest) = tokens.split_at_mut(width);
            first.copy_from_slice(class_token);
            rest.copy_from_slice(patches);
            if let Some(position) = position {
                expect("position embedding", tokens.len(), position.len())?;
                tokens.iter_mut().zip(position).for_each(|(token, position)| *token += position);
            }
        }
        Ok(tokens)
    }

    fn layer_norm(&self, x: &CpuTokens, norm: &LayerNorm<Self>) -> Result<CpuTokens, BackendError> {
        expect("layer norm weight", x.width, norm.weight.len())?;
        let mut out = self.tokens(x.photos, x.rows, x.width);
        kernels::layer_norm(
            self.isa,
            &x.values,
            x.rows,
            x.width,
            &norm.weight,
            &norm.bias,
            norm.eps,
            &mut out.values,
        );
        Ok(out)
    }

    fn linear(
        &self,
        x: &CpuTokens,
        linear: &Linear<Self>,
        activation: Activation,
    ) -> Result<CpuTokens, BackendError> {
        match &linear.weight {
            CpuMatrix::Packed(weight) => {
                expect("linear layer's input", weight.k(), x.width)?;
                let mut out = self.tokens(x.photos, x.rows, weight.n());
                let mut quantized: QuantizedActivations = self.borrow(|b| b.quantized.pop());
                quantized.quantize(self.isa, &x.values, x.rows, x.width);
                kernels::gemm(self.isa, &quantized, weight, Some(&linear.bias), activation, &mut out.values);
                self.give_back(|b| b.quantized.push(quantized));
                Ok(out)
            }
            CpuMatrix::Dense(weight) => {
                expect("linear layer's input", weight.k(), x.width)?;
                let mut out = self.tokens(x.photos, x.rows, weight.n());
                kernels::dense(self.isa, &x.values, weight, Some(&linear.bias), activation, &mut out.values);
                Ok(out)
            }
        }
    }

    fn attention(
        &self,
        qkv: &CpuTokens,
        heads: usize,
        bias: Option<&RelativePositionBias>,
    ) -> Result<CpuTokens, BackendError> {
        let (width, tokens) = (qkv.width / 3, qkv.photo_rows());
        let mut out = self.tokens(qkv.photos, qkv.rows, width);
        let mut scratch: AttentionScratch = self.borrow(|b| b.attention.pop());
        let bias = bias.map(PositionBias::Relative);
        let photos = qkv.values.chunks_exact(tokens * qkv.width);
        for (qkv, out) in photos.zip(out.values.chunks_exact_mut(tokens * width)) {
            kernels::attention(self.isa, qkv, tokens, heads, width / heads, bias, &mut scratch, out);
        }
        self.give_back(|b| b.attention.push(scratch));
        Ok(out)
    }

    fn add_scaled(&self, x: &mut CpuTokens, y: &CpuTokens, gamma: &Vec<f32>) -> Result<(), BackendError> {
        expect("residual", x.values.len(), y.values.len())?;
        expect("layer scale", x.width, gamma.len())?;
        kernels::add_scaled(self.isa, &mut x.values, &y.values, gamma, x.rows, x.width);
        Ok(())
    }

    fn mean_of_patches(&self, x: &CpuTokens) -> Result<CpuTokens, BackendError> {
        let mut means = self.tokens(x.photos, x.photos, x.width);
        means.values.fill(0.0);
        let patches = (x.photo_rows() - 1) as f32;
        let photos = x.values.chunks_exact(x.photo_rows() * x.width);
        for (mean, photo) in means.values.chunks_exact_mut(x.width).zip(photos) {
            for row in photo.chunks_exact(x.width).skip(1) {
                mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            mean.iter_mut().for_each(|sum| *sum /= patches);
        }
        Ok(means)
    }

    async fn read(&self, x: &CpuTokens) -> Result<Vec<f32>, BackendError> {
        Ok(x.values.clone())
    }
}

fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), BackendError> {
    if expected == got { Ok(()) } else { Err(BackendError::Shape { what, expected, got }) }
}

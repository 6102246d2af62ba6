//! The network on the processor, by [`kernels`].

mod tokens;

pub use tokens::CpuTokens;

use super::times::Times;
use super::{Activation, Backend, BackendError, LayerNorm, Linear, Stage};
use crate::position::relative_positions;
use crate::weights::TensorData;
use kernels::{
    AttentionOutput, BLOCK, DenseWeights, Heads, Isa, Output, PackedWeights, PositionBias,
    RelativePositionBias,
};
use tokens::{BufferPool, Values};

/// Columns of a mean that a thread takes at a time.
const COLUMNS: usize = 128;

/// A processor and the instructions to use on it.
pub struct Cpu {
    isa: Isa,
    buffers: BufferPool,
    times: Times,
}

/// A linear layer's weights.
pub enum CpuMatrix {
    Dense(DenseWeights),
    Packed(PackedWeights),
}

impl Cpu {
    /// A processor that measures no times.
    pub fn new(isa: Isa) -> Self {
        Self { isa, buffers: BufferPool::default(), times: Times::default() }
    }

    /// One that measures the time of each stage by `clock`, in milliseconds since any moment.
    pub fn with_clock(isa: Isa, clock: fn() -> f64) -> Self {
        Self { times: Times::with(clock), ..Self::new(isa) }
    }

    /// The instructions in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    fn tokens(&self, values: Values, photos: usize, rows: usize, width: usize) -> CpuTokens {
        CpuTokens { values, photos, rows, width, pool: self.buffers.clone() }
    }

    /// Uninitialised activations: they hold what an earlier use left.
    fn alloc(&self, photos: usize, rows: usize, width: usize) -> CpuTokens {
        self.tokens(Values::Floats(self.buffers.floats(rows * width)), photos, rows, width)
    }

    /// `activation(x·weightᵀ + bias)` of a quantised layer to `out`.
    fn product(
        &self,
        x: &CpuTokens,
        weight: &PackedWeights,
        bias: &[f32],
        activation: Activation,
        out: Output,
    ) -> Result<(), BackendError> {
        expect("linear layer's input", weight.k(), x.width)?;
        expect("linear layer's bias", weight.n(), bias.len())?;
        self.times.of(Stage::Products, || match &x.values {
            Values::Codes(codes) => kernels::gemm(self.isa, codes, weight, Some(bias), activation, out),
            Values::Floats(values) => {
                let mut codes = self.buffers.codes(x.rows, x.width);
                codes.quantize(self.isa, weight.format(), values, x.rows, x.width);
                kernels::gemm(self.isa, &codes, weight, Some(bias), activation, out);
                self.buffers.recycle(Values::Codes(codes));
            }
        });
        Ok(())
    }

    /// Attention to `out`.
    fn attend(
        &self,
        qkv: &CpuTokens,
        heads: usize,
        bias: Option<&RelativePositionBias>,
        out: AttentionOutput,
    ) -> Result<(), BackendError> {
        let values = qkv.floats()?;
        let shape =
            Heads { photos: qkv.photos, tokens: qkv.photo_rows(), heads, head_width: head_width(qkv, heads) };
        self.times.of(Stage::Attention, || {
            let mut scratch = self.buffers.attention();
            kernels::attention(self.isa, values, shape, bias.map(PositionBias::Relative), &mut scratch, out);
            self.buffers.recycle_attention(scratch);
        });
        Ok(())
    }
}

fn head_width(qkv: &CpuTokens, heads: usize) -> usize {
    qkv.width / 3 / heads.max(1)
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
        let mut tokens = self.alloc(photos, photos * rows, width);
        tokens.floats_mut()?.copy_from_slice(values);
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
        let mut all = self.alloc(photos, photos + patches.rows, width);
        let (rows, from) = (patches.photo_rows(), patches.floats()?);
        if let Some(position) = position {
            expect("position embedding", (1 + rows) * width, position.len())?;
        }
        kernels::for_each_chunk(all.floats_mut()?, width, |i, token| {
            let (photo, row) = (i / (1 + rows), i % (1 + rows));
            match row {
                0 => token.copy_from_slice(class_token),
                _ => token.copy_from_slice(&from[(photo * rows + row - 1) * width..][..width]),
            }
            if let Some(position) = position {
                let position = &position[row * width..][..width];
                token.iter_mut().zip(position).for_each(|(token, position)| *token += position);
            }
        });
        Ok(all)
    }

    fn layer_norm(&self, x: &CpuTokens, norm: &LayerNorm<Self>) -> Result<CpuTokens, BackendError> {
        expect("layer norm weight", x.width, norm.weight.len())?;
        expect("layer norm bias", x.width, norm.bias.len())?;
        let (values, mut out) = (x.floats()?, self.alloc(x.photos, x.rows, x.width));
        let (LayerNorm { weight, bias, eps }, to) = (norm, out.floats_mut()?);
        self.times.of(Stage::LayerNorm, || {
            kernels::layer_norm(self.isa, values, x.rows, x.width, weight, bias, *eps, to);
        });
        Ok(out)
    }

    fn layer_norm_for(
        &self,
        x: &CpuTokens,
        norm: &LayerNorm<Self>,
        reader: &Linear<Self>,
    ) -> Result<CpuTokens, BackendError> {
        let CpuMatrix::Packed(weight) = &reader.weight else { return self.layer_norm(x, norm) };
        expect("linear layer's input", weight.k(), x.width)?;
        expect("layer norm weight", x.width, norm.weight.len())?;
        expect("layer norm bias", x.width, norm.bias.len())?;
        let (values, mut codes) = (x.floats()?, self.buffers.codes(x.rows, x.width));
        let (LayerNorm { weight, bias, eps }, format) = (norm, weight.format());
        self.times.of(Stage::LayerNorm, || {
            let (rows, width) = (x.rows, x.width);
            kernels::layer_norm_codes(self.isa, values, rows, width, weight, bias, *eps, format, &mut codes);
        });
        Ok(self.tokens(Values::Codes(codes), x.photos, x.rows, x.width))
    }

    fn linear(
        &self,
        x: &CpuTokens,
        linear: &Linear<Self>,
        activation: Activation,
    ) -> Result<CpuTokens, BackendError> {
        match &linear.weight {
            CpuMatrix::Packed(weight) => {
                let mut out = self.alloc(x.photos, x.rows, weight.n());
                self.product(x, weight, &linear.bias, activation, Output::Values(out.floats_mut()?))?;
                Ok(out)
            }
            CpuMatrix::Dense(weight) => {
                expect("linear layer's input", weight.k(), x.width)?;
                let (values, mut out) = (x.floats()?, self.alloc(x.photos, x.rows, weight.n()));
                let to = out.floats_mut()?;
                self.times.of(Stage::DenseProducts, || {
                    kernels::dense(self.isa, values, weight, Some(&linear.bias), activation, to);
                });
                Ok(out)
            }
        }
    }

    fn linear_for(
        &self,
        x: &CpuTokens,
        linear: &Linear<Self>,
        activation: Activation,
        reader: &Linear<Self>,
    ) -> Result<CpuTokens, BackendError> {
        let (CpuMatrix::Packed(weight), CpuMatrix::Packed(next)) = (&linear.weight, &reader.weight) else {
            return self.linear(x, linear, activation);
        };
        expect("next linear layer's input", next.k(), weight.n())?;
        let mut codes = self.buffers.codes(x.rows, weight.n());
        self.product(x, weight, &linear.bias, activation, Output::Codes(&mut codes, next.format()))?;
        Ok(self.tokens(Values::Codes(codes), x.photos, x.rows, weight.n()))
    }

    fn attention(
        &self,
        qkv: &CpuTokens,
        heads: usize,
        bias: Option<&RelativePositionBias>,
    ) -> Result<CpuTokens, BackendError> {
        let mut out = self.alloc(qkv.photos, qkv.rows, qkv.width / 3);
        self.attend(qkv, heads, bias, AttentionOutput::Values(out.floats_mut()?))?;
        Ok(out)
    }

    fn attention_for(
        &self,
        qkv: &CpuTokens,
        heads: usize,
        bias: Option<&RelativePositionBias>,
        reader: &Linear<Self>,
    ) -> Result<CpuTokens, BackendError> {
        let next = match &reader.weight {
            CpuMatrix::Packed(next) if head_width(qkv, heads).is_multiple_of(BLOCK) => next,
            _ => return self.attention(qkv, heads, bias),
        };
        let width = qkv.width / 3;
        let mut codes = self.buffers.codes(qkv.rows, width);
        self.attend(qkv, heads, bias, AttentionOutput::Codes(&mut codes, next.format()))?;
        Ok(self.tokens(Values::Codes(codes), qkv.photos, qkv.rows, width))
    }

    fn add_scaled(&self, x: &mut CpuTokens, y: &CpuTokens, gamma: &Vec<f32>) -> Result<(), BackendError> {
        expect("residual", x.rows * x.width, y.rows * y.width)?;
        expect("layer scale", x.width, gamma.len())?;
        let (rows, width, y) = (x.rows, x.width, y.floats()?);
        let x = x.floats_mut()?;
        self.times.of(Stage::Rest, || kernels::add_scaled(self.isa, x, y, gamma, rows, width));
        Ok(())
    }

    fn add_linear(
        &self,
        x: &mut CpuTokens,
        y: &CpuTokens,
        linear: &Linear<Self>,
        gamma: &Vec<f32>,
    ) -> Result<(), BackendError> {
        let CpuMatrix::Packed(weight) = &linear.weight else {
            return self.add_scaled(x, &self.linear(y, linear, Activation::None)?, gamma);
        };
        expect("residual's rows", x.rows, y.rows)?;
        expect("residual's width", x.width, weight.n())?;
        expect("layer scale", x.width, gamma.len())?;
        let out = Output::AddScaled { x: x.floats_mut()?, gamma };
        self.product(y, weight, &linear.bias, Activation::None, out)
    }

    fn mean_of_patches(&self, x: &CpuTokens) -> Result<CpuTokens, BackendError> {
        let mut means = self.alloc(x.photos, x.photos, x.width);
        let (values, to) = (x.floats()?, means.floats_mut()?);
        self.times.of(Stage::Rest, || {
            let patches = (x.photo_rows() - 1) as f32;
            let photos = values.chunks_exact(x.photo_rows() * x.width);
            for (mean, photo) in to.chunks_exact_mut(x.width).zip(photos) {
                // A few columns a thread.
                kernels::for_each_chunk(mean, COLUMNS, |i, sums| {
                    sums.fill(0.0);
                    for row in photo.chunks_exact(x.width).skip(1) {
                        let part = &row[i * COLUMNS..][..sums.len()];
                        sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
                    }
                    sums.iter_mut().for_each(|sum| *sum /= patches);
                });
            }
        });
        Ok(means)
    }

    fn take_times(&self) -> Vec<(Stage, f64)> {
        self.times.take()
    }

    async fn read(&self, x: &CpuTokens) -> Result<Vec<f32>, BackendError> {
        Ok(x.floats()?.to_vec())
    }
}

fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), BackendError> {
    if expected == got { Ok(()) } else { Err(BackendError::Shape { what, expected, got }) }
}

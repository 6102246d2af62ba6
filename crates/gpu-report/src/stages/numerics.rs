//! Every kernel in every variant against the processor's scalar reference, then a whole network of a small size.

use super::random::Random;
use super::{Context, HEADS, StageError, TOKENS, WIDTH, checks, request};
use crate::budget::Pace;
use ::kernels::{
    AttentionOutput, AttentionScratch, DenseWeights, Heads, Isa, Output, PackedWeights, PositionBias,
    QuantizedActivations, WeightFormat,
};
use beit::backend::{Activation, Backend, BackendError, LayerNorm, Linear};
use beit::weights::TensorData;
use gpu::{Arithmetic, Format, Gpu, GpuOptions, GpuTokens, Tile, self_check};
use std::time::Instant;

/// Rows, columns and depths of products: on both sides of every tile's edge, and the true size last.
const PRODUCTS: [[usize; 3]; 4] = [[33, 1000, 64], [65, 63, 96], [129, 130, 1056], [TOKENS, WIDTH, WIDTH]];

/// Operations of the small network that [`self_check`] runs, roughly: 197 tokens of 128 values, two blocks.
const NETWORK: f64 = 2e8;

/// Compares them all; what has no time is said.
///
/// # Errors
/// When the GPU fails.
pub fn run(context: &Context) -> Result<(), StageError> {
    let gpu = request()?;
    let mut pace = Pace::default();
    let (small, large) = PRODUCTS.split_at(PRODUCTS.len() - 1);
    for &shape in small {
        for format in Format::ALL {
            products(context, &gpu, shape, format, &mut pace)?;
        }
    }
    others(context, &gpu)?;
    if gpu.has_subgroups() {
        let options = GpuOptions { allow_software: true, no_subgroups: true, ..GpuOptions::default() };
        layer_norm(context, &pollster::block_on(Gpu::request(options))?, " without subgroups")?;
    }
    whole_networks(context, &gpu, &mut pace)?;
    for &shape in large {
        for format in Format::ALL {
            products(context, &gpu, shape, format, &mut pace)?;
        }
    }
    Ok(())
}

/// A product's reference: the weights as they go to the GPU, and the results expected of them.
struct Product {
    x: Vec<f32>,
    bias: Vec<f32>,
    /// As stored.
    bytes: Vec<u8>,
    /// What they stand for.
    values: Vec<f32>,
}

fn products(
    context: &Context,
    gpu: &Gpu,
    [rows, n, k]: [usize; 3],
    format: Format,
    pace: &mut Pace,
) -> Result<(), StageError> {
    let mut random = Random::new(2);
    let quantized = quantized(format);
    let (bytes, values) = match quantized {
        Some(format) => random.blocks(format, n, k),
        None => (Vec::new(), random.floats(n * k).iter().map(|w| w * (3.0 / k as f32).sqrt()).collect()),
    };
    let product = Product { x: random.floats(rows * k), bias: random.floats(n), bytes, values };
    let data = match quantized {
        Some(format) => TensorData::Blocks { format, bytes: product.bytes.clone() },
        None => TensorData::Dense(product.values.clone()),
    };
    let linear = Linear::<Gpu> { weight: gpu.matrix(n, k, data)?, bias: gpu.vector(product.bias.clone())? };
    let x = gpu.upload(&product.x, 1, rows, k)?;
    let operations = 2.0 * (rows * n * k) as f64;
    for activation in [Activation::Gelu, Activation::None] {
        // The true size once.
        if activation == Activation::None && rows == TOKENS {
            continue;
        }
        let mut exact = None;
        for &arithmetic in gpu.offered() {
            if arithmetic == Arithmetic::Int8 && quantized.is_none() {
                continue;
            }
            let shape = format!("product {rows} × {k} × {n}, {format:?} weights in {}", arithmetic.name());
            if !context.has_time_for(3.0 * pace.predict(operations), &shape) {
                continue;
            }
            let expected = match (arithmetic, quantized) {
                (Arithmetic::Int8, Some(format)) => codes(&product, [rows, n, k], format, activation),
                _ => exact.get_or_insert_with(|| dense(&product, [rows, n, k], activation)).clone(),
            };
            gpu.set_arithmetic(arithmetic);
            for tile in Tile::ALL {
                let begun = Instant::now();
                let got = read(gpu, &gpu.product(&x, &linear, activation, tile)?)?;
                let what = format!("{shape}, {tile:?}, {activation:?}");
                (context.emit)(checks::values(what, &got, &expected, checks::tolerance(arithmetic)));
                pace.observe(operations, begun.elapsed().as_secs_f64());
            }
        }
    }
    Ok(())
}

fn quantized(format: Format) -> Option<WeightFormat> {
    match format {
        Format::F32 => None,
        Format::Q8_0 => Some(WeightFormat::Q8_0),
        Format::Q4_0 => Some(WeightFormat::Q4_0),
    }
}

fn dense(product: &Product, [rows, n, k]: [usize; 3], activation: Activation) -> Vec<f32> {
    let weights = DenseWeights::pack(n, k, &product.values);
    let mut expected = vec![f32::NAN; rows * n];
    ::kernels::dense(Isa::Scalar, &product.x, &weights, Some(&product.bias), activation, &mut expected);
    expected
}

fn codes(
    product: &Product,
    [rows, n, k]: [usize; 3],
    format: WeightFormat,
    activation: Activation,
) -> Vec<f32> {
    let mut expected = vec![f32::NAN; rows * n];
    // What was made here has the right length.
    let Ok(weights) = PackedWeights::pack(format, n, k, product.bytes.clone()) else { return expected };
    let mut quantized = QuantizedActivations::default();
    quantized.quantize(Isa::Scalar, format, &product.x, rows, k);
    let out = Output::Values(&mut expected);
    ::kernels::gemm(Isa::Scalar, &quantized, &weights, Some(&product.bias), activation, out);
    expected
}

fn others(context: &Context, gpu: &Gpu) -> Result<(), StageError> {
    layer_norm(context, gpu, "")?;
    attention(context, gpu)?;
    let mut random = Random::new(6);
    let (x, y, gamma) = (random.floats(TOKENS * WIDTH), random.floats(TOKENS * WIDTH), random.floats(WIDTH));
    let mut sum = gpu.upload(&x, 1, TOKENS, WIDTH)?;
    gpu.add_scaled(&mut sum, &gpu.upload(&y, 1, TOKENS, WIDTH)?, &gpu.vector(gamma.clone())?)?;
    let mut expected = x.clone();
    ::kernels::add_scaled(Isa::Scalar, &mut expected, &y, &gamma, TOKENS, WIDTH);
    let got = read(gpu, &sum)?;
    (context.emit)(checks::values("scaled sum".into(), &got, &expected, 1e-6));
    let class = random.floats(WIDTH);
    let patches = gpu.upload(&x[WIDTH..], 1, TOKENS - 1, WIDTH)?;
    let tokens = gpu.prepend_class_token(&patches, &gpu.vector(class.clone())?, None)?;
    let expected = [&class[..], &x[WIDTH..]].concat();
    (context.emit)(checks::values("class token".into(), &read(gpu, &tokens)?, &expected, 0.0));
    let sum = |i: usize| x[WIDTH..].iter().skip(i).step_by(WIDTH).sum::<f32>();
    let expected: Vec<f32> = (0..WIDTH).map(|i| sum(i) / (TOKENS - 1) as f32).collect();
    let got = read(gpu, &gpu.mean_of_patches(&tokens)?)?;
    (context.emit)(checks::values("mean of patches".into(), &got, &expected, 1e-5));
    Ok(())
}

fn layer_norm(context: &Context, gpu: &Gpu, note: &str) -> Result<(), StageError> {
    let mut random = Random::new(3);
    for (rows, width) in [(3, 7), (5, 197), (TOKENS, WIDTH), (3, 511)] {
        // Far from zero, where a careless variance cancels.
        let x: Vec<f32> = random.floats(rows * width).iter().map(|x| 8.0 * x + 50.0).collect();
        let (weight, bias) = (random.floats(width), random.floats(width));
        let norm = LayerNorm::<Gpu> {
            weight: gpu.vector(weight.clone())?,
            bias: gpu.vector(bias.clone())?,
            eps: 1e-6,
        };
        let got = read(gpu, &gpu.layer_norm(&gpu.upload(&x, 1, rows, width)?, &norm)?)?;
        let mut expected = vec![f32::NAN; x.len()];
        ::kernels::layer_norm(Isa::Scalar, &x, rows, width, &weight, &bias, 1e-6, &mut expected);
        (context.emit)(checks::values(format!("layer norm{note}, {rows} × {width}"), &got, &expected, 2e-5));
    }
    Ok(())
}

fn attention(context: &Context, gpu: &Gpu) -> Result<(), StageError> {
    let mut random = Random::new(4);
    for (tokens, heads, width) in [(17, 2, 32), (33, 3, 64), (TOKENS, HEADS, WIDTH / HEADS)] {
        let qkv: Vec<f32> = random.floats(tokens * 3 * heads * width).iter().map(|x| 2.0 * x).collect();
        let bias = random.floats(heads * tokens * tokens);
        let uploaded = gpu.upload(&qkv, 1, tokens, 3 * heads * width)?;
        let got = read(gpu, &gpu.attention(&uploaded, heads, Some(&gpu.vector(bias.clone())?))?)?;
        let mut expected = vec![f32::NAN; tokens * heads * width];
        let shape = Heads { photos: 1, tokens, heads, head_width: width };
        ::kernels::attention(
            Isa::Scalar,
            &qkv,
            shape,
            Some(PositionBias::Dense(&bias)),
            &mut AttentionScratch::default(),
            AttentionOutput::Values(&mut expected),
        );
        let what = format!("attention, {tokens} tokens, {heads} heads of {width}");
        (context.emit)(checks::values(what, &got, &expected, 2e-5));
    }
    Ok(())
}

/// The check that decides in the page whether a GPU is used.
fn whole_networks(context: &Context, gpu: &Gpu, pace: &mut Pace) -> Result<(), StageError> {
    for format in [WeightFormat::Q8_0, WeightFormat::Q4_0] {
        for &arithmetic in gpu.offered() {
            let what = format!("logits of a small network, {format:?} weights in {}", arithmetic.name());
            if !context.has_time_for(pace.predict(NETWORK), &what) {
                continue;
            }
            gpu.set_arithmetic(arithmetic);
            let begun = Instant::now();
            let agreement = pollster::block_on(self_check(gpu, format))?;
            pace.observe(NETWORK, begun.elapsed().as_secs_f64());
            let (worst, cosine) = match arithmetic {
                Arithmetic::F32 => (1e-3, 0.999_999),
                Arithmetic::Int8 => (0.05, 0.9999),
                Arithmetic::F16 => (0.1, 0.9995),
            };
            (context.emit)(checks::logits(what, agreement, worst, cosine));
        }
    }
    gpu.set_arithmetic(Arithmetic::F32);
    Ok(())
}

fn read(gpu: &Gpu, tokens: &GpuTokens) -> Result<Vec<f32>, BackendError> {
    pollster::block_on(gpu.read(tokens))
}

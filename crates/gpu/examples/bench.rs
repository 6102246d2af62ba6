//! Times every kernel at BEiTv2-large's sizes: `cargo run --release -p gpu --example bench -- [PHOTOS]`,
//! where PHOTOS is the size of the batch, 1 if not given.
//!
//! Each number is the best of several runs of many dispatches in one submission.

use beit::backend::{Activation, Backend, BackendError, LayerNorm, Linear};
use beit::weights::TensorData;
use gpu::{Gpu, GpuOptions, GpuTokens, GpuVector};
use kernels::{BLOCK, WeightFormat};
use std::time::Instant;

const TOKENS: usize = 197;
const WIDTH: usize = 1024;
const HEADS: usize = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let photos: usize = std::env::args().nth(1).map_or(Ok(1), |photos| photos.parse())?;
    let options = GpuOptions { allow_software: true, ..GpuOptions::default() };
    let gpu = pollster::block_on(Gpu::request(options))?;
    println!("{} by {}, {photos} photos", gpu.name(), gpu.info().backend);
    for &arithmetic in gpu.offered() {
        gpu.set_arithmetic(arithmetic);
        for format in [WeightFormat::Q8_0, WeightFormat::Q4_0] {
            products(&gpu, photos, format)?;
        }
    }
    others(&gpu, photos)?;
    Ok(())
}

fn products(gpu: &Gpu, photos: usize, format: WeightFormat) -> Result<(), BackendError> {
    for (what, n, k, activation) in [
        ("qkv", 3 * WIDTH, WIDTH, Activation::None),
        ("proj", WIDTH, WIDTH, Activation::None),
        ("fc1", 4 * WIDTH, WIDTH, Activation::Gelu),
        ("fc2", WIDTH, 4 * WIDTH, Activation::None),
    ] {
        product(gpu, photos, what, format, n, k, activation)?;
    }
    Ok(())
}

fn product(
    gpu: &Gpu,
    photos: usize,
    what: &str,
    format: WeightFormat,
    n: usize,
    k: usize,
    activation: Activation,
) -> Result<(), BackendError> {
    let block: Vec<u8> = [0x00, 0x20].into_iter().chain((1..).take(format.block_bytes() - 2)).collect();
    let data = TensorData::Blocks { format, bytes: block.repeat(n * k / BLOCK) };
    let linear = Linear::<Gpu> { weight: gpu.matrix(n, k, data)?, bias: vector(gpu, n)? };
    let rows = photos * TOKENS;
    let x = gpu.upload(&values(rows * k), 1, rows, k)?;
    let seconds = time(gpu, || gpu.linear(&x, &linear, activation))?;
    let arithmetic = gpu.arithmetic().name();
    report(
        &format!("{what} {format:?} in {arithmetic}, {rows} × {k} × {n}"),
        seconds,
        Some(2.0 * (rows * n * k) as f64),
    );
    Ok(())
}

fn others(gpu: &Gpu, photos: usize) -> Result<(), BackendError> {
    let rows = photos * TOKENS;
    let x = gpu.upload(&values(rows * WIDTH), 1, rows, WIDTH)?;
    let norm = LayerNorm::<Gpu> { weight: vector(gpu, WIDTH)?, bias: vector(gpu, WIDTH)?, eps: 1e-6 };
    report(&format!("layer norm {rows} × {WIDTH}"), time(gpu, || gpu.layer_norm(&x, &norm))?, None);
    let gamma = vector(gpu, WIDTH)?;
    let mut sum = gpu.upload(&values(rows * WIDTH), 1, rows, WIDTH)?;
    let seconds = time(gpu, || {
        gpu.add_scaled(&mut sum, &x, &gamma)?;
        gpu.mean_of_patches(&x)
    })?;
    report(&format!("scaled sum and mean {rows} × {WIDTH}"), seconds, None);
    let qkv = gpu.upload(&values(rows * 3 * WIDTH), photos, TOKENS, 3 * WIDTH)?;
    let bias = vector(gpu, HEADS * TOKENS * TOKENS)?;
    let seconds = time(gpu, || gpu.attention(&qkv, HEADS, Some(&bias)))?;
    report("attention", seconds, Some(4.0 * (rows * TOKENS * WIDTH) as f64));
    Ok(())
}

fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i * 31 % 201) as f32 / 100.0 - 1.0).collect()
}

fn vector(gpu: &Gpu, len: usize) -> Result<GpuVector, BackendError> {
    gpu.vector(values(len))
}

/// Seconds of one call, from the best of five runs of as many as take about half a second.
fn time(gpu: &Gpu, mut call: impl FnMut() -> Result<GpuTokens, BackendError>) -> Result<f64, BackendError> {
    let small = gpu.upload(&[0.0; 4], 1, 1, 4)?;
    let mut run = |calls: usize| -> Result<f64, BackendError> {
        pollster::block_on(gpu.read(&small))?;
        let begun = Instant::now();
        for _ in 0..calls {
            call()?;
        }
        pollster::block_on(gpu.read(&small))?;
        Ok(begun.elapsed().as_secs_f64())
    };
    run(1)?;
    let calls = ((0.5 / run(1)?) as usize).clamp(1, 1000);
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        best = best.min(run(calls)?);
    }
    Ok(best / calls as f64)
}

fn report(what: &str, seconds: f64, flop: Option<f64>) {
    let rate = flop.map_or(String::new(), |flop| format!("{:9.1} GFLOP/s", flop / seconds / 1e9));
    println!("{what:44} {:9.3} ms {rate}", seconds * 1e3);
}

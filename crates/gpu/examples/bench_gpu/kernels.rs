//! Every kernel at BEiTv2-large's sizes. Each number is the best of several runs of many dispatches in one submission.

use crate::probes::Peak;
use beit::backend::{Activation, Backend, BackendError, LayerNorm, Linear};
use beit::weights::TensorData;
use gpu::{Gpu, GpuTokens, GpuVector};
use kernels::{BLOCK, WeightFormat};
use std::time::Instant;

const TOKENS: usize = 197;
const WIDTH: usize = 1024;
const HEADS: usize = 16;

/// What limits a kernel, and how much of it there is to do.
enum Work {
    Operations(f64),
    Bytes(f64),
}

pub fn time_all(gpu: &Gpu, photos: usize, peak: &Peak) -> Result<(), BackendError> {
    for &arithmetic in gpu.offered() {
        gpu.set_arithmetic(arithmetic);
        for format in [WeightFormat::Q8_0, WeightFormat::Q4_0] {
            products(gpu, photos, format, peak)?;
        }
    }
    gpu.set_arithmetic(gpu.offered()[0]);
    others(gpu, photos, peak)
}

fn products(gpu: &Gpu, photos: usize, format: WeightFormat, peak: &Peak) -> Result<(), BackendError> {
    for (what, n, k, activation) in [
        ("qkv", 3 * WIDTH, WIDTH, Activation::None),
        ("proj", WIDTH, WIDTH, Activation::None),
        ("fc1", 4 * WIDTH, WIDTH, Activation::Gelu),
        ("fc2", WIDTH, 4 * WIDTH, Activation::None),
    ] {
        product(gpu, photos, what, format, n, k, activation, peak)?;
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
    peak: &Peak,
) -> Result<(), BackendError> {
    let block: Vec<u8> = [0x00, 0x20].into_iter().chain((1..).take(format.block_bytes() - 2)).collect();
    let data = TensorData::Blocks { format, bytes: block.repeat(n * k / BLOCK) };
    let linear = Linear::<Gpu> { weight: gpu.matrix(n, k, data)?, bias: vector(gpu, n)? };
    let rows = photos * TOKENS;
    let x = gpu.upload(&values(rows * k), 1, rows, k)?;
    let seconds = time(gpu, || gpu.linear(&x, &linear, activation))?;
    let arithmetic = gpu.arithmetic();
    let what = format!("{what} {format:?} in {}, {rows} × {k} × {n}", arithmetic.name());
    report(&what, seconds, Work::Operations(2.0 * (rows * n * k) as f64), peak.of(arithmetic));
    Ok(())
}

fn others(gpu: &Gpu, photos: usize, peak: &Peak) -> Result<(), BackendError> {
    let rows = photos * TOKENS;
    let read_and_written = (4 * rows * WIDTH) as f64;
    let x = gpu.upload(&values(rows * WIDTH), photos, TOKENS, WIDTH)?;
    let norm = LayerNorm::<Gpu> { weight: vector(gpu, WIDTH)?, bias: vector(gpu, WIDTH)?, eps: 1e-6 };
    let seconds = time(gpu, || gpu.layer_norm(&x, &norm))?;
    report(
        &format!("layer norm {rows} × {WIDTH}"),
        seconds,
        Work::Bytes(2.0 * read_and_written),
        peak.bandwidth,
    );
    let gamma = vector(gpu, WIDTH)?;
    let mut sum = gpu.upload(&values(rows * WIDTH), photos, TOKENS, WIDTH)?;
    let seconds = time(gpu, || {
        gpu.add_scaled(&mut sum, &x, &gamma)?;
        gpu.mean_of_patches(&x)
    })?;
    let what = format!("scaled sum and mean {rows} × {WIDTH}");
    report(&what, seconds, Work::Bytes(4.0 * read_and_written), peak.bandwidth);
    let qkv = gpu.upload(&values(rows * 3 * WIDTH), photos, TOKENS, 3 * WIDTH)?;
    let bias = vector(gpu, HEADS * TOKENS * TOKENS)?;
    let seconds = time(gpu, || gpu.attention(&qkv, HEADS, Some(&bias)))?;
    let operations = Work::Operations(4.0 * (rows * TOKENS * WIDTH) as f64);
    report(&format!("attention {rows} × {WIDTH}"), seconds, operations, peak.of(gpu.arithmetic()));
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

/// Time, rate, and that as a share of the adapter's measured `peak`.
fn report(what: &str, seconds: f64, work: Work, peak: f64) {
    let (rate, unit) = match work {
        Work::Operations(operations) => (operations / seconds, "GFLOP/s"),
        Work::Bytes(bytes) => (bytes / seconds, "GB/s"),
    };
    let share = 100.0 * rate / peak;
    println!("{what:44} {:9.3} ms {:9.1} {unit:7} {share:5.1} %", seconds * 1e3, rate / 1e9);
}

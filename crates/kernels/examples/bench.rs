//! Times every kernel of every instruction set at BEiTv2-large's sizes.
//!
//! Natively: `cargo run --release -p kernels --example bench`. As WebAssembly it is a module with two
//! imports, `env.now() -> f64` (milliseconds) and `env.print(pointer, length)` (UTF-8), whose export
//! `main` does the same; whoever loads it supplies them.
//!
//! Each number is the best of many short runs on one thread: on a busy machine the others were
//! interrupted.

use kernels::{
    Activation, AttentionScratch, Isa, PackedWeights, QuantizedActivations, WeightFormat, add_scaled,
    attention, gelu, gemm, layer_norm, softmax,
};

const TOKENS: usize = 197;

fn main() {
    for isa in Isa::available() {
        // The reference is slow: fewer runs, smaller products.
        let runs = if isa == Isa::Scalar { 3 } else { 200 };
        for format in [WeightFormat::Q8_0, WeightFormat::Q4_0] {
            for (n, k) in [(64, 1024), (64, 4096)] {
                product(isa, format, n, k, runs);
            }
        }
        float_stages(isa, runs);
    }
}

fn product(isa: Isa, format: WeightFormat, n: usize, k: usize, runs: usize) {
    let code = match format {
        WeightFormat::Q8_0 => |i: usize| (i * 37 % 127) as u8,
        WeightFormat::Q4_0 => |i: usize| (i * 37 % 256) as u8,
    };
    let mut blocks = Vec::new();
    for block in 0..n * k / kernels::BLOCK {
        blocks.extend([0x00, 0x20]); // 2⁻⁷ as f16
        blocks.extend((0..format.block_bytes() - 2).map(|i| match format {
            WeightFormat::Q8_0 => (code(block + i) as i8 - 63) as u8,
            WeightFormat::Q4_0 => code(block + i),
        }));
    }
    let w = PackedWeights::pack(format, n, k, blocks).expect("codes in range");
    let x: Vec<f32> = (0..TOKENS * k).map(|i| (i * 31 % 201) as f32 / 100.0 - 1.0).collect();
    let mut a = QuantizedActivations::default();
    a.quantize(isa, &x, TOKENS, k);
    let mut out = vec![0.0; TOKENS * n];
    let ms = best(runs, || gemm(isa, &a, &w, None, Activation::None, &mut out));
    let gops = 2.0 * (TOKENS * n * k) as f64 / ms / 1e6;
    print(&format!("{:14} {format:?} {TOKENS} × {k} × {n}: {gops:6.1} GOP/s", isa.name()));
}

fn float_stages(isa: Isa, runs: usize) {
    let x: Vec<f32> = (0..TOKENS * 4096).map(|i| (i * 31 % 2001) as f32 / 200.0 - 5.0).collect();
    let mut a = QuantizedActivations::default();
    let mut y = x.clone();
    let report = |what: &str, count: usize, ms: f64| {
        print(&format!("{:14} {what}: {:.3} ms a layer", isa.name(), ms * count as f64));
    };
    let row = &x[..16 * 1024];
    report("quantize 197 × 9216", 197 * 9216 / row.len(), best(runs, || a.quantize(isa, row, 16, 1024)));
    report("GELU 197 × 4096", 197 / 4, best(runs, || gelu(isa, &mut y[..4 * 4096])));
    y.copy_from_slice(&x);
    report("softmax 16 × 197 × 197", 16, best(runs, || softmax(isa, &mut y[..197 * 197], 197)));
    let (ones, mut out) = (vec![1.0; 1024], vec![0.0; 16 * 1024]);
    report(
        "layer norm 2 × 197 × 1024",
        2 * 197 / 16,
        best(runs, || layer_norm(isa, row, 16, 1024, &ones, &ones, 1e-6, &mut out)),
    );
    report(
        "scaled sum 2 × 197 × 1024",
        2 * 197 / 16,
        best(runs, || add_scaled(isa, &mut out, row, &ones, 16, 1024)),
    );
    let mut scratch = AttentionScratch::default();
    let mut out = vec![0.0; TOKENS * 64];
    let qkv = &x[..TOKENS * 3 * 64];
    let bias = &x[..TOKENS * TOKENS];
    let ms = best(runs, || attention(isa, qkv, TOKENS, 1, 64, Some(bias), &mut scratch, &mut out));
    report("attention 16 heads", 16, ms);
}

/// Milliseconds of the quickest of `runs` calls.
fn best(runs: usize, mut call: impl FnMut()) -> f64 {
    (0..runs + 2)
        .map(|_| {
            let start = now();
            call();
            now() - start
        })
        .fold(f64::INFINITY, f64::min)
}

#[cfg(not(target_arch = "wasm32"))]
fn print(line: &str) {
    println!("{line}");
}

#[cfg(not(target_arch = "wasm32"))]
fn now() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1e3
}

#[cfg(target_arch = "wasm32")]
mod imports {
    unsafe extern "C" {
        pub safe fn now() -> f64;
        pub fn print(start: *const u8, len: usize);
    }
}

#[cfg(target_arch = "wasm32")]
use imports::now;

#[cfg(target_arch = "wasm32")]
fn print(line: &str) {
    // SAFETY: the string is alive during the call.
    unsafe { imports::print(line.as_ptr(), line.len()) };
}

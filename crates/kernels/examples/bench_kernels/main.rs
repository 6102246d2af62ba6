//! Times every kernel of every instruction set at BEiTv2-large's sizes.
//!
//! Natively: `cargo run --release -p kernels --example bench_kernels`. As WebAssembly it is a module with two
//! imports, `env.now() -> f64` (milliseconds) and `env.print(pointer, length)` (UTF-8), whose export
//! `main` does the same; whoever loads it supplies them.
//!
//! A product's rate is told beside the reference's and beside what its instructions could do at most
//! ([`peak`]); its values must be the reference's, bit for bit: by the time they are looked at, a browser's best compiler
//! has made them. Each number is the best of many short runs: on a busy machine the others were interrupted. In
//! WebAssembly without threads that is one thread; natively RAYON_NUM_THREADS says how many.

mod peak;

use kernels::{
    Activation, AttentionOutput, AttentionScratch, Heads, Isa, Output, PackedWeights, PositionBias,
    QuantizedActivations, WeightFormat, add_scaled, attention, gelu, gemm, layer_norm, softmax,
};

const TOKENS: usize = 197;
const FORMATS: [WeightFormat; 2] = [WeightFormat::Q8_0, WeightFormat::Q4_0];

/// Weights of so many rows and columns, and how many of them are taken in turns.
#[derive(Clone, Copy)]
struct Shape {
    n: usize,
    k: usize,
    matrices: usize,
}

/// The last is a network's case: weights that are in no cache.
const SHAPES: [Shape; 3] = [
    Shape { n: 64, k: 1024, matrices: 1 },
    Shape { n: 64, k: 4096, matrices: 1 },
    Shape { n: 1024, k: 1024, matrices: 96 },
];

fn main() {
    let reference = FORMATS.map(|format| SHAPES.map(|shape| product(Isa::Scalar, format, shape, 3)));
    for isa in Isa::available() {
        // The reference is slow.
        let runs = if isa == Isa::Scalar { 3 } else { 200 };
        for (format, reference) in FORMATS.into_iter().zip(&reference) {
            let peak = peak::peak(isa, format, &mut |work| best(runs, work));
            for (shape, (reference, expected)) in SHAPES.into_iter().zip(reference) {
                let (rate, values) = match isa {
                    Isa::Scalar => (*reference, expected.clone()),
                    _ => product(isa, format, shape, runs),
                };
                assert!(values == *expected, "{}: other values than the reference's", isa.name());
                let of_peak = peak.map_or(String::new(), |peak| {
                    format!(", {:.0} % of its instructions' {peak:.0}", 100.0 * rate / peak)
                });
                let Shape { n, k, matrices } = shape;
                let which = if matrices > 1 { format!(" of {matrices} matrices") } else { String::new() };
                print(&format!(
                    "{:14} {format:?} {TOKENS} × {k} × {n}{which}: {rate:6.1} GOP/s, {:.0} × scalar{of_peak}",
                    isa.name(),
                    rate / reference
                ));
            }
        }
        float_stages(isa, runs);
    }
}

/// GOP/s of a product, and its values.
fn product(isa: Isa, format: WeightFormat, shape: Shape, runs: usize) -> (f64, Vec<f32>) {
    let Shape { n, k, matrices } = shape;
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
    let pack = |blocks| PackedWeights::pack(format, n, k, blocks).expect("codes in range");
    let weights: Vec<_> = (0..matrices).map(|_| pack(blocks.clone())).collect();
    let mut turns = weights.iter().cycle();
    let x: Vec<f32> = (0..TOKENS * k).map(|i| (i * 31 % 201) as f32 / 100.0 - 1.0).collect();
    let mut a = QuantizedActivations::default();
    a.quantize(isa, format, &x, TOKENS, k);
    let mut out = vec![0.0; TOKENS * n];
    let ms = best(runs, || {
        let w = turns.next().expect("one at least");
        gemm(isa, &a, w, None, Activation::None, Output::Values(&mut out));
    });
    (2.0 * (TOKENS * n * k) as f64 / ms / 1e6, out)
}

/// The stages between the products, each as often as a layer has it.
fn float_stages(isa: Isa, runs: usize) {
    let (rows, width) = (16, 1024);
    let x: Vec<f32> = (0..TOKENS * 3 * 64).map(|i| (i * 31 % 2001) as f32 / 200.0 - 5.0).collect();
    let part = &x[..rows * width];
    let (ones, mut out, mut y) = (vec![1.0; width], vec![0.0; rows * width], x.clone());
    let mut a = QuantizedActivations::default();
    let mut scratch = AttentionScratch::default();
    let (mut head, bias) = (vec![0.0; TOKENS * 64], vec![0.5; TOKENS * TOKENS]);
    let report = |what: &str, values: usize, measured: usize, ms: f64| {
        let ms = ms * values as f64 / measured as f64;
        print(&format!("{:14} {what}: {ms:.3} ms a layer", isa.name()));
    };
    // Ten times a run: a browser's clock is coarse.
    let time = |call: &mut dyn FnMut()| best(runs, || (0..10).for_each(|_| call())) / 10.0;

    let ms = time(&mut || a.quantize(isa, WeightFormat::Q8_0, part, rows, width));
    report("quantize 197 × 7168", TOKENS * 7168, rows * width, ms);
    let ms = time(&mut || gelu(isa, &mut y[..rows * width]));
    report("GELU 197 × 4096", TOKENS * 4096, rows * width, ms);
    y.copy_from_slice(&x);
    let ms = time(&mut || softmax(isa, &mut y[..TOKENS * 64], 64));
    report("softmax 16 × 197 × 197", 16 * TOKENS * TOKENS, TOKENS * 64, ms);
    let ms = time(&mut || layer_norm(isa, part, rows, width, &ones, &ones, 1e-6, &mut out));
    report("layer norm 2 × 197 × 1024", 2 * TOKENS * width, rows * width, ms);
    let ms = time(&mut || add_scaled(isa, &mut out, part, &ones, rows, width));
    report("scaled sum 2 × 197 × 1024", 2 * TOKENS * width, rows * width, ms);
    let shape = Heads { photos: 1, tokens: TOKENS, heads: 1, head_width: 64 };
    let bias = Some(PositionBias::Dense(&bias));
    let ms = best(runs, || attention(isa, &x, shape, bias, &mut scratch, AttentionOutput::Values(&mut head)));
    report("attention 16 heads", 16, 1, ms);
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

//! How long a photo takes on each device, measured before one is chosen.

use crate::port;
use ::engine::device_selection::photo_ms_on_cpu;
use beit::backend::BackendError;
use beit::config::Config;
use beit::model::Model;
use beit::preprocess::Pixels;
use gpu::{Agreement, Arithmetic, Gpu};
use kernels::{Activation, BLOCK, Isa, Output, PackedWeights, QuantizedActivations, WeightFormat, gemm};

/// Products to time; a browser compiles a function well only after it has run for a while.
const TRIES: usize = 6;

/// In a network of larger activations than the one it was checked with, F16 may overflow or drift.
const LEAST_COSINE: f64 = 0.999;

/// A photo that shades from one corner to the other, for `config`.
fn gradient(config: &Config) -> Pixels {
    let size = config.image_size;
    let value = |i: usize| (i / size % size + i % size) as f32 / size as f32 - 1.0;
    Pixels { size, values: (0..3 * size * size).map(value).collect() }
}

/// A black photo for `config`.
pub fn blank(config: &Config) -> Pixels {
    let size = config.image_size;
    Pixels { size, values: vec![0.0; 3 * size * size] }
}

/// Milliseconds that a photo would take on the processor, from the rate of one product of the network's own
/// shape on the threads there are. The network itself need not be in memory twice for that.
pub fn processor(config: &Config, isa: Isa, format: WeightFormat) -> f64 {
    let (rows, k, n) = (config.tokens(), config.width, config.mlp_width);
    let blocks = vec![1; n * k / BLOCK * format.block_bytes()];
    let w = PackedWeights::pack(format, n, k, blocks).expect("codes of 1, or of nibbles 1, and a tiny scale");
    let x: Vec<f32> = (0..rows * k).map(|i| (i % 255) as f32 - 127.0).collect();
    let mut activations = QuantizedActivations::default();
    activations.quantize(isa, format, &x, rows, k);
    let mut out = vec![0.0; rows * n];
    let mut best = f64::INFINITY;
    for _ in 0..TRIES {
        let begun = port::now();
        gemm(isa, &activations, &w, None, Activation::None, Output::Values(&mut out));
        best = best.min(port::now() - begun);
    }
    photo_ms_on_cpu(config, best)
}

/// Leaves the GPU with the fastest of these and gives the milliseconds of a photo with it; none where each
/// strays from the GPU's own F32. The first photo in each compiles its kernels and is not timed.
///
/// # Errors
/// When the GPU fails.
pub async fn graphics(model: &Model<Gpu>, candidates: &[Arithmetic]) -> Result<Option<f64>, BackendError> {
    let gpu = model.backend();
    if gpu.is_software() {
        // An imitated GPU takes seconds, and has one candidate: nothing is to be compared.
        gpu.set_arithmetic(candidates.first().copied().unwrap_or_default());
        let pixels = blank(model.config());
        model.logits(&pixels).await?;
        let begun = port::now();
        model.logits(&pixels).await?;
        return Ok(Some(port::now() - begun));
    }
    let pixels = gradient(model.config());
    gpu.set_arithmetic(Arithmetic::F32);
    let exact = model.logits(&pixels).await?;
    let mut best: Option<(f64, Arithmetic)> = None;
    for &arithmetic in candidates {
        gpu.set_arithmetic(arithmetic);
        let logits = model.logits(&pixels).await?;
        let cosine = Agreement::between(&logits, &exact).cosine;
        // An overflow gives NaN.
        if cosine.is_nan() || cosine < LEAST_COSINE {
            continue;
        }
        for _ in 0..2 {
            let begun = port::now();
            model.logits(&pixels).await?;
            let ms = port::now() - begun;
            if best.is_none_or(|(least, _)| ms < least) {
                best = Some((ms, arithmetic));
            }
        }
    }
    gpu.set_arithmetic(best.map_or(Arithmetic::F32, |(_, arithmetic)| arithmetic));
    Ok(best.map(|(ms, _)| ms))
}

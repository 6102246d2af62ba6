//! Whole photos through BEiTv2-large's shape with random weights made on the spot: the same that timm was given, so that
//! the logits of the true size are known.

use super::{Context, StageError, checks, least, median, request};
use crate::budget::blocks_that_fit;
use crate::record::{Photos, Rate, Record};
use beit::backend::{Activation, Agreement, Arithmetic, Backend, Linear};
use beit::builder::{BuildError, ModelBuilder};
use beit::config::Config;
use beit::model::Model;
use beit::preprocess::Pixels;
use beit::weights::{Storage, Tensor, TensorData};
use checkpoint::quantize::{Quantization, encode};
use checkpoint::seeded;
use gpu::Gpu;
use kernels::WeightFormat;
use std::time::Instant;

/// timm's logits of the network with these weights, for each input.
const GOLDEN: &[u8] = include_bytes!("../../../../tests/data/golden/large.expected.safetensors");

/// Of the stage's time, for finding out how many blocks fit and measuring one photo in the first arithmetic.
const FIRST: f64 = 0.3;
/// Passes at the most, and seconds after which there are no more.
const PASSES: usize = 20;
const SECONDS: f64 = 1.5;

/// The stores of weights, the most important first, and the least cosine of their logits to timm's.
const STORES: [(Quantization, f64); 3] =
    [(Quantization::Q8_0, 0.9995), (Quantization::F32, 0.9999), (Quantization::Q4_0, 0.98)];

/// Times passes of each size in each arithmetic; what has no time is said.
///
/// # Errors
/// When the GPU fails.
pub fn run(context: &Context) -> Result<(), StageError> {
    let gpu = request()?;
    let large = Config::beitv2_large();
    let blocks = match context.blocks {
        Some(blocks) => blocks.clamp(1, large.depth),
        None => blocks_in_time(context, &gpu)?,
    };
    if blocks == 0 {
        context.skip("whole photos", "a photo through one block takes longer than there is time for");
        return Ok(());
    }
    if blocks < large.depth {
        let text = format!("photos go through {blocks} of {} blocks: all blocks are alike", large.depth);
        (context.emit)(Record::Note { text });
    }
    let config = Config { depth: blocks, ..large };
    for (store, least_cosine) in STORES {
        let begun = Instant::now();
        if !context.has_time_for(0.0, format!("photos with {} weights", store.name())) {
            continue;
        }
        let model = build(&config, &gpu, store)?;
        let text = format!("{} weights made in {:.1} s", store.name(), begun.elapsed().as_secs_f64());
        (context.emit)(Record::Note { text });
        time_passes(context, &model, store, least_cosine)?;
    }
    Ok(())
}

/// As many blocks as two passes of a photo and building them leave time for.
fn blocks_in_time(context: &Context, gpu: &Gpu) -> Result<usize, BuildError> {
    let config = Config { depth: 1, ..Config::beitv2_large() };
    // On the slowest adapters even one block takes too long.
    let expected = 2.0 * patches_seconds(&config, gpu)? * config.multiply_accumulates() as f64
        / patches_operations(&config);
    if !context.deadline.fits(expected) {
        return Ok(0);
    }
    let begun = Instant::now();
    let model = build(&config, gpu, Quantization::Q8_0)?;
    let build = begun.elapsed().as_secs_f64();
    let pixels = inputs(&config, 1);
    gpu.set_arithmetic(Arithmetic::F32);
    // The first pass compiles.
    pass(&model, &pixels)?;
    let block = pass(&model, &pixels)?;
    Ok(blocks_that_fit(FIRST * context.deadline.remaining(), 2.0, block, build))
}

/// Seconds of the product that embeds a photo's patches.
fn patches_seconds(config: &Config, gpu: &Gpu) -> Result<f64, BuildError> {
    let (rows, k, n) = (config.patches(), 3 * config.patch_size * config.patch_size, config.width);
    let linear = Linear::<Gpu> {
        weight: gpu.matrix(n, k, TensorData::Dense(vec![0.01; n * k]))?,
        bias: gpu.vector(vec![0.0; n])?,
    };
    let x = gpu.upload(&vec![0.5; rows * k], 1, rows, k)?;
    let run = || gpu.time(|| gpu.linear(&x, &linear, Activation::None).map(drop));
    // The first compiles.
    run()?;
    Ok(run()?.seconds)
}

fn patches_operations(config: &Config) -> f64 {
    (config.patches() * 3 * config.patch_size * config.patch_size * config.width) as f64
}

fn time_passes(
    context: &Context,
    model: &Model<Gpu>,
    store: Quantization,
    least_cosine: f64,
) -> Result<(), StageError> {
    let gpu = model.backend();
    let arithmetics = gpu.offered().iter().filter(|&&arithmetic| is_of(store, arithmetic));
    let arithmetics: Vec<_> = arithmetics.copied().collect();
    // Seconds of a photo in each arithmetic, in the largest pass so far.
    let mut photo = vec![0.0; arithmetics.len()];
    for &batch in &context.batches {
        for (&arithmetic, photo) in arithmetics.iter().zip(&mut photo) {
            let name = arithmetic.name();
            let what = format!("{batch} photos a pass, {} weights in {name}", store.name());
            if batch > gpu.most_photos(model.config()) {
                context.skip(what, "no buffer of this device holds the activations of so many photos");
                continue;
            }
            // One pass more than is timed: it compiles what this size needs.
            if !context.has_time_for(2.0 * *photo * batch as f64, &what) {
                continue;
            }
            gpu.set_arithmetic(arithmetic);
            let pixels = inputs(model.config(), batch);
            let logits = pollster::block_on(model.batch_logits(&pixels))?;
            if batch == 1 && model.config().depth == Config::beitv2_large().depth {
                let what =
                    format!("logits of the true size against timm's, {} weights in {name}", store.name());
                let agreement = Agreement::between(&logits[0], &golden()?);
                (context.emit)(checks::logits(what, agreement, 1.0, least_cosine));
            }
            let begun = Instant::now();
            let mut passes = Vec::new();
            while passes.is_empty()
                || passes.len() < PASSES
                    && begun.elapsed().as_secs_f64() < SECONDS
                    && context.deadline.fits(passes[0])
            {
                passes.push(pass(model, &pixels)?);
            }
            *photo = median(&passes) / batch as f64;
            report(context, model.config(), &passes, store, arithmetic, batch);
        }
    }
    gpu.set_arithmetic(Arithmetic::F32);
    Ok(())
}

/// Weights that aren't quantised are never multiplied as codes.
fn is_of(store: Quantization, arithmetic: Arithmetic) -> bool {
    arithmetic != Arithmetic::Int8 || store != Quantization::F32
}

fn report(
    context: &Context,
    config: &Config,
    passes: &[f64],
    store: Quantization,
    arithmetic: Arithmetic,
    batch: usize,
) {
    let share = |seconds: f64| seconds * 1e3 / batch as f64;
    let seconds = median(passes) / batch as f64;
    let rate = Rate::operations(2.0 * config.multiply_accumulates() as f64, seconds);
    (context.emit)(Record::Photos(Photos {
        weights: store.name().into(),
        arithmetic: arithmetic.name().into(),
        batch: batch as u64,
        blocks: config.depth as u64,
        ms: seconds * 1e3,
        least_ms: share(least(passes)),
        most_ms: share(passes.iter().copied().fold(0.0, f64::max)),
        passes: passes.len() as u64,
        rate,
        percent_of_peak: context.peaks.percent(rate, arithmetic),
    }));
}

/// Seconds of a pass, from the pixels to the logits.
fn pass(model: &Model<Gpu>, pixels: &[Pixels]) -> Result<f64, BuildError> {
    let begun = Instant::now();
    pollster::block_on(model.batch_logits(pixels))?;
    Ok(begun.elapsed().as_secs_f64())
}

/// The first is the first that timm was given.
fn inputs(config: &Config, count: usize) -> Vec<Pixels> {
    (0..count)
        .map(|number| Pixels { size: config.image_size, values: seeded::pixels(config, number) })
        .collect()
}

fn golden() -> Result<Vec<f32>, StageError> {
    let error = |error: safetensors::SafeTensorError| StageError::Golden(error.to_string());
    let file = safetensors::SafeTensors::deserialize(GOLDEN).map_err(error)?;
    let logits = file.tensor("logits").map_err(error)?;
    let values = logits.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b));
    Ok(values.take(Config::beitv2_large().classes).collect())
}

fn build(config: &Config, gpu: &Gpu, store: Quantization) -> Result<Model<Gpu>, BuildError> {
    let mut builder = ModelBuilder::new(config.clone(), gpu.clone());
    for spec in config.tensors() {
        let values = seeded::tensor(config, &spec);
        let blocks = |format, storage| TensorData::Blocks { format, bytes: encode(storage, &values) };
        let data = match store.storage(&spec) {
            storage @ Storage::Q8_0 => blocks(WeightFormat::Q8_0, storage),
            storage @ Storage::Q4_0 => blocks(WeightFormat::Q4_0, storage),
            _ => TensorData::Dense(values),
        };
        builder.add(Tensor { spec, data })?;
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_logits_are_one_photos() {
        let logits = golden().unwrap();
        assert_eq!(logits.len(), 1000);
        assert!(logits.iter().all(|logit| logit.is_finite()) && logits.iter().any(|&logit| logit != 0.0));
    }

    #[test]
    fn weights_in_f32_have_no_codes() {
        assert!(!is_of(Quantization::F32, Arithmetic::Int8) && is_of(Quantization::F32, Arithmetic::F16));
        assert!(Arithmetic::ALL.iter().all(|&arithmetic| is_of(Quantization::Q8_0, arithmetic)));
    }
}

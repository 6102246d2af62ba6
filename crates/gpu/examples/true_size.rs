//! BEiTv2-large at its true size, 304,430,568 parameters, with seeded random weights in 8 bits, on a GPU: the
//! logits' cosine to timm's (`tests/data/golden/large.expected.safetensors`), in every arithmetic the GPU offers.
//!
//! `cargo run --release -p gpu --example true_size -- [PHOTOS]`. An example rather than a test, since a GPU that is
//! imitated on the processor takes minutes a photo.

use beit::builder::ModelBuilder;
use beit::config::Config;
use beit::preprocess::Pixels;
use beit::weights::{Storage, Tensor, TensorData};
use checkpoint::quantize::{Quantization, encode};
use checkpoint::seeded;
use gpu::{Gpu, GpuOptions};
use kernels::WeightFormat;
use std::time::Instant;

/// Least cosine at 8 bits.
const LEAST: f64 = 0.9995;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let photos: usize = std::env::args().nth(1).map_or(Ok(1), |photos| photos.parse())?;
    let options = GpuOptions { allow_software: true, ..GpuOptions::default() };
    let gpu = pollster::block_on(Gpu::request(options))?;
    println!("{} by {}", gpu.name(), gpu.info().backend);
    let config = Config::beitv2_large();
    let mut builder = ModelBuilder::new(config.clone(), gpu);
    for spec in config.tensors() {
        let values = seeded::tensor(&config, &spec);
        let data = match Quantization::Q8_0.storage(&spec) {
            storage @ Storage::Q8_0 => {
                TensorData::Blocks { format: WeightFormat::Q8_0, bytes: encode(storage, &values) }
            }
            _ => TensorData::Dense(values),
        };
        builder.add(Tensor { spec, data })?;
    }
    let model = builder.finish()?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/golden/large.expected.safetensors");
    let bytes = std::fs::read(path)?;
    let file = safetensors::SafeTensors::deserialize(&bytes)?;
    let expected: Vec<f32> =
        file.tensor("logits")?.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    for &arithmetic in model.backend().offered() {
        model.backend().set_arithmetic(arithmetic);
        for (input, expected) in expected.chunks_exact(config.classes).take(photos).enumerate() {
            let pixels = Pixels { size: 224, values: seeded::pixels(&config, input) };
            let begun = Instant::now();
            let got = pollster::block_on(model.logits(&pixels))?;
            let (cosine, seconds) = (cosine(&got, expected), begun.elapsed().as_secs_f64());
            println!("{}, input {input}: cosine {cosine:.6}, {seconds:.3} s", arithmetic.name());
            if cosine < LEAST {
                return Err(format!("input {input}: cosine {cosine}, expected at least {LEAST}").into());
            }
        }
    }
    Ok(())
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

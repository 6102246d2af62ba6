//! Whole photos through a network of random weights.

use beit::builder::{BuildError, ModelBuilder};
use beit::config::Config;
use beit::model::Model;
use beit::preprocess::Pixels;
use beit::weights::schema::Role;
use beit::weights::{Tensor, TensorData};
use gpu::{Arithmetic, Gpu};
use kernels::{BLOCK, WeightFormat};
use std::time::Instant;

/// Prints milliseconds a photo in every arithmetic, for each size of pass: the best of three passes.
pub fn time_photos(gpu: &Gpu, blocks: usize, passes: &[usize]) -> Result<(), BuildError> {
    let config = Config { depth: blocks, ..Config::beitv2_large() };
    let model = model(&config, gpu)?;
    let giga = 2.0 * config.multiply_accumulates() as f64 / 1e9;
    for &photos in passes {
        for &arithmetic in gpu.offered() {
            gpu.set_arithmetic(arithmetic);
            let seconds = best(&model, photos)? / photos as f64;
            let what = format!("{photos} photos a pass, {}", arithmetic.name());
            println!("{what:44} {:9.1} ms a photo {:9.1} GFLOP/s", seconds * 1e3, giga / seconds);
        }
    }
    gpu.set_arithmetic(Arithmetic::F32);
    Ok(())
}

/// Seconds of a pass.
fn best(model: &Model<Gpu>, photos: usize) -> Result<f64, BuildError> {
    let size = model.config().image_size;
    let value = |i: usize| (i * 31 % 201) as f32 / 100.0 - 1.0;
    let photo = Pixels { size, values: (0..3 * size * size).map(value).collect() };
    let photos = vec![photo; photos];
    let mut best = f64::INFINITY;
    // The first compiles the kernels.
    for pass in 0..4 {
        let begun = Instant::now();
        pollster::block_on(model.batch_logits(&photos))?;
        if pass > 0 {
            best = best.min(begun.elapsed().as_secs_f64());
        }
    }
    Ok(best)
}

fn model(config: &Config, gpu: &Gpu) -> Result<Model<Gpu>, BuildError> {
    let mut builder = ModelBuilder::new(config.clone(), gpu.clone());
    let mut random = 1u64;
    let mut next = || {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (random >> 56) as u8
    };
    for spec in config.tensors() {
        let values: usize = spec.shape.iter().product();
        let data = if spec.role == Role::Linear {
            let format = WeightFormat::Q8_0;
            let mut bytes = Vec::with_capacity(values / BLOCK * format.block_bytes());
            for _ in 0..values / BLOCK {
                // A scale of 2⁻¹¹, so that values of 32 to 64 columns add up to about 1.
                bytes.extend([0x00, 0x10]);
                bytes.extend((0..BLOCK).map(|_| next()));
            }
            TensorData::Blocks { format, bytes }
        } else {
            TensorData::Dense((0..values).map(|_| f32::from(next()) / 2560.0).collect())
        };
        builder.add(Tensor { spec, data })?;
    }
    builder.finish()
}

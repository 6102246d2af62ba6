//! Networks of any size with seeded random weights, so that correctness and speed can be proved at
//! the true size without a gigabyte of files.
//!
//! The same numbers as `tests/data/golden/make_golden.py`, which handed them to timm.

mod outliers;

pub use outliers::{Outliers, tensor as tensor_with};

use beit::config::Config;
use beit::weights::schema::TensorSpec;
use rayon::prelude::*;

const SEED: u64 = 0xBE17;
/// Values made at a time by one thread.
const CHUNK: usize = 1 << 16;

/// The values of one tensor, row-major; `spec` is one of `config.tensors()`.
pub fn tensor(config: &Config, spec: &TensorSpec) -> Vec<f32> {
    let (std, mean) = spread(config, &spec.name);
    values(&spec.name, spec.shape.iter().product(), std, mean)
}

/// The pixels of input `number`, `[3, image_size, image_size]`.
pub fn pixels(config: &Config, number: usize) -> Vec<f32> {
    values(&format!("pixels.{number}"), 3 * config.image_size * config.image_size, 1.0, 0.0)
}

/// Standard deviation and mean of a tensor, by its name: chosen so that activations and logits keep
/// a natural size through all blocks.
fn spread(config: &Config, name: &str) -> (f64, f64) {
    let width = config.width as f64;
    let weight = 1.25 / width.sqrt();
    match part_of(name) {
        "cls_token" => (0.5, 0.0),
        "pos_embed" => (0.3, 0.0),
        "patch_embed.proj.weight" => (0.03, 0.0),
        "gamma_1" | "gamma_2" => (0.1, 0.3),
        "norm1.weight" | "norm2.weight" | "fc_norm.weight" => (0.2, 1.0),
        "attn.q_bias" | "attn.v_bias" => (0.2, 0.0),
        "attn.relative_position_bias_table" => (0.5, 0.0),
        "attn.qkv.weight" => (weight, 0.0),
        "attn.proj.weight" | "mlp.fc1.weight" => (0.8 * weight, 0.0),
        "mlp.fc2.weight" => (0.5 * weight, 0.0),
        "head.weight" => (2.5 / width.sqrt(), 0.0),
        "head.bias" => (0.05, 0.0),
        _ => (0.1, 0.0),
    }
}

/// A tensor's name without its block's number.
fn part_of(name: &str) -> &str {
    match name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) {
        Some((_, part)) => part,
        None => name,
    }
}

/// Sum of four uniform 16-bit numbers / 65535 − 2: nearly normal, of variance 1/3, and cheap.
fn nearly_normal(z: u64) -> f64 {
    let sum = (0..4).map(|part| (z >> (16 * part)) & 0xFFFF).sum::<u64>();
    sum as f64 / 65535.0 - 2.0
}

/// `mean + std·√3·nearly_normal`.
fn values(name: &str, len: usize, std: f64, mean: f64) -> Vec<f32> {
    let key = fnv1a(name) ^ SEED;
    let scale = std * 3f64.sqrt();
    let mut values = vec![0.0; len];
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, values)| {
        for (i, value) in values.iter_mut().enumerate() {
            let counter = (chunk * CHUNK + i) as u64;
            *value = (mean + scale * nearly_normal(splitmix64::at(key, counter))) as f32;
        }
    });
    values
}

/// 64-bit FNV-1a.
fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

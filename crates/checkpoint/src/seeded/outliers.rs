//! Seeded networks with the outliers that trained networks have and nearly normal weights have not.
//!
//! - Channels of the residual stream that are large in every token, behind which norms have small weights: Dettmers
//!   et al. 2022, *LLM.int8()*.
//! - Activations a hundred to a thousand times the median, in a few channels of a few tokens, made by one early MLP and
//!   kept by the residual stream: Sun et al. 2024, *Massive Activations in Large Language Models* (section on vision
//!   transformers), and Darcet et al. 2024, *Vision Transformers Need Registers*.
//! - Weights with heavy tails: Student's t distribution with three degrees of freedom.

use super::{fnv1a, part_of, spread};
use beit::config::Config;
use beit::weights::schema::{Role, TensorSpec};
use rayon::prelude::*;

/// How much larger a large channel is.
const CHANNEL_FACTOR: f32 = 60.0;
/// What the norms behind it take back.
const NORM_FACTOR: f32 = 0.1;
/// Hidden units of the first block that make massive activations in the class token, and as many in some patches.
const UNITS: usize = 16;
/// Their output weights.
const MASSIVE_WEIGHT: f32 = 4.0;
/// Weights of the units for patches, as multiples of other units', and the standard deviations of such a unit's input
/// from which on it is active.
const PATCH_SLOPE: f32 = 12.0;
const PATCH_THRESHOLD: f32 = 2.0;
/// From which input on the class token's units are active at a width of 1024, about half of what they get from it.
const CLASS_THRESHOLD: f32 = 12.0;

/// A kind of outliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outliers {
    /// Six channels of the residual stream are 60 times larger, and the norms' weights for them a tenth.
    Channels,
    /// Three channels of the class token get activations of hundreds of times the median, and those of the few patches
    /// that one direction fits best up to a hundred times.
    Tokens,
    /// Linear weights follow Student's t distribution with three degrees of freedom, of the same standard deviation.
    Tails,
}

impl Outliers {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Channels, Self::Tokens, Self::Tails];

    /// As the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::Tokens => "tokens",
            Self::Tails => "tails",
        }
    }
}

impl std::str::FromStr for Outliers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| format!("expected channels, tokens or tails, got {text}"))
    }
}

/// The values of one tensor, row-major, of the network that has these kinds of outliers; `spec` is one of
/// `config.tensors()`. Without any it is [`super::tensor`].
pub fn tensor(config: &Config, spec: &TensorSpec, outliers: &[Outliers]) -> Vec<f32> {
    let mut values = match spec.role {
        Role::Linear if outliers.contains(&Outliers::Tails) => {
            let (std, _) = spread(config, &spec.name);
            heavy_tailed(&spec.name, spec.shape.iter().product(), std)
        }
        _ => super::tensor(config, spec),
    };
    if outliers.contains(&Outliers::Tokens) {
        make_massive(config, spec, &mut values);
    }
    if outliers.contains(&Outliers::Channels) {
        enlarge_channels(config, spec, &mut values);
    }
    values
}

/// Student's t with three degrees of freedom, which has a standard deviation of √3: a normal number divided by the
/// root mean square of three others.
fn heavy_tailed(name: &str, len: usize, std: f64) -> Vec<f32> {
    let key = fnv1a(name) ^ super::SEED;
    let value = |i: usize| {
        let normal = |part: u64| 3f64.sqrt() * super::nearly_normal(splitmix64::at(key, 4 * i as u64 + part));
        let mean_square = (1..4).map(|part| normal(part) * normal(part)).sum::<f64>() / 3.0;
        (std / 3f64.sqrt() * normal(0) / mean_square.sqrt().max(1e-3)) as f32
    };
    (0..len).into_par_iter().map(value).collect()
}

/// Six channels, spread so that they share no block.
fn large_channels(config: &Config) -> [usize; 6] {
    std::array::from_fn(|i| (5 + 37 * (i + 1) * config.width / 256) % config.width)
}

/// What is written to the residual stream is larger, what is read from it is smaller.
fn enlarge_channels(config: &Config, spec: &TensorSpec, values: &mut [f32]) {
    let factor = match part_of(&spec.name) {
        "gamma_1" | "gamma_2" | "cls_token" | "pos_embed" => CHANNEL_FACTOR,
        "patch_embed.proj.weight" | "patch_embed.proj.bias" => CHANNEL_FACTOR,
        "norm1.weight" | "norm2.weight" | "fc_norm.weight" => NORM_FACTOR,
        _ => return,
    };
    let row = if spec.role == Role::PatchEmbedding { values.len() / config.width } else { 1 };
    for channel in large_channels(config) {
        // Of `pos_embed`, in every row.
        for at in (channel * row..values.len()).step_by(config.width * row) {
            values[at..at + row].iter_mut().for_each(|value| *value *= factor);
        }
    }
}

/// Hidden units of the first MLP that see the class token, or patches of one direction, write to three channels.
fn make_massive(config: &Config, spec: &TensorSpec, values: &mut [f32]) {
    let (width, hidden) = (config.width, config.mlp_width);
    let units = UNITS.min(hidden / 4);
    match spec.name.as_str() {
        "blocks.0.mlp.fc1.weight" => {
            let class_token = class_direction(config);
            let patches: Vec<f32> = values[..width].iter().map(|v| v * PATCH_SLOPE).collect();
            for unit in 0..units {
                values[unit * width..][..width].copy_from_slice(&class_token);
                values[(units + unit) * width..][..width].copy_from_slice(&patches);
            }
        }
        "blocks.0.mlp.fc1.bias" => {
            values[..units].fill(-CLASS_THRESHOLD * (width as f32 / 1024.0).sqrt());
            values[units..2 * units].fill(-PATCH_SLOPE * PATCH_THRESHOLD);
        }
        "blocks.0.mlp.fc2.weight" => {
            for channel in massive_channels(config) {
                values[channel * hidden..][..2 * units].fill(MASSIVE_WEIGHT);
            }
        }
        _ => {}
    }
}

fn massive_channels(config: &Config) -> [usize; 3] {
    [1, 3, 7].map(|part| part * config.width / 8 + 3)
}

/// A unit vector along the class token.
fn class_direction(config: &Config) -> Vec<f32> {
    let spec = config.tensors().into_iter().find(|spec| spec.name == "cls_token");
    let values = spec.map(|spec| super::tensor(config, &spec)).unwrap_or_default();
    let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.iter().map(|v| v / length).collect()
}

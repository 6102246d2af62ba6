//! The tensors a network has, and the metadata keys that describe it.

mod kinds;

pub use kinds::{kinds_metadata, read_kinds};

use super::WeightsError;
use super::gguf::Value;
use crate::config::{Config, Position};
use crate::labels::Label;
use crate::preprocess::Preprocessing;
use std::collections::HashMap;

/// A file's metadata.
pub type Metadata = HashMap<String, Value>;

/// One tensor of a network: its name (timm's) and shape, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// As in timm's checkpoints.
    pub name: String,
    /// Row-major.
    pub shape: Vec<usize>,
    /// How it is used.
    pub role: Role,
    /// The width of a head, of the three tensors in which attention's values are made and used: rows of the last third
    /// of `qkv.weight`, elements of `v_bias`, columns of `proj.weight`.
    pub head_width: Option<usize>,
}

impl TensorSpec {
    /// How many values the tensor holds.
    pub fn values(&self) -> u64 {
        self.shape.iter().map(|&length| length as u64).product()
    }
}

/// How a tensor is used, hence how it may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Weights `[n, k]` of a linear layer inside a block, or of the head: quantised.
    Linear,
    /// The patch embedding's kernel, `[width, 3·patch²]`: kept F32 or F16.
    PatchEmbedding,
    /// Norms, biases, layer scales, tokens, position tables: kept F32 or F16.
    Small,
}

impl Config {
    /// Every tensor of this network, in the order the forward pass meets them, which is the
    /// order of the file.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let (d, hidden) = (self.width, self.mlp_width);
        let head_width = d / self.heads.max(1);
        let mut list = Vec::new();
        let mut add = |name: String, shape: &[usize], role| {
            let of_values = ["attn.qkv.weight", "attn.v_bias", "attn.proj.weight"];
            let head_width = of_values.iter().any(|part| name.ends_with(part)).then_some(head_width);
            list.push(TensorSpec { name, shape: shape.to_vec(), role, head_width });
        };
        add(
            "patch_embed.proj.weight".into(),
            &[d, 3 * self.patch_size * self.patch_size],
            Role::PatchEmbedding,
        );
        add("patch_embed.proj.bias".into(), &[d], Role::Small);
        add("cls_token".into(), &[d], Role::Small);
        if self.position == Position::AbsoluteEmbedding {
            add("pos_embed".into(), &[self.tokens(), d], Role::Small);
        }
        for i in 0..self.depth {
            let mut add = |name: &str, shape: &[usize], role| add(format!("blocks.{i}.{name}"), shape, role);
            add("norm1.weight", &[d], Role::Small);
            add("norm1.bias", &[d], Role::Small);
            add("attn.qkv.weight", &[3 * d, d], Role::Linear);
            add("attn.q_bias", &[d], Role::Small);
            add("attn.v_bias", &[d], Role::Small);
            if self.position == Position::RelativeBias {
                add(
                    "attn.relative_position_bias_table",
                    &[self.relative_positions(), self.heads],
                    Role::Small,
                );
            }
            add("attn.proj.weight", &[d, d], Role::Linear);
            add("attn.proj.bias", &[d], Role::Small);
            add("gamma_1", &[d], Role::Small);
            add("norm2.weight", &[d], Role::Small);
            add("norm2.bias", &[d], Role::Small);
            add("mlp.fc1.weight", &[hidden, d], Role::Linear);
            add("mlp.fc1.bias", &[hidden], Role::Small);
            add("mlp.fc2.weight", &[d, hidden], Role::Linear);
            add("mlp.fc2.bias", &[d], Role::Small);
            add("gamma_2", &[d], Role::Small);
        }
        add("fc_norm.weight".into(), &[d], Role::Small);
        add("fc_norm.bias".into(), &[d], Role::Small);
        add("head.weight".into(), &[self.classes, d], Role::Linear);
        add("head.bias".into(), &[self.classes], Role::Small);
        list
    }

    /// Parameters of the network: what its tensors hold together.
    pub fn parameters(&self) -> u64 {
        self.tensors().iter().map(TensorSpec::values).sum()
    }
}

const ARCHITECTURE: &str = "general.architecture";
const NAME: &str = "general.name";
const IMAGE_SIZE: &str = "beit.image_size";
const PATCH_SIZE: &str = "beit.patch_size";
const WIDTH: &str = "beit.embedding_length";
const DEPTH: &str = "beit.block_count";
const HEADS: &str = "beit.attention.head_count";
const MLP_WIDTH: &str = "beit.feed_forward_length";
const CLASSES: &str = "beit.class_count";
const POSITION: &str = "beit.position";
const POOLING: &str = "beit.pooling";
const EPS: &str = "beit.attention.layer_norm_epsilon";
const SHORT_SIDE: &str = "beit.preprocess.short_side";
const CROP: &str = "beit.preprocess.crop";
const INTERPOLATION: &str = "beit.preprocess.interpolation";
const MEAN: &str = "beit.preprocess.mean";
const STD: &str = "beit.preprocess.std";
const LABEL_WNIDS: &str = "beit.labels.wnid";
const LABELS_EN: &str = "beit.labels.en";
const LABELS_ZH: &str = "beit.labels.zh";

/// Patches along one side. The bias that a block expands its table to grows with the fourth power: a small file
/// must not ask for all memory. BEiT's largest published grid is 40 (640 px).
const MAX_GRID: usize = 64;

/// Values of one tensor, as many as 32 bits count.
const MAX_TENSOR_VALUES: u64 = u32::MAX as u64;
/// Values of any one array of activations of a photo, or of a position bias spread over all pairs of tokens: 2 GiB in
/// F32, all that a worker's memory may grow to.
const MAX_ACTIVATIONS: u64 = 1 << 29;

/// The metadata that describes a network and its classes, in the order it is written.
pub fn metadata(config: &Config, labels: &[Label]) -> Vec<(&'static str, Value)> {
    let size = |n: usize| Value::U32(n as u32);
    let text = |s: &str| Value::String(s.to_owned());
    let channels = |c: &[f32; 3]| Value::Array(c.iter().map(|&v| Value::F32(v)).collect());
    let column = |pick: fn(&Label) -> &str| Value::Array(labels.iter().map(|l| text(pick(l))).collect());
    let position = match config.position {
        Position::RelativeBias => "relative_bias",
        Position::AbsoluteEmbedding => "absolute_embedding",
    };
    let p = &config.preprocessing;
    vec![
        (ARCHITECTURE, text("beit")),
        (NAME, text(&config.name)),
        (IMAGE_SIZE, size(config.image_size)),
        (PATCH_SIZE, size(config.patch_size)),
        (WIDTH, size(config.width)),
        (DEPTH, size(config.depth)),
        (HEADS, size(config.heads)),
        (MLP_WIDTH, size(config.mlp_width)),
        (CLASSES, size(config.classes)),
        (POSITION, text(position)),
        (POOLING, text("mean")),
        (EPS, Value::F32(config.layer_norm_eps)),
        (SHORT_SIDE, size(p.short_side)),
        (CROP, size(p.crop)),
        (INTERPOLATION, text("bicubic")),
        (MEAN, channels(&p.mean)),
        (STD, channels(&p.std)),
        (LABEL_WNIDS, column(|l| &l.wnid)),
        (LABELS_EN, column(|l| &l.en)),
        (LABELS_ZH, column(|l| &l.zh)),
    ]
}

/// Reads the network's shape back and checks that it can be built: a hostile file may say anything.
pub fn read_config(metadata: &Metadata) -> Result<Config, WeightsError> {
    let m = Reader(metadata);
    m.expect_text(ARCHITECTURE, &["beit"])?;
    m.expect_text(POOLING, &["mean"])?;
    m.expect_text(INTERPOLATION, &["bicubic"])?;
    let position = match m.expect_text(POSITION, &["relative_bias", "absolute_embedding"])? {
        "relative_bias" => Position::RelativeBias,
        _ => Position::AbsoluteEmbedding,
    };
    let config = Config {
        name: m.text(NAME)?.to_owned(),
        image_size: m.size(IMAGE_SIZE, 4096)?,
        patch_size: m.size(PATCH_SIZE, 256)?,
        width: m.size(WIDTH, 16_384)?,
        depth: m.size(DEPTH, 256)?,
        heads: m.size(HEADS, 1024)?,
        mlp_width: m.size(MLP_WIDTH, 65_536)?,
        classes: m.size(CLASSES, 1_000_000)?,
        position,
        layer_norm_eps: m.float(EPS)?,
        preprocessing: Preprocessing {
            short_side: m.size(SHORT_SIDE, 8192)?,
            crop: m.size(CROP, 4096)?,
            mean: m.channels(MEAN)?,
            std: m.channels(STD)?,
        },
    };
    m.check(
        IMAGE_SIZE,
        config.image_size.is_multiple_of(config.patch_size),
        "a multiple of the patch size",
        config.image_size,
    )?;
    let least = config.image_size.div_ceil(MAX_GRID);
    m.check(PATCH_SIZE, config.patch_size >= least, &format!("at least {least}"), config.patch_size)?;
    m.check(HEADS, config.width.is_multiple_of(config.heads), "a divisor of the width", config.heads)?;
    check_products(&m, &config)?;
    let crop = config.preprocessing.crop;
    m.check(CROP, crop == config.image_size, "the image size", crop)?;
    m.check(
        SHORT_SIDE,
        config.preprocessing.short_side >= crop,
        "at least the crop",
        config.preprocessing.short_side,
    )?;
    let std = config.preprocessing.std;
    m.check(STD, std.iter().all(|&s| s > 0.0), "positive numbers", format!("{std:?}"))?;
    Ok(config)
}

/// Checks the products of sizes that are each plausible: past this, no product of a tensor's shape and none of one
/// photo's activations overflows a `usize` of 32 bits.
fn check_products(m: &Reader, config: &Config) -> Result<(), WeightsError> {
    let [tokens, width, classes] = [config.tokens(), config.width, config.classes].map(|n| n as u64);
    let [heads, mlp_width, patch] = [config.heads, config.mlp_width, config.patch_size].map(|n| n as u64);
    let at_most = |key, most: u64, what: &str, got: u64| {
        m.check(key, got <= most, &format!("at most {most} for {what}"), got)
    };
    let with_width = format!("a width of {width}");
    let with_tokens = format!("{tokens} tokens");
    at_most(CLASSES, MAX_TENSOR_VALUES / width, &with_width, classes)?;
    at_most(MLP_WIDTH, MAX_TENSOR_VALUES / width, &with_width, mlp_width)?;
    at_most(WIDTH, MAX_TENSOR_VALUES / (3 * patch * patch), "patches of this size", width)?;
    at_most(WIDTH, MAX_TENSOR_VALUES / (3 * width), "its own square", width)?;
    at_most(HEADS, MAX_ACTIVATIONS / (tokens * tokens), &with_tokens, heads)?;
    at_most(MLP_WIDTH, MAX_ACTIVATIONS / tokens, &with_tokens, mlp_width)?;
    at_most(WIDTH, MAX_ACTIVATIONS / (3 * tokens), &with_tokens, width)
}

/// Reads the classes' names; there is one for each row of the head.
pub fn read_labels(metadata: &Metadata, classes: usize) -> Result<Vec<Label>, WeightsError> {
    let m = Reader(metadata);
    let columns =
        [m.texts(LABEL_WNIDS, classes)?, m.texts(LABELS_EN, classes)?, m.texts(LABELS_ZH, classes)?];
    let [wnids, en, zh] = columns;
    Ok(wnids.into_iter().zip(en).zip(zh).map(|((wnid, en), zh)| Label { wnid, en, zh }).collect())
}

/// Typed look-ups in the metadata.
struct Reader<'a>(&'a Metadata);

impl<'a> Reader<'a> {
    fn get(&self, key: &'static str) -> Result<&'a Value, WeightsError> {
        self.0.get(key).ok_or(WeightsError::MissingKey { key })
    }

    fn check(
        &self,
        key: &'static str,
        ok: bool,
        expected: &str,
        got: impl ToString,
    ) -> Result<(), WeightsError> {
        if ok { Ok(()) } else { Err(mismatch(key, expected, got)) }
    }

    fn size(&self, key: &'static str, most: usize) -> Result<usize, WeightsError> {
        let value = self.get(key)?;
        let size = value.as_u64().and_then(|v| usize::try_from(v).ok());
        size.filter(|v| (1..=most).contains(v))
            .ok_or_else(|| mismatch(key, &format!("a number from 1 to {most}"), brief(value)))
    }

    fn float(&self, key: &'static str) -> Result<f32, WeightsError> {
        let value = self.get(key)?;
        let float = value.as_f32().filter(|v| v.is_finite());
        float.ok_or_else(|| mismatch(key, "a finite number", brief(value)))
    }

    fn text(&self, key: &'static str) -> Result<&'a str, WeightsError> {
        let value = self.get(key)?;
        value.as_str().ok_or_else(|| mismatch(key, "text", brief(value)))
    }

    fn expect_text(&self, key: &'static str, allowed: &[&str]) -> Result<&'a str, WeightsError> {
        let text = self.text(key)?;
        self.check(key, allowed.contains(&text), &allowed.join(" or "), text)?;
        Ok(text)
    }

    fn array(&self, key: &'static str, len: usize) -> Result<&'a [Value], WeightsError> {
        let value = self.get(key)?;
        let array = value.as_array().filter(|a| a.len() == len);
        array.ok_or_else(|| mismatch(key, &format!("{len} values"), brief(value)))
    }

    fn channels(&self, key: &'static str) -> Result<[f32; 3], WeightsError> {
        let mut channels = [0.0; 3];
        for (channel, value) in channels.iter_mut().zip(self.array(key, 3)?) {
            let float = value.as_f32().filter(|v| v.is_finite());
            *channel = float.ok_or_else(|| mismatch(key, "finite numbers", brief(value)))?;
        }
        Ok(channels)
    }

    fn texts(&self, key: &'static str, len: usize) -> Result<Vec<String>, WeightsError> {
        let text = |v: &Value| v.as_str().map(str::to_owned).ok_or_else(|| mismatch(key, "text", brief(v)));
        self.array(key, len)?.iter().map(text).collect()
    }
}

fn mismatch(key: &'static str, expected: &str, got: impl ToString) -> WeightsError {
    WeightsError::Metadata { key, expected: expected.to_owned(), got: got.to_string() }
}

/// A value short enough for a sentence.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("{} values", values.len()),
        other => format!("{other:?}").chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_has_the_published_number_of_parameters() {
        // timm's count for beitv2_large_patch16_224 with 1000 classes.
        assert_eq!(Config::beitv2_large().parameters(), 304_430_568);
        assert_eq!(Config::beitv2_large().tensors().len(), 391);
    }

    /// One tensor alone holds more than 2³² values here, which no `usize` of 32 bits counts.
    #[test]
    fn parameters_are_counted_in_64_bits() {
        let config = Config { width: 16_384, classes: 1_000_000, ..Config::beitv2_large() };
        // Matrices, vectors and the bias table.
        let block = 4 * 16_384u64.pow(2) + 2 * 4096 * 16_384 + 10 * 16_384 + 4096 + 732 * 16;
        let stem_and_head = 768 * 16_384 + 4 * 16_384 + 1_000_000 * 16_384 + 1_000_000;
        assert_eq!(config.parameters(), 24 * block + stem_and_head);
    }

    #[test]
    fn metadata_survives_the_round_trip() {
        let config = Config { classes: 2, ..Config::beitv2_large() };
        let label =
            |i| Label { wnid: format!("n0000000{i}"), en: format!("thing {i}"), zh: format!("东西{i}") };
        let labels = vec![label(1), label(2)];
        let read: Metadata = metadata(&config, &labels).into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        assert_eq!(read_config(&read).unwrap(), config);
        assert_eq!(read_labels(&read, 2).unwrap(), labels);
    }

    #[test]
    fn implausible_metadata_is_named() {
        let labels: Vec<Label> = Vec::new();
        let good: Metadata =
            metadata(&Config::beitv2_large(), &labels).into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let faults = [
            (ARCHITECTURE, Value::String("llama".into())),
            (POOLING, Value::String("token".into())),
            (IMAGE_SIZE, Value::U32(223)),
            (PATCH_SIZE, Value::U32(0)),
            (PATCH_SIZE, Value::U32(2)),
            (DEPTH, Value::U64(u64::MAX)),
            (HEADS, Value::U32(7)),
            (EPS, Value::F32(f32::NAN)),
            (CROP, Value::U32(112)),
            (SHORT_SIDE, Value::U32(200)),
            (STD, Value::Array(vec![Value::F32(0.0); 3])),
            (MEAN, Value::Array(vec![Value::F32(0.0); 2])),
        ];
        for (key, value) in faults {
            let mut spoilt = good.clone();
            spoilt.insert(key.to_owned(), value);
            let error = read_config(&spoilt).unwrap_err().to_string();
            assert!(error.contains(key), "{key}: {error}");
            spoilt.remove(key);
            let error = read_config(&spoilt).unwrap_err().to_string();
            assert!(error.contains(key), "{key} removed: {error}");
        }
        assert!(read_labels(&good, 1000).is_err());
    }

    /// Each size is plausible by itself; the products exceed 2³².
    #[test]
    fn implausible_products_are_named() {
        let most = |key, most: u64, what: &str| format!("`{key}`: expected at most {most} for {what}");
        let large = Config::beitv2_large;
        let preprocessing = |crop| Preprocessing { crop, short_side: crop, ..large().preprocessing };
        let faults = [
            (
                Config { width: 16_384, classes: 1_000_000, ..large() },
                most(CLASSES, 262_143, "a width of 16384"),
            ),
            (
                Config { image_size: 1024, heads: 1024, preprocessing: preprocessing(1024), ..large() },
                most(HEADS, 31, "4097 tokens"),
            ),
        ];
        for (config, expected) in faults {
            let metadata = metadata(&config, &[]).into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
            let error = read_config(&metadata).unwrap_err().to_string();
            assert!(error.contains(&expected), "{error}");
        }
    }
}

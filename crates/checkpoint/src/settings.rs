//! What a conversion is to make of a checkpoint, wherever the checkpoint comes from.

use crate::CheckpointError;
use crate::beit_version::{self, BeitVersion};
use crate::note::Note;
use crate::quantize::Quantization;
use beit::classes::Classes;
use beit::config::Config;
use beit::weights::gguf::Value;
use beit::weights::schema;
use std::path::Path;

/// Cloudflare Pages refuses files above 25 MiB, GitHub above 100 MB.
pub const DEFAULT_SHARD_BYTES: u64 = 20 << 20;
/// The manifest's readers refuse larger shards.
const MAX_SHARD_BYTES: u64 = 256 << 20;

/// How the index of a split checkpoint ends, whose name is then the checkpoint's.
pub(crate) const INDEX_ENDING: &str = ".index.json";

/// How to convert a checkpoint.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How linear weights are stored.
    pub quantization: Quantization,
    /// The model's name; from the checkpoint's file name if not given.
    pub name: Option<String>,
    /// SPDX expression of the weights' licence.
    pub license: Option<String>,
    /// Largest shard.
    pub shard_bytes: u64,
    /// Short side after resizing; by `crop` if not given, else 256/224 of the image size, or of a BEiT of 384 or more pixels
    /// that size.
    pub short_side: Option<usize>,
    /// The image size as a share of the short side, which is rounded down as timm does.
    pub crop: Option<f64>,
    /// By the checkpoint's name if not given: ImageNet's, or BEiT's 0.5.
    pub mean: Option<[f32; 3]>,
    /// As [`Settings::mean`].
    pub std: Option<[f32; 3]>,
}

impl Settings {
    /// Everything else by default.
    pub fn new(quantization: Quantization) -> Self {
        Self {
            quantization,
            name: None,
            license: None,
            shard_bytes: DEFAULT_SHARD_BYTES,
            short_side: None,
            crop: None,
            mean: None,
            std: None,
        }
    }

    /// Checks what needs no checkpoint to be checked.
    pub(crate) fn check(&self) -> Result<(), CheckpointError> {
        let fault = |name, expected: &str, got: String| {
            Err(CheckpointError::Option { name, expected: expected.into(), got })
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if let Some(name) = &self.name
            && !(1..=150).contains(&name.len()) | name.starts_with('.') | !name.bytes().all(plain)
        {
            return fault(
                "--name",
                "at most 150 letters, digits, dots, dashes and underscores",
                name.clone(),
            );
        }
        if !(1..=MAX_SHARD_BYTES).contains(&self.shard_bytes) {
            return fault("--shard-size", "1 to 256 MiB", format!("{} bytes", self.shard_bytes));
        }
        Ok(())
    }

    /// The model's name, for a checkpoint of this path.
    pub(crate) fn name_for(&self, path: &Path) -> String {
        self.name.clone().unwrap_or_else(|| default_name(path))
    }

    /// Decides how photos are prepared, for a checkpoint of this path; gives a note where that is a guess.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub(crate) fn set_preprocessing(
        &self,
        path: &Path,
        config: &mut Config,
    ) -> Result<Option<Note>, CheckpointError> {
        let folder = path.parent().and_then(Path::file_name);
        let names = [path.file_name(), folder].into_iter().flatten().map(|name| name.to_string_lossy());
        let version = names.chain([config.name.as_str().into()]).find_map(|name| BeitVersion::told_by(&name));
        if version == Some(BeitVersion::V1) {
            beit_version::prepare_as_v1(config);
        }
        self.override_preprocessing(config)?;
        let decided = self.mean.is_some() && self.std.is_some();
        Ok(match version {
            _ if decided => None,
            Some(BeitVersion::V2) => None,
            Some(BeitVersion::V1) => Some(Note::PreparedAsBeit1),
            None => Some(Note::PreparedAsBeit2),
        })
    }

    fn override_preprocessing(&self, config: &mut Config) -> Result<(), CheckpointError> {
        let fault = |name, expected: String, got: String| CheckpointError::Option { name, expected, got };
        let preprocessing = &mut config.preprocessing;
        if let Some(short_side) = self.short_side {
            if !(preprocessing.crop..=8192).contains(&short_side) {
                let expected = format!("{} (the image size) to 8192", preprocessing.crop);
                return Err(fault("--short-side", expected, short_side.to_string()));
            }
            preprocessing.short_side = short_side;
        } else if let Some(crop) = self.crop {
            preprocessing.short_side = short_side_of(preprocessing.crop, crop)
                .ok_or_else(|| fault("crop", "a number up to 1".into(), crop.to_string()))?;
        }
        if let Some(mean) = self.mean {
            if !mean.iter().all(|m| m.is_finite()) {
                return Err(fault("--mean", "three finite numbers".into(), format!("{mean:?}")));
            }
            preprocessing.mean = mean;
        }
        if let Some(std) = self.std {
            if !std.iter().all(|s| s.is_finite() && *s > 0.0) {
                return Err(fault("--std", "three positive numbers".into(), format!("{std:?}")));
            }
            preprocessing.std = std;
        }
        Ok(())
    }

    /// GGUF's `general.*` metadata, and the kinds of classes that bring their own. The checkpoint itself is named in the manifest: see
    /// [`Manifest::source`](beit::weights::Manifest::source).
    pub(crate) fn metadata(&self, classes: &Classes) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::String(text.to_owned());
        let mut extra = vec![
            ("general.quantized_by", text(concat!("beitscope ", env!("CARGO_PKG_VERSION")))),
            // GGUF's version of the block formats.
            ("general.quantization_version", Value::U32(2)),
        ];
        if let Some(license) = &self.license {
            extra.push(("general.license", text(license)));
        }
        extra.extend(schema::kinds_metadata(&classes.kinds));
        extra
    }
}

/// `floor(image_size / crop)`, as timm scales photos; none if that is no size of a photo.
fn short_side_of(image_size: usize, crop: f64) -> Option<usize> {
    // A crop that is itself a quotient of two sides may be off by its last digit.
    let short_side = (image_size as f64 / crop + 1e-9).floor();
    let fits = (image_size as f64..=8192.0).contains(&short_side);
    fits.then_some(short_side as usize)
}

/// The checkpoint's file name, or its folder's where the file name says nothing.
fn default_name(path: &Path) -> String {
    const SAYS_NOTHING: [&str; 4] = ["model", "pytorch_model", "checkpoints", "checkpoint"];
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let file = Path::new(file.strip_suffix(INDEX_ENDING).or(file.strip_suffix(".tar")).unwrap_or(&file));
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // Browsers have no working folder to start from.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = if SAYS_NOTHING.contains(&stem.as_str()) { folder.unwrap_or(stem) } else { stem };
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = name.trim_start_matches('.').chars().map(plain).take(150).collect();
    if name.is_empty() { "beit".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python: `math.floor(size / crop_pct)`.
    #[test]
    fn short_sides_are_timms() {
        for (image_size, crop, short_side) in [
            (224, 0.9, Some(248)),
            (224, 0.95, Some(235)),
            (224, 0.875, Some(256)),
            (224, 0.8, Some(280)),
            (384, 1.0, Some(384)),
            (384, 384.0 / 438.0, Some(438)),
            (512, 0.01, None),
            (224, 1.5, None),
            (224, 0.0, None),
            (224, f64::NAN, None),
        ] {
            assert_eq!(short_side_of(image_size, crop), short_side, "{image_size} {crop}");
        }
    }

    #[test]
    fn names_come_from_what_says_something() {
        let names = [
            ("/x/beitv2_large_patch16_224_pt1k_ft21kto1k.pth", "beitv2_large_patch16_224_pt1k_ft21kto1k"),
            ("/x/beitv2_large.in1k/model.safetensors", "beitv2_large.in1k"),
            ("/x/我的 model.pt", "---model"),
            ("/x/.hidden.pt", "hidden"),
            ("/x/sharded/model.safetensors.index.json", "sharded"),
            ("/x/birds.bin.index.json", "birds"),
            ("/x/last.pth.tar", "last"),
        ];
        for (path, name) in names {
            assert_eq!(default_name(Path::new(path)), name);
        }
    }
}

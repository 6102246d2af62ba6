//! What a hub tells of a checkpoint beside its weights: how photos are prepared, and the licence. It is in small files
//! of the same repository: `config.json` of timm and transformers, transformers' `preprocessor_config.json`, ModelScope's
//! `configuration.json`, and the model card.
//!
//! A field that would change a network's answers is taken as it is meant or refused, never guessed; other fields that
//! make no sense are as good as missing.

mod fields;
mod license;
mod modelscope;
mod timm;
mod transformers;

pub use license::license_of_card;

use crate::Settings;
use crate::beit_version::V1_MEAN_AND_STD;
use serde_json::{Map, Value};

/// The files that [`parse`] reads, those first that tell of nothing but preparation: a network's name decides last.
pub const FILES: [&str; 3] = ["preprocessor_config.json", "configuration.json", "config.json"];
/// The model card, which [`license_of_card`] reads.
pub const CARD: &str = "README.md";

/// With a name for each of 21,841 classes a file has 2 MB.
pub const MAX_BYTES: u64 = 8 << 20;

/// What [`HubConfig::apply`] calls the licence.
const LICENSE: &str = "license";

/// What one of the files tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HubConfig {
    /// The network's name in its library: timm's `beitv2_large_patch16_224`, transformers' `BeitForImageClassification`.
    pub architecture: Option<String>,
    /// Of red, green and blue, 0 to 1.
    pub mean: Option<[f32; 3]>,
    /// Standard deviation of red, green and blue, 0 to 1.
    pub std: Option<[f32; 3]>,
    /// Side of the square that the network sees, as a share of the resized photo's short side: timm's `crop_pct`.
    pub crop: Option<f64>,
    /// Side of the square that the network sees, in pixels.
    pub input_size: Option<u64>,
    /// SPDX expression of the weights' licence, or the hub's own word for it.
    pub license: Option<String>,
    /// The file that tells it.
    pub file: String,
}

/// Reads one of [`FILES`]. What kind it is, its content tells: hubs use the same names for several.
///
/// # Errors
/// A sentence without the file's name, when the file is no JSON object or tells preparation in a way that can't be followed.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<HubConfig, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it has {} bytes, at most {MAX_BYTES} are read", bytes.len()));
    }
    let root: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON object: {error}"))?;
    let has = |names: &[&str]| names.iter().any(|name| root.contains_key(*name));
    let mut config = if has(&["image_mean", "image_std", "image_processor_type", "feature_extractor_type"]) {
        transformers::preprocessor(&root)?
    } else if has(&["pretrained_cfg"]) {
        timm::config(&root)?
    } else if has(&["framework", "preprocessor"]) {
        modelscope::configuration(&root)?
    } else if has(&["model_type", "architectures"]) {
        transformers::config(&root)
    } else {
        timm::flat(&root)?
    };
    if config.mean.is_some() != config.std.is_some() {
        return Err("it has one of mean and standard deviation, expected both or none".into());
    }
    file_name.clone_into(&mut config.file);
    Ok(config)
}

/// What a file told that the settings left open.
pub struct Taken {
    /// The file's name.
    pub file: &'static str,
    /// Such as `mean`.
    pub fields: Vec<&'static str>,
}

/// Fills in what the settings leave open, from the files beside a checkpoint. `read` gives the content of the file of this
/// name, if there is one; `refuse` says that a file can't be followed, for this reason.
///
/// # Errors
/// Those of `read`, and what `refuse` makes of a file.
pub async fn fill_in<E>(
    settings: &mut Settings,
    read: impl AsyncFn(&'static str) -> Result<Option<Vec<u8>>, E>,
    refuse: impl Fn(&str, &str) -> E,
) -> Result<Vec<Taken>, E> {
    let mut taken = Vec::new();
    for file in FILES {
        let is_scaled = settings.short_side.is_some() || settings.crop.is_some();
        if settings.mean.is_some() && settings.std.is_some() && is_scaled {
            break;
        }
        let Some(bytes) = read(file).await? else { continue };
        let config = parse(file, &bytes).map_err(|reason| refuse(file, &reason))?;
        taken.push(Taken { file, fields: config.apply(settings) });
    }
    if settings.license.is_none() {
        settings.license = read(CARD).await?.and_then(|card| license_of_card(&card));
        if settings.license.is_some() {
            taken.push(Taken { file: CARD, fields: vec![LICENSE] });
        }
    }
    taken.retain(|taken| !taken.fields.is_empty());
    Ok(taken)
}

impl Taken {
    /// Whether it tells how photos are prepared.
    pub fn is_preparation(&self) -> bool {
        self.fields.iter().any(|field| *field != LICENSE)
    }
}

impl HubConfig {
    /// Whether the network is BEiT's first version by its name. Its photos are prepared otherwise than BEiTv2's.
    fn is_beit_v1(&self) -> bool {
        // transformers has BEiT's first version alone under this name.
        self.architecture.as_deref().is_some_and(|name| name.starts_with("beit_") || name.starts_with("Beit"))
    }

    /// Fills in what the settings leave open, and names what that was.
    pub fn apply(&self, settings: &mut Settings) -> Vec<&'static str> {
        let mut taken = Vec::new();
        let by_name = self.is_beit_v1().then_some(V1_MEAN_AND_STD);
        for (field, told, name, name_by_version) in [
            (&mut settings.mean, self.mean, "mean", "BEiT v1's mean"),
            (&mut settings.std, self.std, "std", "BEiT v1's std"),
        ] {
            if field.is_none() && (told.is_some() || by_name.is_some()) {
                *field = told.or(by_name);
                taken.push(if told.is_some() { name } else { name_by_version });
            }
        }
        if settings.short_side.is_none() && settings.crop.is_none() && self.crop.is_some() {
            settings.crop = self.crop;
            taken.push("crop");
        }
        if settings.license.is_none() && self.license.is_some() {
            settings.license.clone_from(&self.license);
            taken.push(LICENSE);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quantization;
    use serde_json::json;

    fn applied(file: &str, json: &Value) -> (Settings, Vec<&'static str>) {
        let mut settings = Settings::new(Quantization::Q8_0);
        let taken = parse(file, json.to_string().as_bytes()).unwrap().apply(&mut settings);
        (settings, taken)
    }

    #[test]
    fn settings_that_were_given_are_kept() {
        let file = json!({ "pretrained_cfg": {
            "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "crop_pct": 0.95, "license": "mit"
        } });
        let (settings, taken) = applied("config.json", &file);
        assert_eq!(
            (settings.mean, settings.std, settings.crop, settings.license.as_deref()),
            (Some([0.1, 0.2, 0.3]), Some([0.4, 0.5, 0.6]), Some(0.95), Some("MIT"))
        );
        assert_eq!(taken, ["mean", "std", "crop", "license"]);

        let mut given = Settings {
            mean: Some([0.0; 3]),
            short_side: Some(300),
            license: Some("ISC".into()),
            ..Settings::new(Quantization::Q8_0)
        };
        let config = parse("config.json", file.to_string().as_bytes()).unwrap();
        assert_eq!(config.apply(&mut given), ["std"]);
        assert_eq!((given.mean, given.short_side, given.crop), (Some([0.0; 3]), Some(300), None));
        assert_eq!(given.license.as_deref(), Some("ISC"));
    }

    #[test]
    fn the_first_beit_never_gets_imagenets_mean() {
        let half = Some([0.5; 3]);
        for (file, v1) in [
            (json!({ "architecture": "beit_large_patch16_384", "pretrained_cfg": {} }), true),
            (json!({ "model_type": "beit", "architectures": ["BeitForImageClassification"] }), true),
            (json!({ "architecture": "beitv2_large_patch16_224", "pretrained_cfg": {} }), false),
        ] {
            let (settings, taken) = applied("config.json", &file);
            assert_eq!((settings.mean, settings.std), if v1 { (half, half) } else { (None, None) }, "{file}");
            assert_eq!(taken.len(), if v1 { 2 } else { 0 }, "{taken:?}");
        }
        let (settings, _) = applied(
            "config.json",
            &json!({ "architecture": "beit_base_patch16_224",
                     "pretrained_cfg": { "mean": [0.4, 0.4, 0.4], "std": [0.3, 0.3, 0.3] } }),
        );
        assert_eq!(settings.mean, Some([0.4; 3]), "what the file tells comes first");
    }

    #[test]
    fn damaged_and_hostile_files_are_refused() {
        let huge = vec![b' '; 10_000_000];
        for (bytes, reason) in [
            (&b"<html>"[..], "no JSON"),
            (b"[1, 2]", "no JSON object"),
            (b"", "no JSON"),
            (br#"{"pretrained_cfg": {"mean": [NaN, 0.4, 0.4]}}"#, "no JSON"),
            (br#"{"pretrained_cfg": {"mean": [1e999, 0.4, 0.4], "std": 1}}"#, "no JSON"),
            (br#"{"pretrained_cfg": {"mean": [0.5, 0.5, 0.5]}}"#, "expected both or none"),
            (&huge, "10000000 bytes"),
        ] {
            let refused = parse("config.json", bytes).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(parse("config.json", &[b"{\"a\":", &deep[..], b"}"].concat()).is_err());
    }

    #[test]
    fn a_file_that_tells_nothing_is_no_fault() {
        let config = parse("config.json", br#"{"license": 7, "num_classes": "many"}"#).unwrap();
        assert_eq!(config, HubConfig { file: "config.json".into(), ..HubConfig::default() });
    }
}

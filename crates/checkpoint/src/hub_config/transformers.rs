//! transformers' `preprocessor_config.json` and `config.json`.

use super::HubConfig;
use super::fields::{Object, channels, field, refused, side, text};
use super::license::spdx;
use serde_json::Value;

/// `{"image_mean": […], "image_std": […], "size": …, "do_center_crop": …, "crop_size": …}`
pub(super) fn preprocessor(root: &Object) -> Result<HubConfig, String> {
    if let Some(factor) = field(root, "rescale_factor")
        && !factor.as_f64().is_some_and(|factor| (factor * 255.0 - 1.0).abs() < 1e-3)
    {
        return Err(refused("rescale_factor", "1/255", factor));
    }
    let is = |name: &str| field(root, name).and_then(Value::as_bool);
    let (mean, std) = match is("do_normalize") {
        Some(false) => (Some([0.0; 3]), Some([1.0; 3])),
        _ => (channels(root, "image_mean", 1.0)?, channels(root, "image_std", 1.0)?),
    };
    let size = field(root, "size");
    // A size with two sides distorts the photo, and there is nothing to be cut off.
    let keeps_shape = size.is_some_and(|size| size.is_u64() || size.get("shortest_edge").is_some());
    let (scaled, square) = (size.and_then(side), field(root, "crop_size").and_then(side));
    let cut =
        scaled.zip(square).filter(|(scaled, square)| is("do_center_crop") == Some(true) && square <= scaled);
    let crop = cut.filter(|_| keeps_shape).map(|(scaled, square)| square as f64 / scaled as f64);
    let input_size = if is("do_center_crop") == Some(true) { square } else { scaled };
    Ok(HubConfig { mean, std, crop, input_size, ..HubConfig::default() })
}

/// `{"model_type": "beit", "architectures": ["BeitForImageClassification"], "image_size": …}`
pub(super) fn config(root: &Object) -> HubConfig {
    let first = field(root, "architectures").and_then(|names| names.get(0)?.as_str());
    // The type alone names the network as the class does.
    let by_type = || text(root, "model_type").filter(|kind| kind == "beit").map(|_| "BeitModel".to_owned());
    HubConfig {
        architecture: first.filter(|name| name.len() <= 120).map(str::to_owned).or_else(by_type),
        input_size: field(root, "image_size").and_then(side),
        license: text(root, "license").and_then(|word| spdx(&word)),
        ..HubConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// As transformers writes it for BEiT.
    const PREPROCESSOR: &str = r#"{
      "crop_size": {"height": 224, "width": 224},
      "do_center_crop": true,
      "do_normalize": true,
      "do_resize": true,
      "feature_extractor_type": "BeitFeatureExtractor",
      "image_mean": [0.5, 0.5, 0.5],
      "image_std": [0.5, 0.5, 0.5],
      "resample": 2,
      "rescale_factor": 0.00392156862745098,
      "size": {"shortest_edge": 256}
    }"#;

    fn read(from: &str, to: &str) -> Result<HubConfig, String> {
        assert!(PREPROCESSOR.contains(from), "{from}");
        parse("preprocessor_config.json", PREPROCESSOR.replace(from, to).as_bytes())
    }

    #[test]
    fn a_preprocessor_tells_mean_and_crop() {
        let config = read("", "").unwrap();
        assert_eq!((config.mean, config.std), (Some([0.5; 3]), Some([0.5; 3])));
        assert_eq!((config.crop, config.input_size), (Some(0.875), Some(224)));
        assert_eq!(config.file, "preprocessor_config.json");
        let sizes = (r#"{"shortest_edge": 256}"#, r#""center""#);
        assert_eq!(read(sizes.0, "256").unwrap().crop, Some(0.875), "of older versions");
        // The whole photo, distorted; no cut; a cut larger than the photo.
        for (from, to) in [
            (sizes.0, r#"{"height": 256, "width": 256}"#),
            ("\"do_center_crop\": true", "\"do_center_crop\": false"),
            (sizes.0, "200"),
        ] {
            assert_eq!(read(from, to).unwrap().crop, None, "{to}");
        }
    }

    #[test]
    fn photos_that_are_not_normalised_keep_their_values() {
        let config = read("\"do_normalize\": true", "\"do_normalize\": false").unwrap();
        assert_eq!((config.mean, config.std), (Some([0.0; 3]), Some([1.0; 3])));
        assert!(read("0.00392156862745098", "0.00784").unwrap_err().contains("1/255"));
        assert!(read("[0.5, 0.5, 0.5]", "[\"half\"]").unwrap_err().contains("image_mean"));
    }

    #[test]
    fn a_config_names_the_network() {
        let config = r#"{"architectures": ["BeitForImageClassification"], "model_type": "beit", "image_size": 384,
            "id2label": {"0": "tench"}, "hidden_size": 1024}"#;
        let config = parse("config.json", config.as_bytes()).unwrap();
        assert_eq!(config.architecture.as_deref(), Some("BeitForImageClassification"));
        assert_eq!((config.input_size, config.mean), (Some(384), None));
        let config = parse("config.json", br#"{"architectures": [7], "model_type": "beit"}"#).unwrap();
        assert_eq!(config.architecture.as_deref(), Some("BeitModel"));
    }
}

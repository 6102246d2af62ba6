//! timm's `config.json`.

use super::HubConfig;
use super::fields::{Object, channels, field, refused, share, side, text};
use super::license::spdx;

/// `{"architecture": …, "pretrained_cfg": {"mean": […], "std": […], "crop_pct": …, "input_size": [3, H, W], …}}`
pub(super) fn config(root: &Object) -> Result<HubConfig, String> {
    match field(root, "pretrained_cfg") {
        Some(config) => {
            let object = config.as_object();
            let object = object.ok_or_else(|| refused("pretrained_cfg", "an object", config))?;
            let read = flat(object)?;
            let architecture = text(root, "architecture").or(read.architecture);
            let license = read.license.or_else(|| spdx(&text(root, "license")?));
            Ok(HubConfig { architecture, license, ..read })
        }
        None => flat(root),
    }
}

/// The same fields at the top, as in files of timm before 0.8.
pub(super) fn flat(object: &Object) -> Result<HubConfig, String> {
    // Only of a photo's middle does the share tell how it is scaled.
    let is_center = text(object, "crop_mode").is_none_or(|mode| mode == "center");
    let crop = if is_center { share(object, "crop_pct")? } else { None };
    Ok(HubConfig {
        architecture: text(object, "architecture"),
        mean: channels(object, "mean", 1.0)?,
        std: channels(object, "std", 1.0)?,
        crop,
        input_size: field(object, "input_size").and_then(side),
        license: text(object, "license").and_then(|word| spdx(&word)),
        file: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// As timm 1.0 writes it.
    const CONFIG: &str = r#"{
      "architecture": "beitv2_large_patch16_224",
      "num_classes": 1000,
      "num_features": 1024,
      "global_pool": "avg",
      "pretrained_cfg": {
        "tag": "in1k_ft_in22k_in1k",
        "custom_load": false,
        "input_size": [3, 224, 224],
        "fixed_input_size": true,
        "interpolation": "bicubic",
        "crop_pct": 0.95,
        "crop_mode": "center",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "num_classes": 1000,
        "pool_size": null,
        "first_conv": "patch_embed.proj",
        "classifier": "head",
        "license": "apache-2.0"
      }
    }"#;

    #[test]
    fn the_config_of_a_hub_model_is_read() {
        let expected = HubConfig {
            architecture: Some("beitv2_large_patch16_224".into()),
            mean: Some([0.485, 0.456, 0.406]),
            std: Some([0.229, 0.224, 0.225]),
            crop: Some(0.95),
            input_size: Some(224),
            license: Some("Apache-2.0".into()),
            file: "config.json".into(),
        };
        assert_eq!(parse("config.json", CONFIG.as_bytes()), Ok(expected));
    }

    #[test]
    fn files_of_older_versions_have_the_fields_at_the_top() {
        let old = r#"{"architecture": "beit_base_patch16_384", "num_classes": 1000, "input_size": [3, 384, 384],
            "crop_pct": 1.0, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "label_names": ["a", "b"]}"#;
        let read = parse("config.json", old.as_bytes()).unwrap();
        assert_eq!((read.mean, read.crop, read.input_size), (Some([0.5; 3]), Some(1.0), Some(384)));
        assert_eq!(read.architecture.as_deref(), Some("beit_base_patch16_384"));
    }

    #[test]
    fn what_would_change_answers_is_refused_and_the_rest_left_out() {
        for (from, to, refusal) in [
            ("[0.485, 0.456, 0.406]", r#"["0.485", "0.456", "0.406"]"#, "mean: expected three numbers"),
            ("[0.229, 0.224, 0.225]", "[0.229, 0.224, -0.225]", "std: expected three numbers"),
            ("0.95", "95", "crop_pct: expected"),
            ("[0.485, 0.456, 0.406]", "null", "both or none"),
        ] {
            let refused = parse("config.json", CONFIG.replace(from, to).as_bytes()).unwrap_err();
            assert!(refused.contains(refusal), "{refused}");
        }
        let refused = parse("config.json", br#"{"pretrained_cfg": "none"}"#).unwrap_err();
        assert!(refused.contains("an object"), "{refused}");
        for (from, to) in
            [("[3, 224, 224]", "[3, 224, 256]"), ("\"apache-2.0\"", "[]"), ("\"center\"", "\"squash\"")]
        {
            let read = parse("config.json", CONFIG.replace(from, to).as_bytes()).unwrap();
            let missing = [read.input_size.is_none(), read.license.is_none(), read.crop.is_none()];
            assert_eq!(missing.iter().filter(|missing| **missing).count(), 1, "{to}");
        }
    }
}

//! ModelScope's `configuration.json`: preparation as a list of mmcls' steps.

use super::HubConfig;
use super::fields::{Object, channels, field, refused, side, text};
use super::license::spdx;
use serde_json::Value;

/// Where the steps for photos that are classified stand, the likeliest first.
const PLACES: [&[&str]; 6] = [
    &["preprocessor", "val"],
    &["preprocessor", "test"],
    &["preprocessor", "infer"],
    &["dataset", "val", "pipeline"],
    &["data", "val", "pipeline"],
    &["test_pipeline"],
];

/// `{"framework": "pytorch", "task": "image-classification", "preprocessor": {"val": [{"type": "Resize", …}, …]}, …}`
pub(super) fn configuration(root: &Object) -> Result<HubConfig, String> {
    let license = text(root, "license").and_then(|word| spdx(&word));
    let places = PLACES.iter().filter_map(|place| {
        let (first, rest) = place.split_first()?;
        rest.iter().try_fold(root.get(*first)?, |at, name| at.get(*name))?.as_array()
    });
    let Some(steps) = places.into_iter().next() else {
        return Ok(HubConfig { license, ..HubConfig::default() });
    };
    let steps: Vec<&Object> = steps.iter().filter_map(Value::as_object).collect();
    let (mean, std) = normalization(&steps)?;
    let (scaled, square) = (scaled(&steps), one(&steps, &["CenterCrop"]).and_then(square));
    let cut = scaled.zip(square).filter(|(scaled, square)| square <= scaled);
    let crop = cut.map(|(scaled, square)| square as f64 / scaled as f64);
    Ok(HubConfig { mean, std, crop, input_size: square, license, ..HubConfig::default() })
}

type MeanAndStd = (Option<[f32; 3]>, Option<[f32; 3]>);

/// Of values from 0 to 255 in mmcls, from 0 to 1 in torchvision: the deviations tell which.
fn normalization(steps: &[&Object]) -> Result<MeanAndStd, String> {
    let named: Vec<_> = steps.iter().filter(|step| kind(step).ends_with("Normalize")).collect();
    let step = match named[..] {
        [] => return Ok((None, None)),
        [step] => step,
        _ => return Err(format!("photos are normalised {} times, expected once", named.len())),
    };
    if let Some(order) = field(step, "to_rgb").filter(|order| order.as_bool() != Some(true)) {
        return Err(refused("to_rgb", "true, since networks that want blue first can't be told so", order));
    }
    let above_one = |value: &Value| value.as_f64().is_some_and(|number| number > 1.0);
    let is_bytes = match field(step, "std") {
        Some(Value::Array(values)) => values.iter().any(above_one),
        Some(value) => above_one(value),
        None => false,
    };
    let top = if is_bytes { 255.0 } else { 1.0 };
    let (mean, std) = (channels(step, "mean", top)?, channels(step, "std", top)?);
    if let (true, Some(std)) = (is_bytes, std)
        && std.iter().any(|channel| *channel <= 1.0 / 255.0)
    {
        return Err("std: some are of values from 0 to 255 and some from 0 to 1".into());
    }
    Ok((mean, std))
}

/// Short side of the resized photo, where its shape is kept.
fn scaled(steps: &[&Object]) -> Option<u64> {
    let step = one(steps, &["Resize", "ResizeEdge"])?;
    if kind(step).ends_with("ResizeEdge") {
        let short = text(step, "edge").is_none_or(|edge| edge == "short");
        return field(step, "scale").filter(|_| short).and_then(side);
    }
    match field(step, "size")?.as_array()?.as_slice() {
        [short, rest] if rest.as_i64() == Some(-1) => side(short),
        _ => None,
    }
}

fn square(step: &Object) -> Option<u64> {
    let efficientnet = field(step, "efficientnet_style").and_then(Value::as_bool) == Some(true);
    field(step, "crop_size").filter(|_| !efficientnet).and_then(side)
}

/// The only step of these kinds.
fn one<'a>(steps: &[&'a Object], kinds: &[&str]) -> Option<&'a Object> {
    let mut found =
        steps.iter().filter(|step| kinds.iter().any(|name| kind(step).trim_start_matches("mmcls.") == *name));
    found.next().filter(|_| found.next().is_none()).copied()
}

fn kind(step: &Object) -> &str {
    step.get("type").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// As the image classification models of ModelScope have it.
    const CONFIGURATION: &str = r#"{
      "framework": "pytorch",
      "task": "image-classification",
      "pipeline": {"type": "image-classification"},
      "model": {"type": "ClassificationModel", "mm_model": {"type": "ImageClassifier",
        "backbone": {"type": "VisionTransformer", "img_size": 224}, "head": {"num_classes": 1000}}},
      "preprocessor": {
        "type": "image-classification-mmcv-preprocessor",
        "train": [{"type": "RandomResizedCrop", "size": 224}, {"type": "Normalize", "mean": [1, 2, 3], "std": [4, 5, 6]}],
        "val": [
          {"type": "LoadImageFromFile"},
          {"type": "Resize", "size": [256, -1], "backend": "pillow", "interpolation": "bicubic"},
          {"type": "CenterCrop", "crop_size": 224, "backend": "pillow", "interpolation": "bicubic"},
          {"type": "Normalize", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": true},
          {"type": "ImageToTensor", "keys": ["img"]},
          {"type": "Collect", "keys": ["img"]}
        ]
      }
    }"#;

    fn read(from: &str, to: &str) -> Result<HubConfig, String> {
        assert!(CONFIGURATION.contains(from), "{from}");
        parse("configuration.json", CONFIGURATION.replace(from, to).as_bytes())
    }

    #[test]
    fn the_steps_for_classified_photos_are_read() {
        let config = read("", "").unwrap();
        assert_eq!(config.mean, Some([0.485, 0.456, 0.406]));
        assert_eq!(config.std, Some([0.229, 0.224, 0.225]));
        assert_eq!((config.crop, config.input_size), (Some(0.875), Some(224)));
        let of_floats = read(
            "[123.675, 116.28, 103.53], \"std\": [58.395, 57.12, 57.375]",
            "[0.5, 0.5, 0.5], \"std\": [0.5, 0.5, 0.5]",
        );
        assert_eq!(of_floats.unwrap().mean, Some([0.5; 3]));
        let edge = read(r#""Resize", "size": [256, -1]"#, r#""ResizeEdge", "scale": 256, "edge": "short""#);
        assert_eq!(edge.unwrap().crop, Some(0.875));
    }

    #[test]
    fn what_can_not_be_followed_is_refused_or_left_out() {
        for (from, to, reason) in [
            ("\"to_rgb\": true", "\"to_rgb\": false", "blue first"),
            ("[58.395, 57.12, 57.375]", "[58.395, 57.12, 0.225]", "from 0 to 255 and some from 0 to 1"),
            ("[123.675, 116.28, 103.53]", "[123.675, 116.28, 300]", "mean: expected"),
            ("[123.675, 116.28, 103.53]", "[\"123.675\", 116.28, 103.53]", "mean: expected"),
            ("{\"type\": \"ImageToTensor\", \"keys\": [\"img\"]}", "{\"type\": \"Normalize\"}", "2 times"),
        ] {
            let refused = read(from, to).unwrap_err();
            assert!(refused.contains(reason), "{to}: {refused}");
        }
        for (from, to) in [("[256, -1]", "256"), ("[256, -1]", "[256, 256]"), ("[256, -1]", "[200, -1]")] {
            assert_eq!(read(from, to).unwrap().crop, None, "{to}");
        }
        let bare =
            parse("configuration.json", br#"{"framework": "pytorch", "task": "image-classification"}"#)
                .unwrap();
        assert_eq!((bare.mean, bare.crop), (None, None));
        for odd in [r#"{"preprocessor": 7}"#, r#"{"preprocessor": {"val": [1, null, {"type": 2}]}}"#] {
            assert_eq!(parse("configuration.json", odd.as_bytes()).unwrap().mean, None, "{odd}");
        }
    }
}

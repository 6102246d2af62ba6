//! Fields of a JSON object: as they are meant, missing, or refused with their name.

use serde_json::{Map, Value};

pub(super) type Object = Map<String, Value>;

/// Names in messages and metadata are cut off here.
const MAX_TEXT: usize = 120;

/// A field that is there; `null` is as good as missing.
pub(super) fn field<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// A short text.
pub(super) fn text(object: &Object, name: &str) -> Option<String> {
    let text = field(object, name)?.as_str()?;
    (!text.is_empty() && text.len() <= MAX_TEXT && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// A mean or a standard deviation, one number for each colour or one for all. `top` is white's value.
///
/// # Errors
/// When it is there and means nothing.
pub(super) fn channels(object: &Object, name: &str, top: f64) -> Result<Option<[f32; 3]>, String> {
    let Some(value) = field(object, name) else { return Ok(None) };
    let numbers = match value {
        Value::Array(items) => items.iter().map(Value::as_f64).collect::<Option<Vec<_>>>(),
        single => single.as_f64().map(|number| vec![number; 3]),
    };
    let numbers = numbers.and_then(|numbers| <[f64; 3]>::try_from(numbers).ok());
    let is_spread = name.ends_with("std");
    let fits = |number: &f64| (0.0..=top).contains(number) && (!is_spread || *number > 0.0);
    match numbers.filter(|numbers| numbers.iter().all(fits)) {
        Some(numbers) => Ok(Some(numbers.map(|number| (number / top) as f32))),
        None => {
            let from = if is_spread { "above 0 and up" } else { "from 0" };
            Err(refused(name, &format!("three numbers {from} to {top}"), value))
        }
    }
}

/// Side of the square that is cut out of a photo, as a share of its short side.
///
/// # Errors
/// When it is there and no share.
pub(super) fn share(object: &Object, name: &str) -> Result<Option<f64>, String> {
    let Some(value) = field(object, name) else { return Ok(None) };
    // A short side of more than twenty times the square is no preparation of a photo.
    let share = value.as_f64().filter(|share| (0.05..=1.0).contains(share));
    share.map(Some).ok_or_else(|| refused(name, "a number from 0.05 to 1", value))
}

/// Side of a square in pixels: a number, or two equal ones, or an object with one or two.
pub(super) fn side(value: &Value) -> Option<u64> {
    let side = match value {
        Value::Array(sides) => match &sides[..] {
            [height, width] | [_, height, width] if height == width => height.as_u64(),
            _ => None,
        },
        Value::Object(sides) => match (sides.get("shortest_edge"), sides.get("height"), sides.get("width")) {
            (Some(edge), ..) => edge.as_u64(),
            (None, Some(height), Some(width)) if height == width => height.as_u64(),
            _ => None,
        },
        number => number.as_u64(),
    };
    side.filter(|side| (1..=8192).contains(side))
}

/// Why a field is refused; its value is cut short.
pub(super) fn refused(name: &str, expected: &str, got: &Value) -> String {
    format!("{name}: expected {expected}, got {:.120}", got.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn channels_are_three_numbers_in_range_or_refused() {
        let read = |value: Value, top| channels(json!({ "std": value }).as_object().unwrap(), "std", top);
        assert_eq!(read(json!([0.1, 0.2, 1]), 1.0), Ok(Some([0.1, 0.2, 1.0])));
        assert_eq!(read(json!([58.395, 57.12, 57.375]), 255.0), Ok(Some([0.229, 0.224, 0.225])));
        assert_eq!(read(json!(0.5), 1.0), Ok(Some([0.5; 3])));
        assert_eq!(read(Value::Null, 1.0), Ok(None));
        for wrong in [
            json!(["0.1", "0.2", "0.3"]),
            json!([0.1, 0.2]),
            json!([0.1, 0.2, 0.3, 0.4]),
            json!([0.1, 0.2, -0.3]),
            json!([0.1, 0.2, 0.0]),
            json!([58.4, 57.1, 57.4]),
            json!([null, 0.2, 0.3]),
            json!({}),
            json!("imagenet"),
            json!(true),
        ] {
            let refused = read(wrong.clone(), 1.0).unwrap_err();
            assert!(refused.starts_with("std: expected three numbers above 0"), "{wrong}: {refused}");
        }
        assert!(read(json!("x".repeat(1000)), 1.0).unwrap_err().len() < 200);
    }

    #[test]
    fn sides_are_given_in_many_ways() {
        for (value, expected) in [
            (json!(224), Some(224)),
            (json!([384, 384]), Some(384)),
            (json!([3, 224, 224]), Some(224)),
            (json!({ "height": 224, "width": 224 }), Some(224)),
            (json!({ "shortest_edge": 256 }), Some(256)),
            (json!([224, 256]), None),
            (json!(-1), None),
            (json!(0), None),
            (json!(1e9), None),
            (json!("224"), None),
            (json!({ "height": 224 }), None),
        ] {
            assert_eq!(side(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_share_is_a_share() {
        let read = |value: Value| share(json!({ "crop_pct": value }).as_object().unwrap(), "crop_pct");
        assert_eq!(
            (read(json!(0.95)), read(json!(1)), read(Value::Null)),
            (Ok(Some(0.95)), Ok(Some(1.0)), Ok(None))
        );
        for wrong in [json!(0), json!(-0.9), json!(1.1), json!(95), json!("0.9"), json!([0.9])] {
            assert!(read(wrong.clone()).unwrap_err().starts_with("crop_pct: expected"), "{wrong}");
        }
    }
}

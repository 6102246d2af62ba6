//! Logits in a journal's line, so that a calibration goes on where it was stopped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a calibration needs to know of a photo. In F32, so that a resumed run ends in the very numbers of one that was
/// not stopped: 5.3 kB a photo for 1,000 classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptLogits {
    /// SHA-256 of the photo's file, lower-case hexadecimal.
    pub sha256: String,
    /// One for each class: F32, little-endian, in base64.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub logits: Vec<f32>,
}

fn to_base64<S: Serializer>(logits: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = logits.iter().flat_map(|logit| logit.to_le_bytes()).collect();
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
    let (floats, []) = bytes.as_chunks::<4>() else { return Err(D::Error::custom("a part of a number")) };
    Ok(floats.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_back_bit_for_bit() {
        let kept = KeptLogits { sha256: "ab".into(), logits: vec![0.1, -7.25, f32::MIN_POSITIVE, 3e38] };
        let json = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<KeptLogits>(&json).unwrap(), kept);
        for damaged in ["AAAA", "AAAAAA==!", "AAA"] {
            let json = format!(r#"{{"sha256":"ab","logits":"{damaged}"}}"#);
            assert!(serde_json::from_str::<KeptLogits>(&json).is_err(), "{damaged}");
        }
    }
}

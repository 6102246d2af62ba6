//! Metadata of a model's own kinds of things.

use super::{Metadata, Reader, mismatch};
use crate::kinds::Kind;
use crate::labels::Label;
use crate::weights::WeightsError;
use crate::weights::gguf::Value;

const KIND_WNIDS: &str = "beit.kinds.wnid";
const KINDS_EN: &str = "beit.kinds.en";
const KINDS_ZH: &str = "beit.kinds.zh";
const KIND_CLASSES: &str = "beit.kinds.classes";

/// The metadata of a model's own kinds; none without kinds.
pub fn kinds_metadata(kinds: &[Kind]) -> Vec<(&'static str, Value)> {
    if kinds.is_empty() {
        return Vec::new();
    }
    let column = |pick: fn(&Kind) -> String| {
        Value::Array(kinds.iter().map(|kind| Value::String(pick(kind))).collect())
    };
    vec![
        (KIND_WNIDS, column(|kind| kind.label.wnid.clone())),
        (KINDS_EN, column(|kind| kind.label.en.clone())),
        (KINDS_ZH, column(|kind| kind.label.zh.clone())),
        (KIND_CLASSES, column(Kind::classes)),
    ]
}

/// Reads the model's own kinds; a file without them has none.
pub fn read_kinds(metadata: &Metadata, classes: usize) -> Result<Vec<Kind>, WeightsError> {
    let m = Reader(metadata);
    let Some(ranges) = metadata.get(KIND_CLASSES) else { return Ok(Vec::new()) };
    let count = ranges.as_array().map_or(0, <[Value]>::len);
    let [wnids, en, zh] = [m.texts(KIND_WNIDS, count)?, m.texts(KINDS_EN, count)?, m.texts(KINDS_ZH, count)?];
    let labels = wnids.into_iter().zip(en).zip(zh).map(|((wnid, en), zh)| Label { wnid, en, zh });
    let kind = |(label, ranges): (Label, String)| {
        Kind::new(label, &ranges, classes).ok_or_else(|| {
            let got = ranges.chars().take(60).collect::<String>();
            mismatch(KIND_CLASSES, "ascending indices of classes and ranges of them", got)
        })
    };
    labels.zip(m.texts(KIND_CLASSES, count)?).map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_the_round_trip_and_are_checked() {
        let label = |en: &str| Label { wnid: "n00000001".into(), en: en.into(), zh: String::new() };
        let kinds = ["0-3", "0,2-3"].map(|classes| Kind::new(label(classes), classes, 4).unwrap());
        let read: Metadata = kinds_metadata(&kinds).into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        assert_eq!(read_kinds(&read, 4).unwrap(), kinds);
        assert_eq!(read_kinds(&Metadata::new(), 4).unwrap(), []);
        assert!(kinds_metadata(&[]).is_empty());
        assert!(read_kinds(&read, 3).unwrap_err().to_string().contains(KIND_CLASSES));
        for key in [KIND_WNIDS, KINDS_EN, KINDS_ZH, KIND_CLASSES] {
            for value in [Value::Array(vec![Value::String("n1".into())]), Value::U32(1)] {
                let mut spoilt = read.clone();
                spoilt.insert(key.to_owned(), value);
                let error = read_kinds(&spoilt, 4).unwrap_err().to_string();
                assert!(error.contains("beit.kinds."), "{key}: {error}");
            }
        }
    }
}

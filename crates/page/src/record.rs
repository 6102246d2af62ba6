//! One result as a link: a record of what was seen in which photo by which model, in the fragment of the
//! page's address. The photo is not in it, and browsers send no fragment to a server.

use crate::export::backend;
use crate::photo::{Photo, Provenance};
use protocol::{Answer, Prediction};
use serde::{Deserialize, Serialize};

/// What a fragment with a record begins with.
pub const KEY: &str = "result=";

/// A longer fragment is no record of ours.
const LONGEST: usize = 8 << 10;
/// A record has at most so many classes.
const MOST_CLASSES: usize = 20;
/// No model that is loaded has more.
const MOST_CLASSES_OF_A_MODEL: u64 = 1_000_000;
/// No name or label in a record is longer.
const LONGEST_TEXT: usize = 300;

/// A result that can be shared, and checked by whoever has the photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub file: String,
    pub bytes: u64,
    /// SHA-256 of the photo's file.
    pub sha256: String,
    pub model: String,
    /// The identity of the model's weights: the SHA-256 of their shards' SHA-256.
    pub model_sha256: String,
    pub backend: String,
    pub ms: f64,
    /// How many classes the model has, where the photo most likely shows none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none_of: Option<u64>,
    pub predictions: Vec<Prediction>,
}

impl Record {
    pub fn of(photo: &Photo, answer: &Answer, top_k: usize, provenance: &Provenance) -> Self {
        Self {
            file: photo.name.to_string(),
            bytes: answer.bytes,
            sha256: answer.sha256.clone(),
            model: provenance.model.name.clone(),
            model_sha256: provenance.model.sha256.clone(),
            backend: backend(provenance),
            ms: answer.ms,
            none_of: answer.none_of,
            predictions: answer.predictions.iter().take(top_k).cloned().collect(),
        }
    }

    pub fn to_json(&self) -> String {
        // What is written here can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A record from the text of a fragment, which anybody may have written: plausible, or none.
    pub fn read(json: &str) -> Option<Self> {
        if json.len() > LONGEST {
            return None;
        }
        let record: Self = serde_json::from_str(json).ok()?;
        let hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let short = |text: &str| text.chars().count() <= LONGEST_TEXT;
        let plausible = |one: &Prediction| {
            (0.0..=1.0).contains(&one.score) && short(&one.label) && short(&one.label_zh) && short(&one.wnid)
        };
        let whole = hash(&record.sha256)
            && hash(&record.model_sha256)
            && [&record.file, &record.model, &record.backend].into_iter().all(|text| short(text))
            && (1..=MOST_CLASSES).contains(&record.predictions.len())
            && record.predictions.iter().all(plausible)
            && record.none_of.is_none_or(|classes| (1..=MOST_CLASSES_OF_A_MODEL).contains(&classes))
            && record.ms.is_finite();
        whole.then_some(record)
    }

    /// Whether an answer is of the same photo, and if so, whether it is the same answer: the same classes
    /// in the same order, the same probabilities to rounding, or both none of the classes.
    pub fn agrees(&self, answer: &Answer) -> Option<bool> {
        let same = |(a, b): (&Prediction, &Prediction)| {
            (&a.wnid, &a.label) == (&b.wnid, &b.label) && (a.score - b.score).abs() < 1e-4
        };
        (self.sha256 == answer.sha256).then(|| {
            self.none_of == answer.none_of
                && self.predictions.len() <= answer.predictions.len()
                && self.predictions.iter().zip(&answer.predictions).all(same)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let prediction = Prediction {
            index: 3,
            wnid: "n1".into(),
            label: "cat".into(),
            label_zh: "猫".into(),
            score: 0.5,
        };
        Record {
            file: "cat.jpg".into(),
            bytes: 9,
            sha256: "ab".repeat(32),
            model: "tiny".into(),
            model_sha256: "cd".repeat(32),
            backend: "cpu".into(),
            ms: 4.0,
            none_of: None,
            predictions: vec![prediction],
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        assert_eq!(Record::read(&record().to_json()), Some(record()));
        let none = Record { none_of: Some(200), ..record() };
        assert_eq!(Record::read(&none.to_json()), Some(none));
        assert!(!record().to_json().contains("none_of"), "links from before stay the same");
    }

    #[test]
    fn what_is_no_record_is_none() {
        let bent = |bend: fn(&mut Record)| {
            let mut record = record();
            bend(&mut record);
            Record::read(&record.to_json())
        };
        assert_eq!(bent(|r| r.sha256 = "xyz".into()), None);
        assert_eq!(bent(|r| r.predictions.clear()), None);
        assert_eq!(bent(|r| r.predictions[0].score = 7.0), None);
        assert_eq!(bent(|r| r.none_of = Some(0)), None);
        assert_eq!(bent(|r| r.file = "x".repeat(301)), None);
        assert_eq!(bent(|r| r.predictions = vec![r.predictions[0].clone(); 2000]), None);
        for text in ["", "{}", "[]", "<script>", "null"] {
            assert_eq!(Record::read(text), None, "{text}");
        }
    }

    #[test]
    fn whoever_has_the_photo_can_check_it() {
        let record = record();
        let mut answer = Answer {
            reading: protocol::Reading::default(),
            predictions: record.predictions.clone(),
            none_of: None,
            width: 1,
            height: 1,
            decode_ms: 0.0,
            stages: vec![],
            ms: 1.0,
            kind: None,
            bytes: 9,
            sha256: record.sha256.clone(),
        };
        assert_eq!(record.agrees(&answer), Some(true));
        answer.none_of = Some(200);
        assert_eq!(record.agrees(&answer), Some(false), "none of the classes here");
        answer.none_of = None;
        answer.predictions[0].score = 0.4;
        assert_eq!(record.agrees(&answer), Some(false));
        answer.sha256 = "00".repeat(32);
        assert_eq!(record.agrees(&answer), None, "another photo");
    }
}

//! The first frame of an index: whose answers it holds.

use crate::error::LibraryError;
use crate::feature::MOST_VALUES;
use beit::classes::Classes;
use beit::kinds::Kind;
use beit::labels::Label;
use serde::{Deserialize, Serialize};

/// Which model it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// The model's own name.
    pub name: String,
    /// The identity of its manifest.
    pub identity: String,
}

/// Whose answers an index holds, and what the classes are called: whoever searches needs no model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The model.
    pub model: ModelIdentity,
    /// What its logits were divided by before the softmax; none where that was never measured, so that it was 1.
    pub temperature: Option<f64>,
    /// Values of a feature.
    pub width: u64,
    /// The classes, `[class count]`.
    pub classes: Vec<Label>,
    /// The kinds that the model brings.
    kinds: Vec<OwnKind>,
}

/// A [`Kind`] that JSON has place for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OwnKind {
    #[serde(flatten)]
    label: Label,
    classes: String,
}

impl Header {
    /// The header of an index of this model, whose features have `width` values.
    pub fn new(model: ModelIdentity, temperature: Option<f64>, width: u64, classes: Classes) -> Self {
        let Classes { labels, kinds } = classes;
        let own = |kind: &Kind| OwnKind { label: kind.label.clone(), classes: kind.classes() };
        Self { model, temperature, width, classes: labels, kinds: kinds.iter().map(own).collect() }
    }

    /// The number of classes.
    pub fn class_count(&self) -> u64 {
        self.classes.len() as u64
    }

    /// The kinds that the model brings; without them, those of ImageNet-1k are meant.
    pub fn kinds(&self) -> Vec<Kind> {
        let kind = |own: &OwnKind| Kind::new(own.label.clone(), &own.classes, self.classes.len());
        self.kinds.iter().filter_map(kind).collect()
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        // What is written here can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// # Errors
    /// [`LibraryError::DamagedHeader`].
    pub(crate) fn parse(json: &[u8]) -> Result<Self, LibraryError> {
        let fault = LibraryError::DamagedHeader;
        let header: Self = serde_json::from_slice(json).map_err(|error| fault(error.to_string()))?;
        if header.width == 0 || header.width > MOST_VALUES {
            return Err(fault(format!("features of {} values, expected 1 to {MOST_VALUES}", header.width)));
        }
        if header.kinds().len() != header.kinds.len() {
            return Err(fault("a kind of classes that are not there".into()));
        }
        Ok(header)
    }

    /// Checks that an index with this header may hold answers of the model that `now` describes.
    ///
    /// # Errors
    /// [`LibraryError::OtherModel`].
    pub fn check_same_model(&self, now: &Self) -> Result<(), LibraryError> {
        let named = |model: &ModelIdentity| format!("{} ({:.8}…)", model.name, model.identity);
        let temperature = |header: &Self| header.temperature.map_or("none".into(), |t| t.to_string());
        let differs = |what, there: String, here: String, advice| {
            Err(LibraryError::OtherModel { what, there, here, advice })
        };
        let anew = "Use that model, or begin another index with --index FILE, or delete this one.";
        if self.model.identity != now.model.identity || self.width != now.width || self.classes != now.classes
        {
            return differs("model", named(&self.model), named(&now.model), anew);
        }
        if self.temperature != now.temperature {
            let advice =
                "The model was calibrated since: begin another index with --index FILE, or delete this one.";
            return differs("temperature", temperature(self), temperature(now), advice);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let label = |en: &str| Label { wnid: String::new(), en: en.into(), zh: String::new() };
        let kinds = vec![Kind::new(label("tree"), "0,2", 3).unwrap()];
        let model = ModelIdentity { name: "m".into(), identity: "ab".repeat(32) };
        let classes = Classes { labels: ["oak", "cat", "elm"].map(label).into(), kinds };
        Header::new(model, Some(1.25), 16, classes)
    }

    #[test]
    fn a_header_comes_back_and_nonsense_is_refused() {
        let header = header();
        let json = String::from_utf8(header.to_json()).unwrap();
        assert_eq!(Header::parse(json.as_bytes()).unwrap(), header);
        assert_eq!((header.class_count(), header.kinds()[0].classes().as_str()), (3, "0,2"));
        for (from, to, sentence) in [
            ("\"width\":16", "\"width\":0", "0 values"),
            ("\"width\":16", "\"width\":65537", "65537 values"),
            ("0,2", "0,3", "not there"),
            ("{", "", "damaged"),
        ] {
            let error = Header::parse(json.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(sentence) && error.contains("index the folder again"), "{error}");
        }
    }

    #[test]
    fn another_model_or_temperature_is_told_with_advice() {
        let header = header();
        header.check_same_model(&header).unwrap();
        let other =
            Header { model: ModelIdentity { name: "n".into(), identity: "cd".repeat(32) }, ..header.clone() };
        let error = header.check_same_model(&other).unwrap_err().to_string();
        assert!(
            error.contains("another model: m (abababab…), not n (cdcdcdcd…)") && error.contains("--index"),
            "{error}"
        );
        let warmer = Header { temperature: None, ..header.clone() };
        let error = header.check_same_model(&warmer).unwrap_err().to_string();
        assert!(error.contains("another temperature: 1.25, not none"), "{error}");
    }
}

//! The lines of a journal: a header, then one line of JSON for each photo.

use crate::calibration::KeptLogits;
use crate::dataset::{Identity, Shard};
use serde::{Deserialize, Serialize};

/// The only value of [`Header::journal`] so far.
pub const FORMAT: &str = "beitscope-evaluate-1";

/// The first line: what was measured on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub(crate) journal: String,
    /// The model that was evaluated.
    pub model: ModelIdentity,
    /// `cpu` or `gpu`.
    pub backend: String,
    /// The dataset it was evaluated on.
    pub dataset: Identity,
    /// The part of the dataset.
    pub shard: Shard,
    /// For a calibration, which keeps logits: what its photos are. None where accuracy alone is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationPart>,
    /// WordNet id and English name of each row of the head.
    pub classes: Vec<(String, String)>,
}

/// What the photos of a calibration are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationPart {
    /// Of the model's classes.
    Known,
    /// Of none of them: their lines have class 0, which means nothing.
    Outliers,
}

/// Which model it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// The model's own name.
    pub name: String,
    /// Of the GGUF.
    pub sha256: String,
}

/// Any other line: the outcome of a photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the dataset.
    pub photo: u64,
    pub file: String,
    /// Row of the right class.
    pub class: u32,
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    Answer {
        /// Rows of the likeliest classes, up to five, best first.
        top: Vec<u32>,
        /// Softmax probability of the first.
        score: f32,
        /// For a calibration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calibration: Option<KeptLogits>,
    },
    Unreadable {
        error: String,
    },
}

impl Header {
    /// The header of a new journal.
    pub fn new(
        model: ModelIdentity,
        backend: &str,
        dataset: Identity,
        shard: Shard,
        classes: Vec<(String, String)>,
    ) -> Self {
        let (journal, backend) = (FORMAT.into(), backend.into());
        Self { journal, model, backend, dataset, shard, calibration: None, classes }
    }

    /// The same for a calibration, which keeps the logits of each photo.
    #[must_use]
    pub fn keeping_logits(self, part: CalibrationPart) -> Self {
        Self { calibration: Some(part), ..self }
    }

    /// What differs from another header, if anything: what it is, and how each has it.
    pub(crate) fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let model = |h: &Self| format!("{} ({:.12}…)", h.model.name, h.model.sha256);
        let dataset = |h: &Self| format!("{} photos ({:.12}…)", h.dataset.photos, h.dataset.sha256);
        if self.model != other.model || self.classes != other.classes {
            return Some(("model", model(self), model(other)));
        }
        if self.dataset != other.dataset {
            return Some(("dataset", dataset(self), dataset(other)));
        }
        if self.shard != other.shard {
            return Some(("shard", self.shard.to_string(), other.shard.to_string()));
        }
        if self.calibration != other.calibration {
            let purpose = |h: &Self| match h.calibration {
                None => "accuracy, without logits".into(),
                Some(CalibrationPart::Known) => "calibration, with logits".into(),
                Some(CalibrationPart::Outliers) => "calibration, with the logits of outliers".into(),
            };
            return Some(("purpose", purpose(self), purpose(other)));
        }
        (self.backend != other.backend).then(|| ("backend", self.backend.clone(), other.backend.clone()))
    }
}

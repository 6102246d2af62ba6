//! Messages about a visitor's own classes: photos in, a head trained on their features, and which head answers.

use crate::fault::{PhotoFault, TeachFault};
use serde::{Deserialize, Serialize};

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[expect(missing_docs, reason = "a variant's text names its fields")]
pub enum TeachRequest {
    /// Extract the features of the photo beside this message and keep them under this number. Answered by
    /// [`TeachReply::FeaturesReady`] or [`TeachReply::FeaturesFailed`].
    ExtractFeatures { photo: u64 },
    /// Forget the features of these photos. Not answered.
    Forget { photos: Vec<u64> },
    /// Train a head on photos whose features are kept, and answer with it from then on. Progress is [`TeachReply::Tried`],
    /// answered by [`TeachReply::Trained`] and [`TeachReply::OwnClasses`], or by [`TeachReply::TrainingFailed`].
    Train { classes: Vec<TaughtClass> },
    /// Answer with this head: a [`OwnHead::file`]. Answered by [`TeachReply::OwnClasses`] or [`TeachReply::Refused`].
    Use { file: String },
    /// The same with the head's file beside this message.
    Import,
    /// Answer with the model's own classes again. Answered by [`TeachReply::ModelsClasses`].
    UseModels,
}

/// A class to learn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaughtClass {
    /// As the visitor gave it.
    pub name: String,
    /// Its photos' numbers.
    pub photos: Vec<u64>,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
#[expect(missing_docs, reason = "a variant's text names its fields")]
pub enum TeachReply {
    /// The photo's features are extracted.
    FeaturesReady { photo: u64 },
    /// They could not be.
    FeaturesFailed { photo: u64, fault: PhotoFault },
    /// While training: another strength of the penalty has been tried, and this share of photos held out was right.
    Tried { accuracy: f64 },
    /// The head is trained.
    Trained { report: TrainingReport },
    /// No head could be trained.
    TrainingFailed { fault: TeachFault },
    /// Photos are answered with these classes from now on.
    OwnClasses { head: OwnHead },
    /// Photos are answered with the model's own classes from now on.
    ModelsClasses,
    /// A head could not be used.
    Refused { fault: TeachFault },
}

/// A trained head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnHead {
    /// Their names, in the order of the logits.
    pub classes: Vec<String>,
    /// The whole head as a `.safetensors` file, in base64.
    pub file: String,
}

/// How a head does on photos it was not shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingReport {
    /// Their names.
    pub classes: Vec<String>,
    /// Photos that were held out in turn; 0 with one photo a class.
    pub held_out: u32,
    /// How many of them were answered rightly.
    pub right: u32,
    /// Groups that were held out: as many as photos where each was held out alone.
    pub folds: usize,
    /// `[right class][answered class]`
    pub confusion: Vec<Vec<u32>>,
    /// Photos that were taken for another class while they were held out: number, answered class.
    pub mistakes: Vec<(u64, usize)>,
    /// Training, in milliseconds.
    pub ms: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reply, Request};

    #[test]
    fn messages_survive_the_crossing() {
        let class = TaughtClass { name: "猫".into(), photos: vec![1, 2] };
        let requests = [
            TeachRequest::ExtractFeatures { photo: 3 },
            TeachRequest::Train { classes: vec![class] },
            TeachRequest::Import,
            TeachRequest::UseModels,
        ];
        for request in requests.map(Request::Teach) {
            let back: Request = serde_json::from_str(&request.to_json()).unwrap();
            assert_eq!(back, request);
        }
        let report = TrainingReport {
            classes: vec!["a".into(), "b".into()],
            held_out: 3,
            right: 2,
            folds: 3,
            confusion: vec![vec![1, 0], vec![1, 1]],
            mistakes: vec![(7, 0)],
            ms: 1.5,
        };
        for reply in [TeachReply::Trained { report }, TeachReply::ModelsClasses].map(Reply::Teach) {
            let back: Reply = serde_json::from_str(&reply.to_json()).unwrap();
            assert_eq!(back, reply);
        }
    }
}

//! Logits → the answer that the page shows.

use crate::photo::PhotoInfo;
use crate::platform::Bytes;
use beit::classes::Classes;
use beit::kinds;
use beit::topk::{softmax, top_k};
use protocol::{Answer, Kind, Prediction, StageTime};

/// What an answer says beside the classes.
pub struct Measured {
    /// SHA-256 of the photo's file.
    pub sha256: String,
    /// The network alone.
    pub ms: f64,
    pub stages: Vec<StageTime>,
}

/// The `k` likeliest classes of a photo, and all else that its answer says.
pub fn answer<F: Bytes>(
    classes: &Classes,
    photo: &PhotoInfo<F>,
    logits: &[f32],
    k: usize,
    measured: Measured,
) -> Answer {
    let Measured { sha256, ms, stages } = measured;
    let Classes { labels, kinds } = classes;
    let prediction = |(index, score): (usize, f32)| {
        let label = labels[index].clone();
        Prediction { index, wnid: label.wnid, label: label.en, label_zh: label.zh, score }
    };
    let kind = kinds::most_specific(labels, kinds, &softmax(logits)).map(|(kind, score)| {
        let label = kind.label.clone();
        Kind { wnid: label.wnid, label: label.en, label_zh: label.zh, score }
    });
    Answer {
        predictions: top_k(logits, k).into_iter().map(prediction).collect(),
        width: photo.width,
        height: photo.height,
        decode_ms: photo.decode_ms,
        ms,
        stages,
        kind,
        bytes: photo.file.length(),
        sha256,
        reading: photo.reading.clone(),
    }
}

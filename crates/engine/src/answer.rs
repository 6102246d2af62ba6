//! Logits → the answer that the page shows.

use crate::photo::PhotoInfo;
use crate::platform::Bytes;
use beit::calibration::{self, Calibration};
use beit::classes::Classes;
use beit::kinds;
use beit::topk::{softmax_at, top_k_at};
use protocol::{Answer, Kind, Prediction, StageTime};

/// What an answer says beside the classes.
pub struct Measured {
    /// SHA-256 of the photo's file.
    pub sha256: String,
    /// The network alone.
    pub ms: f64,
    pub stages: Vec<StageTime>,
}

/// The `k` likeliest classes of a photo, and all else that its answer says. `calibration` is the head's, where it was
/// measured.
pub fn answer<F: Bytes>(
    classes: &Classes,
    calibration: Option<&Calibration>,
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
    let (temperature, is_none) = calibration::reading(calibration, logits);
    let kind = kinds::most_specific(labels, kinds, &softmax_at(logits, temperature)).map(|(kind, score)| {
        let label = kind.label.clone();
        Kind { wnid: label.wnid, label: label.en, label_zh: label.zh, score }
    });
    Answer {
        predictions: top_k_at(logits, k, temperature).into_iter().map(prediction).collect(),
        none_of: is_none.then_some(logits.len() as u64),
        width: photo.width,
        height: photo.height,
        decode_ms: photo.decode_ms,
        ms,
        stages,
        // Where it is none of the classes, it is no kind of them either.
        kind: kind.filter(|_| !is_none),
        bytes: photo.file.length(),
        sha256,
        reading: photo.reading.clone(),
    }
}

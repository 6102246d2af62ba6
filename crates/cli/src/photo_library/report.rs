//! How photos of an index are told of.

use super::place::Place;
use library::{Index, Photo};
use serde::Serialize;

/// A photo in JSON.
#[derive(Serialize)]
pub struct Told {
    pub file: String,
    pub width: u32,
    pub height: u32,
    pub bytes: u64,
    /// Local time, by EXIF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    pub sha256: String,
    /// Whether it most likely shows none of the classes.
    pub none_of_these: bool,
    pub answers: Vec<Named>,
}

#[derive(Serialize)]
pub struct Named {
    pub wnid: String,
    pub label: String,
    pub label_zh: String,
    /// Softmax probability, 0 to 1; calibrated where the model has a temperature.
    pub score: f32,
}

/// The photo with this number.
pub fn told(index: &Index, place: &Place, photo: usize) -> Told {
    let Photo { path, size, sha256, width, height, taken, none_of_these, answers, .. } =
        &index.photos()[photo];
    let named = |answer: &library::Answer| {
        let label = &index.header().classes[answer.class as usize];
        Named {
            wnid: label.wnid.clone(),
            label: label.en.clone(),
            label_zh: label.zh.clone(),
            score: answer.probability,
        }
    };
    Told {
        file: place.photo(path).display().to_string(),
        width: *width,
        height: *height,
        bytes: *size,
        taken: taken.and_then(library::LocalTime::text),
        sha256: beit::weights::hexadecimal(sha256),
        none_of_these: *none_of_these,
        answers: answers.iter().map(named).collect(),
    }
}

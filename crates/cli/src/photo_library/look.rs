//! What the network says of a photo → its record.

use crate::engine::Engine;
use beit::calibration;
use beit::classes::Classes;
use beit::topk::top_k_at;
use codecs::decode_photo;
use library::{Answer, Feature, Header, MOST_ANSWERS, ModelIdentity, Photo, Sha256, capture_time};
use sha2::Digest;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an index of this model's answers begins with.
pub fn header(engine: &Engine) -> Header {
    let model = ModelIdentity { name: engine.name.clone(), identity: engine.identity.clone() };
    let temperature = engine.calibration.as_ref().map(|calibration| calibration.temperature);
    let classes = Classes { labels: engine.labels.clone(), kinds: engine.kinds.clone() };
    Header::new(model, temperature, engine.width() as u64, classes)
}

pub fn sha256(bytes: &[u8]) -> Sha256 {
    sha2::Sha256::digest(bytes).into()
}

/// Decodes a photo and runs the network on it.
///
/// # Errors
/// A sentence for the person whose photo it is.
pub fn look(
    engine: &Engine,
    bytes: &[u8],
    path: &str,
    modified: i64,
    sha256: Sha256,
) -> Result<(Photo, Feature), String> {
    let read = || {
        let photo =
            decode_photo(bytes).and_then(beit::decode::Photo::whole).map_err(|error| error.to_string())?;
        Ok((photo, capture_time(bytes)))
    };
    // A photo at which a decoder panics must not stop the run.
    let (photo, taken) = catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("The decoder failed on this photo.".to_owned()))?;
    let (features, logits) = engine.features_and_logits(&photo)?;
    let feature = Feature::new(&features).ok_or("The network's answer is no number.")?;
    let (temperature, none_of_these) = calibration::reading(engine.calibration.as_ref(), &logits);
    let answer = |(class, probability): (usize, f32)| Answer { class: class as u32, probability };
    let record = Photo {
        path: path.to_owned(),
        size: bytes.len() as u64,
        modified,
        sha256,
        width: photo.rgb.width,
        height: photo.rgb.height,
        taken,
        none_of_these,
        answers: top_k_at(&logits, MOST_ANSWERS, temperature).into_iter().map(answer).collect(),
    };
    Ok((record, feature))
}

//! Small indexes.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use beit::classes::Classes;
use beit::labels::imagenet_1k;
use library::{Answer, Feature, Header, Index, LocalTime, ModelIdentity, Photo};
use splitmix64::SplitMix64;

pub const WIDTH: usize = 32;
/// Classes that photos are of.
const CLASSES: u64 = 8;

/// Of a model of ImageNet-1k's classes.
pub fn header() -> Header {
    header_of(1000)
}

/// Of a model of few classes, which is read and written fast.
pub fn small_header() -> Header {
    header_of(CLASSES as usize)
}

fn header_of(classes: usize) -> Header {
    let model = ModelIdentity { name: "m".into(), identity: "ab".repeat(32) };
    let classes = Classes { labels: imagenet_1k()[..classes].to_vec(), kinds: Vec::new() };
    Header::new(model, Some(1.5), WIDTH as u64, classes)
}

/// A feature that this seed alone has.
pub fn feature(seed: u64) -> Feature {
    let mut random = SplitMix64(seed);
    let values: Vec<f32> = (0..WIDTH).map(|_| (random.next_u64() >> 40) as f32 - (1 << 23) as f32).collect();
    Feature::new(&values).unwrap()
}

/// A photo of this content.
pub fn photo(path: &str, content: u64) -> Photo {
    let mut sha256 = [0; 32];
    sha256[..8].copy_from_slice(&content.to_le_bytes());
    Photo {
        path: path.into(),
        size: 1000 + content,
        modified: 0,
        sha256,
        width: 640,
        height: 480,
        taken: (!content.is_multiple_of(3)).then_some(LocalTime(content as i64)),
        none_of_these: content % 2 == 1,
        answers: vec![
            Answer { class: (content % CLASSES) as u32, probability: 0.75 },
            Answer { class: (content * 7 % CLASSES) as u32, probability: 0.125 },
        ],
    }
}

/// An index of these photos, each with the feature of its seed.
pub fn index(photos: &[(Photo, u64)]) -> Index {
    let mut index = Index::new(header());
    for (photo, seed) in photos {
        index.put(photo.clone(), &feature(*seed)).unwrap();
    }
    index
}

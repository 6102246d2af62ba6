//! Odd photos, after public bug reports of other projects: what `decode` makes of each, against Pillow's reading
//! (`tools/odd-photos/read_with_pillow.py`).

use std::collections::BTreeMap;

use crate::common::grid::mean_colours;
use crate::common::scrambler::Scrambler;
use crate::common::{data, read};
use beit::decode::{Rgb, decode};
use serde::Deserialize;

/// Largest difference of the mean of a cell, in levels of 255.
const TOLERANCE: f64 = 2.0;

/// Files that Pillow refuses and Beitscope reads, with the reason.
const READ_ALL_THE_SAME: [(&str, &str); 7] = [
    ("bmp-os2-v2-short.bmp", "its header has all that tells the pixels"),
    ("jpeg-12bit.jpg", "of 12 bits a sample the highest 8 count"),
    ("jpeg-missing-eoi.jpg", "no pixel is missing, only the end marker"),
    ("png-bad-ancillary-crc.png", "the damage is in a comment"),
    ("png-text-bomb.png", "the bomb is in a comment, which is skipped"),
    ("tiff-float-rgb.tif", "floats between 0 and 1"),
    ("tiff-rgb-uint32-undeclared.tif", "whole numbers of 32 bits, whose highest bytes count"),
];

/// Files that Pillow reads and Beitscope refuses, with a part of the sentence.
const REFUSED: [(&str, &str); 2] =
    [("avif-named.png", "This is an AVIF photo"), ("photo.jp2", "This is a JPEG 2000 photo")];

#[derive(Deserialize)]
#[serde(untagged)]
enum Reading {
    Refused {
        #[allow(dead_code)]
        refused: String,
    },
    /// The picture's size, and the mean colours of its cells, row by row.
    Read { size: [u32; 2], grid: Vec<[f64; 3]> },
}

/// Nothing, or what is wrong.
fn compare(picture: &Rgb, size: [u32; 2], expected: &[[f64; 3]]) -> Option<String> {
    if [picture.width, picture.height] != size {
        return Some(format!("{} × {} pixels, not {} × {}", picture.width, picture.height, size[0], size[1]));
    }
    let got = mean_colours(picture, expected.len().isqrt());
    let differences =
        got.iter().flatten().zip(expected.iter().flatten()).map(|(got, want)| (got - want).abs());
    let largest = differences.fold(0.0, f64::max);
    (largest > TOLERANCE).then(|| format!("a cell differs by {largest:.1}"))
}

#[test]
fn odd_photos_are_read_as_pillow_reads_them() {
    let readings: BTreeMap<String, Reading> =
        serde_json::from_slice(&read("odd-photos/pillow.json")).unwrap();
    assert!(readings.len() > 90);
    let listed = |list: &[(&'static str, &'static str)], name: &str| {
        list.iter().find(|(listed, _)| *listed == name).map(|(_, why)| *why)
    };
    let mut wrong = Vec::new();
    for (name, reading) in &readings {
        let outcome = decode(&std::fs::read(data("odd-photos").join(name)).unwrap());
        let fault = match (&outcome, reading, listed(&REFUSED, name)) {
            (Err(error), Reading::Read { .. }, Some(part)) if error.to_string().contains(part) => None,
            (_, Reading::Read { .. }, Some(part)) => {
                Some(format!("not refused with {part:?}: {:?}", outcome.err()))
            }
            (Ok(picture), Reading::Read { size, grid }, None) => compare(picture, *size, grid),
            (Err(error), Reading::Read { .. }, None) => Some(format!("{error} ({error:?})")),
            (Ok(_), Reading::Refused { .. }, _) if listed(&READ_ALL_THE_SAME, name).is_some() => None,
            (Ok(_), Reading::Refused { .. }, _) => Some("Pillow refuses it".into()),
            (Err(error), Reading::Refused { .. }, _) => {
                listed(&READ_ALL_THE_SAME, name).map(|why| format!("{error} ({error:?}), but {why}"))
            }
        };
        wrong.extend(fault.map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), readings.len(), wrong.join("\n"));
}

/// Bytes changed, moved and cut off at random: a picture or a sentence, never a panic.
#[test]
fn damage_never_panics() {
    let mut scrambler = Scrambler(7);
    for entry in std::fs::read_dir(data("odd-photos")).unwrap() {
        let path = entry.unwrap().path();
        let file = std::fs::read(&path).unwrap();
        for round in 0..60 {
            let damaged = scrambler.damaged(&file, round);
            if let Ok(picture) = decode(&damaged) {
                let pixels = u64::from(picture.width) * u64::from(picture.height);
                assert_eq!(picture.pixels.len() as u64, pixels * 3, "{}", path.display());
            }
        }
    }
}

//! HEIC, AVIF, JPEG XL and JPEG 2000 photos (`tools/odd-photos/make_modern.py`, and some after public bug reports of other
//! projects) against Pillow's reading of them (`tools/odd-photos/read_with_pillow.py`).

#[path = "../../beit/tests/beit/common/grid.rs"]
mod grid;
#[path = "../../beit/tests/beit/common/scrambler.rs"]
mod scrambler;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use beit::decode::{DecodeError, Foreign, Format, Rgb};
use codecs::decode_photo;
use grid::mean_colours;
use scrambler::Scrambler;
use serde::Deserialize;

/// Largest difference of the mean of a cell, in levels of 255.
const TOLERANCE: f64 = 2.0;

/// The picture's size, and the mean colours of its cells, row by row.
#[derive(Deserialize)]
struct Reading {
    size: [u32; 2],
    grid: Vec<[f64; 3]>,
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../tests/data/modern-photos"].iter().collect()
}

fn photo(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

/// Nothing, or what is wrong.
fn compare(picture: &Rgb, reading: &Reading) -> Option<String> {
    let size = [picture.width, picture.height];
    if size != reading.size {
        return Some(format!("{size:?} pixels, not {:?}", reading.size));
    }
    let got = mean_colours(picture, reading.grid.len().isqrt());
    let cells = got.iter().flatten().zip(reading.grid.iter().flatten());
    let largest = cells.map(|(got, want)| (got - want).abs()).fold(0.0, f64::max);
    (largest > TOLERANCE).then(|| format!("a cell differs by {largest:.1}"))
}

#[test]
fn photos_are_read_as_pillow_reads_them() {
    let readings: BTreeMap<String, Reading> = serde_json::from_slice(&photo("pillow.json")).unwrap();
    assert!(readings.len() > 30);
    let mut wrong = Vec::new();
    for (name, reading) in &readings {
        let fault = match decode_photo(&photo(name)) {
            Ok(photo) => compare(&photo.rgb, reading),
            Err(error) => Some(format!("{error} ({error:?})")),
        };
        wrong.extend(fault.map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), readings.len(), wrong.join("\n"));
}

#[test]
fn a_photo_tells_what_it_is_and_what_read_it() {
    for (name, format, decoder) in [
        ("heic-named.jpg", Format::Heic, "heifer"),
        ("avif-named.png", Format::Avif, "rav1d"),
        ("photo.jxl", Format::JpegXl, "jxl-oxide"),
        ("photo.jp2", Format::Jpeg2000, "hayro-jpeg2000"),
    ] {
        let photo = decode_photo(&photo(name)).unwrap();
        assert_eq!((photo.format, photo.decoder, photo.reduced_by), (format, decoder, 1), "{name}");
    }
}

#[test]
fn cut_photos_get_a_sentence_and_no_half_picture() {
    for name in ["heic-tiles.heic", "heic-q20-420.heic", "avif-q20-420-b8.avif", "jxl-d3-e7.jxl"] {
        let whole = photo(name);
        for part in [2, 3, 8, 20] {
            let error = decode_photo(&whole[..whole.len() - whole.len() / part]).unwrap_err();
            assert!(
                matches!(error, DecodeError::Truncated { .. } | DecodeError::Corrupt { .. }),
                "{name} without 1/{part}: {error:?}"
            );
        }
    }
}

/// Sizes stand in the container, and once more in the stream.
#[test]
fn a_photo_that_claims_to_be_huge_is_refused() {
    for name in ["heic-q20-444.heic", "heic-tiles.heic", "avif-q20-420-b8.avif", "avif-grid.avif"] {
        let mut huge = photo(name);
        let places: Vec<_> = (0..huge.len() - 16).filter(|&at| huge[at..].starts_with(b"ispe")).collect();
        for at in places {
            huge[at + 8..at + 16].copy_from_slice(&[0, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0xff]);
        }
        let error = decode_photo(&huge).unwrap_err();
        assert!(
            matches!(error, DecodeError::TooManyPixels { .. } | DecodeError::Corrupt { .. }),
            "{name}: {error:?}"
        );
    }
}

#[test]
fn what_no_decoder_is_for_stays_foreign() {
    let error = codecs::decode(Foreign::Psd, b"8BPS").unwrap_err();
    assert_eq!(error, DecodeError::UnsupportedFormat { format: Foreign::Psd });
}

/// Bytes changed, moved and cut off at random: a picture or a sentence, never a panic.
#[test]
fn damage_never_panics() {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(8);
    let mut scrambler = Scrambler(11);
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let file = fs::read(&path).unwrap();
        for round in 0..rounds {
            let damaged = scrambler.damaged(&file, round);
            if let Ok(photo) = decode_photo(&damaged) {
                let pixels = u64::from(photo.rgb.width) * u64::from(photo.rgb.height);
                assert_eq!(photo.rgb.pixels.len() as u64, pixels * 3, "{}", path.display());
            }
        }
    }
}

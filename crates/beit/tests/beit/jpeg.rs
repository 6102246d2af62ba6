//! JPEGs that only the general decoder reads: every pixel is libjpeg-turbo's (`tests/data/jpeg`).

use crate::common::data;
use crate::common::scrambler::Scrambler;
use beit::decode::{DecodeError, Format, Rgb, decode, decode_photo};

/// The files' names without their ending, and the files.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(data("jpeg"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jpg"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(data("jpeg").join(name).with_extension("jpg")).unwrap()
}

fn expected(name: &str) -> Rgb {
    decode(&std::fs::read(data("jpeg/expected").join(format!("{name}.png"))).unwrap()).unwrap()
}

/// Nothing, or how the pictures differ.
fn difference(got: &Rgb, expected: &Rgb) -> Option<String> {
    if (got.width, got.height) != (expected.width, expected.height) {
        return Some(format!("{} × {} pixels", got.width, got.height));
    }
    let differing: Vec<_> =
        (0..got.pixels.len()).filter(|&at| got.pixels[at] != expected.pixels[at]).collect();
    let first = *differing.first()?;
    let largest = differing.iter().map(|&at| got.pixels[at].abs_diff(expected.pixels[at])).max()?;
    let (row, column) = (first / 3 / got.width as usize, first / 3 % got.width as usize);
    Some(format!("{} samples, by up to {largest}, first at {column}, {row}", differing.len()))
}

#[test]
fn every_pixel_is_libjpeg_turbos() {
    let files = files();
    assert!(files.len() > 50, "{} files", files.len());
    let mut wrong = Vec::new();
    for (name, bytes) in &files {
        match decode_photo(bytes) {
            Ok(photo) if photo.decoder != "beitscope" => wrong.push(format!("{name}: by {}", photo.decoder)),
            Ok(photo) => {
                wrong.extend(difference(&photo.rgb, &expected(name)).map(|what| format!("{name}: {what}")));
            }
            Err(error) => wrong.push(format!("{name}: {error} ({error:?})")),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

/// As in Pillow, a photo that lacks the end of its data is refused without an end marker. Behind one it is read with grey
/// blocks, and how many is told; only what the arithmetic code leaves out can't be told from zeros that encoders leave out.
#[test]
fn what_is_cut_is_said_to_be_cut() {
    let truncated = Err(DecodeError::Truncated { format: Format::Jpeg });
    for (name, bytes) in files() {
        let begin = bytes.windows(2).position(|window| window == [0xff, 0xda]).unwrap();
        for part in [2, 3, 4] {
            let mut cut = bytes[..begin + (bytes.len() - begin) / part].to_vec();
            if cut.last() == Some(&0xff) {
                cut.pop();
            }
            assert_eq!(decode(&cut), truncated, "{name}, 1/{part}");
        }
    }
    let cut_in_the_middle = |name: &str| {
        let bytes = file(name);
        let begin = bytes.windows(2).rposition(|window| window == [0xff, 0xda]).unwrap();
        let middle = begin + (bytes.len() - begin) / 2;
        decode_photo(&[&bytes[..middle], b"\0\xff\xd9"].concat())
    };
    for name in ["two-scans", "sequential-12-bit", "higher-than-wide", "sequential-1x1-2x2-2x2"] {
        let missing = cut_in_the_middle(name).unwrap().missing_percent;
        assert!((20..=80).contains(&missing), "{name}: {missing} %");
        assert_eq!(decode_photo(&file(name)).unwrap().missing_percent, 0, "{name}");
    }
    assert_eq!(cut_in_the_middle("lossless-4").map(|photo| photo.rgb), truncated);
}

/// A photo whose last bytes are zeros is read as Pillow reads it, and what they stand for is told.
#[test]
fn zeros_may_stand_for_data() {
    let whole = std::fs::read(data("photos/baseline.jpg")).unwrap();
    let begin = whole.windows(2).rposition(|window| window == [0xff, 0xda]).unwrap();
    let expected = decode(&whole).unwrap();
    let zeros_from = |place: usize| decode_photo(&[&whole[..place], &[0; 20_000]].concat()).unwrap();
    let scan = whole.len() - begin;
    for missing in [2, 3, 12, scan / 40] {
        let photo = zeros_from(whole.len() - missing);
        assert_eq!((photo.rgb.width, photo.rgb.height), (expected.width, expected.height));
        let above = expected.pixels.len() * 3 / 4;
        assert_eq!(photo.rgb.pixels[..above], expected.pixels[..above], "{missing} bytes");
        assert!(photo.missing_percent <= 10, "{missing} bytes: {} %", photo.missing_percent);
    }
    for (part, percent) in [(4, 10..45), (2, 30..70), (1, 90..101)] {
        let photo = zeros_from(whole.len() - scan * 15 / 16 / part);
        assert!(percent.contains(&photo.missing_percent), "1/{part}: {} %", photo.missing_percent);
        assert_eq!(photo.whole().unwrap_err(), DecodeError::Truncated { format: Format::Jpeg });
    }
}

/// Of a progressive photo, the first scan has the means: what it lacks is missing. What later scans lack only makes it coarse.
#[test]
fn missing_means_are_told() {
    let bytes = file("progressive-1x1-2x2-2x2");
    let scans: Vec<_> = (0..bytes.len() - 1).filter(|&at| bytes[at..].starts_with(&[0xff, 0xda])).collect();
    let missing = |length: usize| {
        decode_photo(&[&bytes[..length], b"\xff\xd9"].concat()).map(|photo| photo.missing_percent)
    };
    let of_half = missing((scans[0] + scans[1]) / 2).unwrap();
    assert!((20..=80).contains(&of_half), "{of_half} %");
    assert_eq!(missing(scans[1]), Ok(0), "coarse, but whole");
    assert_eq!(missing(scans[0]), Err(DecodeError::Truncated { format: Format::Jpeg }));
}

/// Bytes changed, moved and cut off at random: a picture or a sentence, never a panic.
#[test]
fn damage_never_panics() {
    let mut scrambler = Scrambler(11);
    for (name, bytes) in files() {
        for round in 0..60 {
            if let Ok(picture) = decode(&scrambler.damaged(&bytes, round)) {
                let pixels = u64::from(picture.width) * u64::from(picture.height);
                assert_eq!(picture.pixels.len() as u64, pixels * 3, "{name}");
            }
        }
    }
}

/// A header that claims much, with little behind it, is answered soon and with a sentence.
#[test]
fn large_claims_are_checked() {
    for name in ["lossless-1", "arithmetic-sequential-420", "arithmetic-progressive-420", "sequential-12-bit"]
    {
        let mut bytes = file(name);
        let frame = (0..bytes.len())
            .find(|&at| matches!(bytes[at..], [0xff, 0xc0..=0xc3 | 0xc9 | 0xca, ..]) && bytes[at + 2] == 0)
            .unwrap();
        bytes[frame + 5..frame + 9].fill(0xff);
        let error = decode(&bytes).unwrap_err();
        assert!(matches!(error, DecodeError::TooManyPixels { .. }), "{name}: {error:?}");
    }
}

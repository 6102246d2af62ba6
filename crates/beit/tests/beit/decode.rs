//! Files of every kind: `tests/data/photos` and `tests/data/exif`, made by the scripts in them.

use crate::common::scrambler::Scrambler;
use crate::common::{assert_same, data, photo, read};
use beit::decode::{DecodeError, Foreign, Format, MAX_FILE_BYTES, decode};

/// Decoders of lossless formats have no freedom.
#[test]
fn lossless_files_equal_pillows_pixels() {
    for name in [
        "one-pixel.png",
        "one-pixel-wide.png",
        "palette-transparent.png",
        "grey-alpha.png",
        "transparent.png",
        "sixteen-bit.png",
        "sixteen-bit-grey.png",
        "sixteen-bit-grey.tiff",
        "animated.gif",
        "lossless.webp",
        "photo.bmp",
        "photo.tiff",
    ] {
        let expected = photo(&format!("photos/expected/{name}.png"));
        assert_same(name, &photo(&format!("photos/{name}")), &expected, 0);
    }
}

/// Decoders of lossy formats round differently: inverse transform, chroma upsampling and colour conversion
/// may each be off by one or two.
#[test]
fn lossy_files_are_close_to_pillows_pixels() {
    for (name, tolerance) in [
        ("baseline.jpg", 6),
        ("progressive.jpg", 6),
        ("grey.jpg", 2),
        ("cmyk.jpg", 0),
        ("ycck.jpg", 0),
        ("lossy.webp", 2),
        ("animated.webp", 2),
        ("animated-transparent.webp", 2),
    ] {
        let expected = photo(&format!("photos/expected/{name}.png"));
        assert_same(name, &photo(&format!("photos/{name}")), &expected, tolerance);
    }
}

#[test]
fn the_name_does_not_matter_and_bytes_after_the_end_do_not_either() {
    let photo_itself = photo("photos/baseline.jpg");
    for name in ["jpeg-named.png", "motion-photo.jpg"] {
        assert_same(name, &photo(&format!("photos/{name}")), &photo_itself, 0);
    }
}

#[test]
fn thirty_megapixels_are_read() {
    let large = photo("photos/thirty-megapixels.jpg");
    assert_eq!((large.width, large.height), (6000, 5000));
}

#[test]
fn bad_files_say_what_is_wrong() {
    let unsupported = |format| DecodeError::UnsupportedFormat { format };
    let truncated = |format| DecodeError::Truncated { format };
    let cases = [
        ("empty.jpg", DecodeError::Empty),
        ("not-a-photo.jpg", DecodeError::NotAPhoto),
        ("truncated.jpg", truncated(Format::Jpeg)),
        ("truncated-progressive.jpg", truncated(Format::Jpeg)),
        ("truncated.png", truncated(Format::Png)),
        ("truncated.gif", truncated(Format::Gif)),
        ("truncated.webp", truncated(Format::WebP)),
        ("bomb.png", DecodeError::TooManyPixels { width: 60_000, height: 60_000 }),
        ("picture.avif", unsupported(Foreign::Avif)),
        ("picture.heic", unsupported(Foreign::Heic)),
        ("drawing.svg", unsupported(Foreign::Svg)),
        ("document.pdf", unsupported(Foreign::Pdf)),
    ];
    for (name, expected) in cases {
        assert_eq!(decode(&read(&format!("photos/{name}"))), Err(expected), "{name}");
    }
    let corrupt = decode(&read("photos/corrupt.png"));
    assert!(matches!(corrupt, Err(DecodeError::Corrupt { format: Format::Png, .. })), "{corrupt:?}");
}

#[test]
fn a_file_too_large_is_not_even_looked_at() {
    let bytes = MAX_FILE_BYTES + 1;
    assert_eq!(decode(&vec![0; bytes as usize]), Err(DecodeError::FileTooLarge { bytes }));
}

/// The table that people read promises each file's sentence; the sentences come from here.
#[test]
fn the_readme_beside_the_photos_tells_the_truth() {
    let readme = String::from_utf8(read("photos/README.md")).unwrap();
    let mut files: Vec<String> = std::fs::read_dir(data("photos"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "README.md" && name != "make_photos.py")
        .collect();
    files.sort();
    assert!(files.len() > 30, "{files:?}");
    for name in files {
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")))
            .unwrap_or_else(|| panic!("README.md has no row for {name}"));
        let outcome = match decode(&read(&format!("photos/{name}"))) {
            Ok(_) => "an answer".to_string(),
            Err(error) => error.to_string(),
        };
        assert!(row.ends_with(&format!("| {outcome} |")), "{name}: {outcome}\n{row}");
    }
}

/// The longest prefixes, and a spread of the others, are errors: no picture that is partly grey.
#[test]
fn no_prefix_passes_for_the_whole() {
    for (name, needed) in [
        ("baseline.jpg", 1.0),
        ("progressive.jpg", 1.0),
        ("cmyk.jpg", 1.0),
        ("lossy.webp", 1.0),
        ("lossless.webp", 1.0),
        ("animated.webp", 1.0),
        // What follows the pixels of these isn't needed for them.
        ("sixteen-bit.png", 0.99),
        ("palette-transparent.png", 0.99),
        ("photo.bmp", 1.0),
    ] {
        let file = read(&format!("photos/{name}"));
        let longest = (file.len() as f64 * needed) as usize;
        // A missing padding byte at the very end of a WebP file is forgiven.
        let longest = longest - usize::from(name.ends_with("webp"));
        // So is the end marker of a JPEG whose blocks can be counted.
        let longest = if ["baseline.jpg", "cmyk.jpg"].contains(&name) { longest - 2 } else { longest };
        for length in (1..longest).rev().take(20).chain((1..longest).step_by(97)) {
            let result = decode(&file[..length]);
            assert!(result.is_err(), "{name} cut to {length} of {} bytes decodes", file.len());
            if length > 100 {
                assert!(
                    matches!(result, Err(DecodeError::Truncated { .. })),
                    "{name} cut to {length}: {result:?}"
                );
            }
        }
    }
}

#[test]
fn all_eight_orientations_come_out_upright() {
    let upright = photo("exif/upright.png");
    for orientation in 1..=8 {
        for (extension, tolerance) in [("jpg", 3), ("png", 0), ("webp", 0), ("tiff", 0)] {
            let name = format!("exif/orientation-{orientation}.{extension}");
            assert_same(&name, &photo(&name), &upright, tolerance);
        }
    }
}

/// Found by damaging files at random: the WebP decoder indexes past the alpha of a frame whose picture is
/// larger than the frame.
#[test]
fn an_animation_that_contradicts_itself_is_damaged() {
    let mut file = read("photos/animated-transparent.webp");
    let picture = file.windows(4).position(|name| name == b"VP8 ").unwrap();
    assert_eq!(file[picture + 14], 150, "the low byte of the width");
    file[picture + 14] = 151;
    let result = decode(&file);
    assert!(matches!(result, Err(DecodeError::Corrupt { format: Format::WebP, .. })), "{result:?}");
}

/// Damaged files give a picture or a sentence, never a panic, and a picture has the bytes it claims.
#[test]
fn damage_never_panics() {
    let mut scrambler = Scrambler(1);
    let mut outcomes = [0, 0];
    for name in [
        "photos/baseline.jpg",
        "photos/progressive.jpg",
        "photos/cmyk.jpg",
        "photos/sixteen-bit.png",
        "photos/palette-transparent.png",
        "photos/animated.gif",
        "photos/animated.webp",
        "photos/animated-transparent.webp",
        "photos/lossless.webp",
        "photos/lossy.webp",
        "photos/photo.bmp",
        "photos/photo.tiff",
        "exif/orientation-6.jpg",
        "exif/orientation-6.png",
        "exif/orientation-6.webp",
        "exif/orientation-6.tiff",
    ] {
        let whole = read(name);
        for round in 0..60 {
            let mut file = whole.clone();
            match round % 4 {
                // Headers are where the sizes and offsets are.
                0 => {
                    let at = scrambler.below(file.len().min(200));
                    file[at] = scrambler.below(256) as u8;
                }
                1 => {
                    for _ in 0..1 + scrambler.below(8) {
                        let at = scrambler.below(file.len());
                        file[at] ^= 1 << scrambler.below(8);
                    }
                }
                2 => file.truncate(scrambler.below(file.len())),
                _ => {
                    let (from, to) = (scrambler.below(file.len()), scrambler.below(file.len()));
                    let length = scrambler.below(64).min(file.len() - from.max(to));
                    file.copy_within(from..from + length, to);
                }
            }
            let result = decode(&file);
            outcomes[usize::from(result.is_err())] += 1;
            match result {
                Ok(picture) => {
                    assert_eq!(
                        picture.pixels.len(),
                        picture.width as usize * picture.height as usize * 3,
                        "{name}"
                    );
                }
                Err(error) => assert!(error.to_string().ends_with('.'), "{name}: {error}"),
            }
        }
    }
    // Neither all refused nor all accepted: the damage reaches past the signature checks.
    assert!(outcomes[0] > 100 && outcomes[1] > 100, "{outcomes:?} decoded, refused");
}

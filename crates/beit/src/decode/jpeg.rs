//! JPEG: which decoder reads a file's structure, and what is missing of it.
//!
//! zune-jpeg is the fast one and reads what cameras and programs write. `general` reads all others: several sequential
//! scans, the arithmetic code, 12 bits, lossless frames, four components and uncommon sampling; progressive files that lack
//! scans; and photos beyond [`MAX_PIXELS`], at a half to an eighth of their size, in a fraction of the memory.

mod completeness;
mod entropy;
mod general;
mod progress;
mod standard_tables;
mod structure;
mod tables;
mod zune;

use std::borrow::Cow;

use completeness::Completeness;
use general::Colours;

use super::metadata::Metadata;
use super::{DecodeError, Format, MAX_PIXELS, Picture, Rgb, reserve};
use structure::{Component, Scan, Segments, Structure};
pub(super) use structure::{Frame, first_frame, structure};

const FORMAT: Format = Format::Jpeg;

/// Most pixels a photo may claim that is decoded at a reduced size.
const MOST_PIXELS_REDUCED: u64 = 600_000_000;
/// Pixels of a photo that is decoded at a reduced size, at most: the network sees 224 × 224.
const REDUCED_PIXELS: u64 = 16_000_000;

/// The picture as it is stored, not turned upright.
pub(super) fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let structure = structure(bytes);
    let Some(frame) = &structure.frame else {
        // The header itself may be what is cut off.
        return Err(if structure.end.is_some() {
            corrupt("it has no frame")
        } else {
            DecodeError::Truncated { format: FORMAT }
        });
    };
    check_process(frame)?;
    let (bytes, missing_percent) = with_end(bytes, &structure, frame)?;
    let mut picture = picture_with_end(bytes, frame, &structure)?;
    picture.missing_percent = picture.missing_percent.max(missing_percent);
    Ok(picture)
}

/// The picture of a file that has an end marker.
fn picture_with_end(
    bytes: Cow<'_, [u8]>,
    frame: &Frame,
    structure: &Structure,
) -> Result<Picture, DecodeError> {
    if frame.pixels() > MAX_PIXELS {
        return reduced(&bytes, frame, structure);
    }
    if !is_ordinary(frame, structure) {
        return generally(&bytes, frame, structure);
    }
    let bytes = with_known_transform(bytes, structure, frame);
    if frame.is_progressive() {
        if let Some(rgb) = structure.end.and_then(|end| zune::progressive(&bytes, end)) {
            return checked(rgb, &bytes, frame, structure);
        }
        match generally(&bytes, frame, structure) {
            // What is made of it then is the best there is.
            Err(DecodeError::Corrupt { .. }) => {}
            answer => return answer,
        }
    }
    let rgb = zune::picture(&bytes, frame.is_progressive())?;
    checked(rgb, &bytes, frame, structure)
}

/// By the decoder that reads all.
fn generally(bytes: &[u8], frame: &Frame, structure: &Structure) -> Result<Picture, DecodeError> {
    let size = (u32::from(frame.width), u32::from(frame.height));
    reserve(&mut Vec::new(), general::bytes_per_pixel(frame) * frame.pixels(), size)?;
    let (rgb, missing_percent) = general::decode(bytes, frame, colours(bytes, structure, frame), 1)?;
    Ok(Picture { missing_percent, ..Picture::of(rgb, "beitscope") })
}

/// zune-jpeg's picture, if it has not painted what is missing otherwise than libjpeg does.
fn checked(rgb: Rgb, bytes: &[u8], frame: &Frame, structure: &Structure) -> Result<Picture, DecodeError> {
    match completeness(&rgb, bytes, frame, structure) {
        Completeness::Cut => generally(bytes, frame, structure),
        Completeness::Padded { missing_percent } => {
            Ok(Picture { missing_percent, ..Picture::of(rgb, "zune-jpeg") })
        }
        Completeness::Whole | Completeness::Unknown => Ok(Picture::of(rgb, "zune-jpeg")),
    }
}

/// Refuses what no decoder here reads.
fn check_process(frame: &Frame) -> Result<(), DecodeError> {
    let lacks = |detail: &str| Err(DecodeError::variant(FORMAT, detail));
    match frame {
        Frame { process: 11, .. } => lacks("lossless in the arithmetic code"),
        Frame { process: 5..=7 | 13..=15, .. } => lacks("hierarchical frames"),
        Frame { height: 0, .. } => lacks("its height comes after its pixels (DNL)"),
        Frame { precision, .. } if !matches!(precision, 8 | 12) && !frame.is_lossless() => {
            lacks("neither 8 nor 12 bits a sample")
        }
        Frame { precision, .. } if !(2..=16).contains(precision) => Err(corrupt("its bits a sample")),
        Frame { components, .. } if !matches!(components.len(), 1 | 3 | 4) => {
            lacks("its number of components")
        }
        Frame { width: 0, .. } => Err(corrupt("it has no width")),
        Frame { components, .. } if !components.iter().all(Component::has_valid_factors) => {
            Err(corrupt("a sampling factor is out of range"))
        }
        _ => Ok(()),
    }
}

/// Whether zune-jpeg reads this structure, and right.
fn is_ordinary(frame: &Frame, structure: &Structure) -> bool {
    let is_known_code = frame.precision == 8 && matches!(frame.process, 0..=2) && structure.defines_codes;
    let factors: Vec<_> = frame.components.iter().map(|c| (c.horizontal, c.vertical)).collect();
    let is_known_sampling = match factors[..] {
        [grey] => grey == (1, 1),
        [luma, (1, 1), (1, 1)] => luma.0 <= 2 && luma.1 <= 2,
        _ => false,
    };
    let is_known_order = match frame.is_progressive() {
        // One more bit of the means has no codes by which `zune::progressive` could tell that some are missing.
        true => {
            let is_bit_of_means = |scan: &Scan| scan.is_of_means() && scan.refines;
            progress::is_complete(frame, &structure.scans)
                && !structure.scans.last().is_some_and(is_bit_of_means)
        }
        false => structure.scans.len() == 1,
    };
    is_known_code && is_known_sampling && is_known_order
}

/// What zune-jpeg may have painted because it is missing. All blocks of a file are counted only where its picture or its
/// structure makes that possible: few photos end evenly.
fn completeness(rgb: &Rgb, bytes: &[u8], frame: &Frame, structure: &Structure) -> Completeness {
    let data = structure.end.and_then(|end| bytes.get(..end)).unwrap_or(bytes);
    let of_means = structure.scans.iter().filter(|scan| scan.is_of_means() && !scan.refines).count();
    match frame.is_progressive() {
        true if of_means != 1 || ends_evenly(rgb) => completeness::of_means(data, frame, &structure.scans),
        false if ends_evenly(rgb) => completeness::of_last_scan(data, frame, &structure.scans),
        _ => Completeness::Unknown,
    }
}

fn corrupt(detail: &str) -> DecodeError {
    DecodeError::corrupt(FORMAT, detail)
}

/// The file with its end marker, and how much of the picture is missing, in hundredths. A file without that marker is only
/// taken if all of its blocks are there, or zeros in their place: so Pillow does.
fn with_end<'a>(
    bytes: &'a [u8],
    structure: &Structure,
    frame: &Frame,
) -> Result<(Cow<'a, [u8]>, u8), DecodeError> {
    if structure.end.is_some() {
        return Ok((Cow::Borrowed(bytes), 0));
    }
    let missing_percent = match completeness::of_last_scan(bytes, frame, &structure.scans) {
        Completeness::Whole => 0,
        Completeness::Padded { missing_percent } => missing_percent,
        Completeness::Cut | Completeness::Unknown => return Err(DecodeError::Truncated { format: FORMAT }),
    };
    Ok((Cow::Owned([bytes, b"\xff\xd9"].concat()), missing_percent))
}

/// Adobe's colour transform is 0 or 1 for three components; libjpeg takes any other for YCbCr, and believes JFIF more than
/// Adobe.
fn with_known_transform<'a>(bytes: Cow<'a, [u8]>, structure: &Structure, frame: &Frame) -> Cow<'a, [u8]> {
    let Some(at) = structure.adobe_transform else { return bytes };
    let is_contradicted = frame.components.len() == 3 && structure.is_jfif && bytes[at] == 0;
    if bytes[at] <= 2 && !is_contradicted {
        return bytes;
    }
    let mut bytes = bytes.into_owned();
    bytes[at] = 1;
    Cow::Owned(bytes)
}

/// How libjpeg takes the components.
fn colours(bytes: &[u8], structure: &Structure, frame: &Frame) -> Colours {
    let ids: Vec<_> = frame.components.iter().map(|component| component.id).collect();
    let transform = structure.adobe_transform.map(|at| bytes[at]);
    match (frame.components.len(), transform) {
        (1, _) => Colours::Grey,
        (4, None | Some(0)) => Colours::Cmyk,
        (4, _) => Colours::Ycck,
        _ if structure.is_jfif => Colours::YCbCr,
        (_, Some(0)) => Colours::Rgb,
        (_, None) if ids == *b"RGB" || frame.is_lossless() => Colours::Rgb,
        _ => Colours::YCbCr,
    }
}

/// At a half, a quarter or an eighth of its size.
fn reduced(bytes: &[u8], frame: &Frame, structure: &Structure) -> Result<Picture, DecodeError> {
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    if frame.pixels() > MOST_PIXELS_REDUCED || frame.is_lossless() {
        return Err(DecodeError::TooManyPixels { width, height });
    }
    let by = match frame.is_progressive() {
        // The coefficients of all scans would have to be kept at their full size; the means of the blocks suffice.
        true => 8,
        false => [2, 4].into_iter().find(|by| frame.pixels() / (by * by) <= REDUCED_PIXELS).unwrap_or(8),
    };
    reserve(&mut Vec::new(), general::bytes_per_pixel(frame) * frame.pixels() / (by * by), (width, height))?;
    let (rgb, missing_percent) = general::decode(bytes, frame, colours(bytes, structure, frame), by)?;
    Ok(Picture { reduced_by: by as u8, missing_percent, ..Picture::of(rgb, "beitscope") })
}

/// Whether the last row repeats one block, or a block with a steady change: so it does where zune-jpeg has read zeros in
/// place of missing data. Few photos end so; of those that do, the blocks are counted.
fn ends_evenly(rgb: &Rgb) -> bool {
    // The largest unit of blocks is 32 samples wide; in the first units the pattern has not begun.
    const UNIT: usize = 32 * 3;
    let row = rgb.width as usize * 3;
    let last = &rgb.pixels[rgb.pixels.len() - row..];
    let Some(last) = last.get(UNIT..).filter(|last| last.len() > 2 * UNIT) else { return true };
    let mut changes =
        last.iter().zip(&last[UNIT..]).map(|(before, after)| i16::from(*after) - i16::from(*before));
    let first: [i16; 3] = std::array::from_fn(|_| changes.next().unwrap_or_default());
    changes.enumerate().all(|(at, change)| (change - first[at % 3]).abs() <= 2)
}

/// The EXIF data of all segments together, as Pillow has it, and the last XMP packet.
pub(super) fn metadata(bytes: &[u8]) -> Metadata {
    const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
    let mut metadata = Metadata { exif_is_for_browsers: true, ..Metadata::default() };
    for segment in Segments::new(bytes).take_while(|segment| segment.marker != 0xda) {
        if segment.marker != 0xe1 {
            continue;
        }
        if let Some(exif) = segment.content.strip_prefix(b"Exif\0\0") {
            metadata.exif.get_or_insert_default().extend_from_slice(exif);
        } else if let Some(xmp) = segment.content.strip_prefix(XMP) {
            metadata.xmp = Some(xmp.to_vec());
        }
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(name: &str) -> Vec<u8> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
        std::fs::read(folder.join(name)).unwrap()
    }

    /// The mean colours of whole cells of `by` × `by` pixels, row by row.
    fn means(rgb: &Rgb, by: usize) -> Vec<[i32; 3]> {
        let (width, height) = (rgb.width as usize, rgb.height as usize);
        let cell = |left: usize, top: usize| {
            let pixels =
                (0..by * by).map(|at| &rgb.pixels[((top + at / by) * width + left + at % by) * 3..][..3]);
            let sum = pixels.fold([0; 3], |sum: [i32; 3], pixel| {
                std::array::from_fn(|channel| sum[channel] + i32::from(pixel[channel]))
            });
            sum.map(|sum| sum / (by * by) as i32)
        };
        (0..height / by).flat_map(|y| (0..width / by).map(move |x| cell(x * by, y * by))).collect()
    }

    #[test]
    fn photos_at_a_reduced_size_are_means_of_the_whole() {
        let files = [
            ("photos/baseline.jpg", &[2, 4, 8][..]),
            ("photos/progressive.jpg", &[8]),
            ("photos/cmyk.jpg", &[4]),
            ("jpeg/arithmetic-fine.jpg", &[2, 4, 8]),
            ("jpeg/arithmetic-progressive-420.jpg", &[8]),
            ("jpeg/12-bit-444-restart.jpg", &[2]),
        ];
        for (name, reductions) in files {
            let bytes = photo(name);
            let structure = structure(&bytes);
            let frame = structure.frame.as_ref().unwrap();
            let full = picture(&bytes).unwrap().rgb;
            for &by in reductions {
                let (small, missing_percent) =
                    general::decode(&bytes, frame, colours(&bytes, &structure, frame), by).unwrap();
                assert_eq!(missing_percent, 0, "{name}");
                let by = by as usize;
                assert_eq!(
                    (small.width, small.height),
                    (full.width.div_ceil(by as u32), full.height.div_ceil(by as u32))
                );
                let across = full.width as usize / by;
                let expected = means(&full, by);
                let off = expected.iter().enumerate().map(|(at, want)| {
                    let place = (at / across * small.width as usize + at % across) * 3;
                    (0..3).map(|c| (i32::from(small.pixels[place + c]) - want[c]).abs()).sum::<i32>()
                });
                // Chroma is of larger blocks, and colours out of range are cut before the mean here.
                let mean = f64::from(off.sum::<i32>()) / (expected.len() * 3) as f64;
                assert!(mean < 3.0, "{name} by {by}: {mean}");
            }
        }
    }

    /// No component may have a factor of 0: its plane would be empty.
    #[test]
    fn factors_of_zero_are_damage() {
        let mut bytes = photo("photos/progressive.jpg");
        let frame = bytes.windows(2).position(|window| window == [0xff, 0xc2]).unwrap();
        for factors in [0x00, 0x01, 0x10, 0x51] {
            bytes[frame + 11] = factors;
            assert!(matches!(picture(&bytes), Err(DecodeError::Corrupt { .. })), "{factors:#x}");
        }
    }

    #[test]
    fn large_sequential_photos_are_reduced() {
        let bytes = photo("photos/baseline.jpg");
        let structure = structure(&bytes);
        let frame = structure.frame.as_ref().unwrap();
        let (small, full) = (reduced(&bytes, frame, &structure).unwrap(), picture(&bytes).unwrap());
        assert_eq!((small.reduced_by, full.reduced_by), (2, 1));
        assert_eq!(small.rgb.width, full.rgb.width.div_ceil(2));
    }
}

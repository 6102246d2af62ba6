//! JPEG: which decoder reads a file's structure, and what is missing of it.
//!
//! zune-jpeg is the fast one and reads what cameras and programs write. jpeg-decoder reads what it gets wrong or refuses:
//! several sequential scans, chroma finer than luma, factors of three, lossless files; and it decodes sequential photos
//! beyond [`MAX_PIXELS`] at a half to an eighth of their size, in a fraction of the memory. Of progressive ones that
//! large, `means` decodes an eighth.

mod completeness;
mod entropy;
mod means;
mod structure;

use std::borrow::Cow;
use std::io::Cursor;

use completeness::Completeness;
use image::codecs::jpeg::JpegDecoder;
use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::metadata::Metadata;
use super::{DecodeError, Format, MAX_PIXELS, Picture, Rgb, read, reserve};
use structure::{Component, Segments, Structure};
pub(super) use structure::{Frame, first_frame, structure};

const FORMAT: Format = Format::Jpeg;

/// Most pixels a photo may claim that is decoded at a reduced size.
const MOST_PIXELS_REDUCED: u64 = 600_000_000;
/// Pixels of a photo that is decoded at a reduced size, at most: the network sees 224 × 224.
const REDUCED_PIXELS: u64 = 16_000_000;
/// No encoder writes more scans; a file of thousands is made to keep a decoder busy.
const MOST_SCANS: usize = 200;

/// The picture as it is stored, not turned upright.
pub(super) fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let structure = structure(bytes);
    let Some(frame) = &structure.frame else {
        // The header itself may be what is cut off.
        return Err(if structure.ended {
            corrupt("it has no frame")
        } else {
            DecodeError::Truncated { format: FORMAT }
        });
    };
    check_process(frame)?;
    let bytes = whole(bytes, &structure, frame)?;
    let bytes = with_known_transform(bytes, &structure, frame);
    let decoder = if frame.pixels() > MAX_PIXELS {
        return reduced(&bytes, frame, &structure);
    } else if wants_other_decoder(frame, &structure) {
        return other(&bytes, frame, &structure);
    } else {
        JpegDecoder::new(Cursor::new(&*bytes))
    };
    // The decoder keeps all coefficients until the last scan: of 16 bits, of up to four components.
    let coefficients = if frame.is_progressive() { 8 } else { 0 };
    let rgb = read(FORMAT, decoder, |pixels, _| coefficients * pixels).map_err(|error| match error {
        // It gives up on some of these, which are whole.
        DecodeError::Corrupt { detail, .. } if frame.has_factor(4) => {
            DecodeError::UnsupportedVariant { format: FORMAT, detail }
        }
        error => error,
    })?;
    if ends_evenly(&rgb) && completeness::of_last_scan(&bytes, frame, &structure.scans) == Completeness::Cut {
        return Err(DecodeError::Truncated { format: FORMAT });
    }
    Ok(Picture::of(rgb, "zune-jpeg"))
}

/// Refuses what no decoder here reads.
fn check_process(frame: &Frame) -> Result<(), DecodeError> {
    let lacks = |detail: &str| Err(DecodeError::variant(FORMAT, detail));
    match frame {
        Frame { process: 9..=11 | 13..=15, .. } => lacks("arithmetic coding"),
        Frame { process: 5..=7, .. } => lacks("hierarchical frames"),
        Frame { height: 0, .. } => lacks("its height comes after its pixels (DNL)"),
        Frame { precision, .. } if *precision != 8 && !frame.is_lossless() => lacks("12 bits a sample"),
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

fn corrupt(detail: &str) -> DecodeError {
    DecodeError::corrupt(FORMAT, detail)
}

/// The file with its end marker. A class for a photo that is half grey would be a wrong answer that looks like a right
/// one, so a file without that marker is only taken if all of its blocks are there.
fn whole<'a>(bytes: &'a [u8], structure: &Structure, frame: &Frame) -> Result<Cow<'a, [u8]>, DecodeError> {
    if structure.ended {
        return Ok(Cow::Borrowed(bytes));
    }
    if completeness::of_last_scan(bytes, frame, &structure.scans) == Completeness::Whole {
        return Ok(Cow::Owned([bytes, b"\xff\xd9"].concat()));
    }
    Err(DecodeError::Truncated { format: FORMAT })
}

/// Adobe's colour transform is 0, 1 or 2; libjpeg takes any other for YCbCr, or YCCK of four components, and believes JFIF
/// more than Adobe.
fn with_known_transform<'a>(bytes: Cow<'a, [u8]>, structure: &Structure, frame: &Frame) -> Cow<'a, [u8]> {
    let Some(at) = structure.adobe_transform else { return bytes };
    let usual = if frame.components.len() == 4 { 2 } else { 1 };
    let is_contradicted = frame.components.len() == 3 && structure.is_jfif && bytes[at] == 0;
    if bytes[at] <= 2 && !is_contradicted {
        return bytes;
    }
    let mut bytes = bytes.into_owned();
    bytes[at] = usual;
    Cow::Owned(bytes)
}

/// How libjpeg takes the components of a file that is not contradicted by Adobe's segment any more.
fn color_transform(bytes: &[u8], structure: &Structure, frame: &Frame) -> ColorTransform {
    let ids: Vec<_> = frame.components.iter().map(|component| component.id).collect();
    let is_rgb = match structure.adobe_transform {
        _ if structure.is_jfif => false,
        Some(at) => bytes[at] == 0,
        None => ids == *b"RGB",
    };
    match frame.components.len() {
        1 => ColorTransform::Grayscale,
        _ if is_rgb => ColorTransform::RGB,
        _ => ColorTransform::YCbCr,
    }
}

/// Whether zune-jpeg gets this structure wrong, or refuses it.
fn wants_other_decoder(frame: &Frame, structure: &Structure) -> bool {
    // Four components are CMYK, which jpeg-decoder leaves as it is.
    if frame.components.len() > 3 {
        return false;
    }
    let chroma_is_coarsest = frame.components.iter().skip(1).all(|c| (c.horizontal, c.vertical) == (1, 1));
    let odd_factors =
        frame.has_factor(3) || frame.has_factor(4) && frame.is_sequential() && !chroma_is_coarsest;
    frame.is_lossless()
        || frame.is_sequential() && structure.scans.len() > 1
        || frame.components.len() == 3 && (!frame.luma_is_finest() || odd_factors)
}

/// By the other decoder, at its full size.
fn other(bytes: &[u8], frame: &Frame, structure: &Structure) -> Result<Picture, DecodeError> {
    if structure.scans.len() > MOST_SCANS {
        return Err(corrupt("it has too many scans"));
    }
    if frame.is_progressive() && frame.has_factor(4) && !frame.luma_is_finest() {
        // It miscounts their blocks.
        let detail = "progressive, luma coarser than chroma, with a sampling factor of 4";
        return Err(DecodeError::variant(FORMAT, detail));
    }
    let size = (u32::from(frame.width), u32::from(frame.height));
    // Each component at its full size, of 16 bits where it is lossless, and the result.
    let per_pixel = if frame.is_lossless() { 18 } else { 12 };
    reserve(&mut Vec::new(), per_pixel * frame.pixels(), size)?;
    let mut decoder = Decoder::new(bytes);
    decoder.set_color_transform(color_transform(bytes, structure, frame));
    let samples = decoder.decode().map_err(fail)?;
    if completeness::of_last_scan(bytes, frame, &structure.scans) == Completeness::Cut {
        return Err(DecodeError::Truncated { format: FORMAT });
    }
    to_rgb(&decoder, samples, frame.precision).map(|rgb| Picture::of(rgb, "jpeg-decoder"))
}

/// At a half, a quarter or an eighth of its size.
fn reduced(bytes: &[u8], frame: &Frame, structure: &Structure) -> Result<Picture, DecodeError> {
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    if frame.pixels() > MOST_PIXELS_REDUCED || !matches!(frame.components.len(), 1 | 3) {
        return Err(DecodeError::TooManyPixels { width, height });
    }
    let transform = color_transform(bytes, structure, frame);
    if frame.is_progressive() {
        // The coefficients of all scans would have to be kept at their full size; the means of the blocks suffice.
        let is_rgb = matches!(transform, ColorTransform::RGB);
        let rgb =
            means::decode(bytes, structure, frame, is_rgb).ok_or_else(|| corrupt("a scan is damaged"))?;
        return Ok(Picture { reduced_by: 8, ..Picture::of(rgb, "beitscope") });
    }
    if !frame.is_sequential() || structure.scans.len() > 1 {
        return Err(DecodeError::TooManyPixels { width, height });
    }
    let by = [2, 4, 8].into_iter().find(|by| frame.pixels() / (by * by) <= REDUCED_PIXELS).unwrap_or(8);
    reserve(&mut Vec::new(), 8 * frame.pixels() / (by * by), (width, height))?;
    let mut decoder = Decoder::new(bytes);
    decoder.set_color_transform(transform);
    decoder.scale(frame.width.div_ceil(by as u16), frame.height.div_ceil(by as u16)).map_err(fail)?;
    let samples = decoder.decode().map_err(fail)?;
    let rgb = to_rgb(&decoder, samples, frame.precision)?;
    Ok(Picture { reduced_by: by as u8, ..Picture::of(rgb, "jpeg-decoder") })
}

fn to_rgb(decoder: &Decoder<&[u8]>, samples: Vec<u8>, precision: u8) -> Result<Rgb, DecodeError> {
    let info = decoder.info().ok_or_else(|| corrupt("it has no frame"))?;
    let pixels = match info.pixel_format {
        PixelFormat::RGB24 => samples,
        PixelFormat::L8 => samples.iter().flat_map(|&grey| [grey; 3]).collect(),
        PixelFormat::L16 => {
            let words = samples.as_chunks::<2>().0.iter().map(|&bytes| u16::from_ne_bytes(bytes));
            words.flat_map(|word| [(word >> precision.saturating_sub(8)).min(255) as u8; 3]).collect()
        }
        PixelFormat::CMYK32 => return Err(corrupt("four components were not expected")),
    };
    Ok(Rgb { width: info.width.into(), height: info.height.into(), pixels })
}

fn fail(error: jpeg_decoder::Error) -> DecodeError {
    let detail = error.to_string();
    match error {
        jpeg_decoder::Error::Unsupported(_) => DecodeError::UnsupportedVariant { format: FORMAT, detail },
        jpeg_decoder::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Truncated { format: FORMAT }
        }
        _ => DecodeError::Corrupt { format: FORMAT, detail },
    }
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
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/photos");
        std::fs::read(folder.join(name)).unwrap()
    }

    /// The mean colours of 8 × 8 pixels.
    fn eighth(rgb: &Rgb) -> Vec<[i32; 3]> {
        let (width, height) = (rgb.width as usize, rgb.height as usize);
        let mut means = Vec::new();
        for top in (0..height - height % 8).step_by(8) {
            for left in (0..width - width % 8).step_by(8) {
                let pixels =
                    (0..64).map(|at| &rgb.pixels[((top + at / 8) * width + left + at % 8) * 3..][..3]);
                let sum = pixels.fold([0; 3], |sum: [i32; 3], pixel| {
                    std::array::from_fn(|channel| sum[channel] + i32::from(pixel[channel]))
                });
                means.push(sum.map(|sum| (sum + 32) / 64));
            }
        }
        means
    }

    #[test]
    fn means_of_blocks_are_an_eighth_of_the_photo() {
        let bytes = photo("progressive.jpg");
        let structure = structure(&bytes);
        let frame = structure.frame.as_ref().unwrap();
        assert!(frame.is_progressive());
        let small = means::decode(&bytes, &structure, frame, false).unwrap();
        let expected = eighth(&picture(&bytes).unwrap().rgb);
        let (across, down) = (usize::from(frame.width) / 8, usize::from(frame.height) / 8);
        let mut off = 0;
        for y in 0..down {
            for x in 0..across {
                let got = &small.pixels[(y * small.width as usize + x) * 3..][..3];
                let want = expected[y * across + x];
                off += got.iter().zip(want).map(|(&got, want)| (i32::from(got) - want).abs()).sum::<i32>();
            }
        }
        // Chroma is of larger blocks, and colours out of range are cut before the mean here.
        let mean = f64::from(off) / (across * down * 3) as f64;
        assert!(mean < 3.0, "{mean}");
    }

    /// No component may have a factor of 0: its plane would be empty.
    #[test]
    fn factors_of_zero_are_damage() {
        let mut bytes = photo("progressive.jpg");
        let frame = bytes.windows(2).position(|window| window == [0xff, 0xc2]).unwrap();
        for factors in [0x00, 0x01, 0x10, 0x51] {
            bytes[frame + 11] = factors;
            assert!(matches!(picture(&bytes), Err(DecodeError::Corrupt { .. })), "{factors:#x}");
        }
    }

    #[test]
    fn large_sequential_photos_are_reduced() {
        let bytes = photo("baseline.jpg");
        let structure = structure(&bytes);
        let frame = structure.frame.as_ref().unwrap();
        let (small, full) = (reduced(&bytes, frame, &structure).unwrap(), picture(&bytes).unwrap());
        assert_eq!((small.reduced_by, full.reduced_by), (2, 1));
        assert_eq!(small.rgb.width, full.rgb.width.div_ceil(2));
    }
}

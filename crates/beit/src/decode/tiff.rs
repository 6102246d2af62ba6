//! TIFFs in ways that `image` lacks or gets wrong: palettes, CIELAB, grey with alpha, whole numbers of 32 bits, signed
//! numbers, YCbCr without JPEG, bits in reverse, CMYK, and samples beyond the colours. All others go to `image`.
//!
//! What the decoder lacks is only the meaning of the numbers: the photometric interpretation is changed in a copy of the
//! file to one it knows, and the samples are turned into colours here.

mod unpack;

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::tiff::TiffDecoder;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::{ColorType, TiffError};

use super::ifd::{Entry, SHORT, Tiff, find};
use super::samples::{rgb_of_cmyk, rgb_of_ycbcr};
use super::{DecodeError, Format, Picture, Rgb, check_pixels, read, reserve};

const FORMAT: Format = Format::Tiff;

const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const PHOTOMETRIC: u16 = 262;
const COMPRESSION: u16 = 259;
const FILL_ORDER: u16 = 266;
const SAMPLES: u16 = 277;
const PLANAR: u16 = 284;
const PALETTE: u16 = 320;
const TILE_HEIGHT: u16 = 323;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;
const CHROMA_SAMPLING: u16 = 530;
/// Where the strips or tiles are, and how long.
const PARTS: [(u16, u16); 2] = [(273, 279), (324, 325)];

const UNASSOCIATED_ALPHA: u8 = 2;

/// Photometric interpretations.
const BLACK_IS_ZERO: u8 = 1;
const RGB: u8 = 2;

/// What a sample's number means, where the decoder does not know.
enum Meaning {
    /// An index into so many reds, greens and blues of 16 bits.
    Index(Vec<[u8; 3]>),
    /// Lightness, then two signed numbers, or as ICC profiles have them with 128 in the middle.
    Lab { offset: i32 },
    /// As in JPEG, of full range.
    YCbCr,
    /// Inks: 255 is all of one.
    Cmyk,
    /// Grey or colours, of which the first one or three samples count.
    Plain,
}

pub(super) fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let bytes = &*with_usual_fill_order(bytes);
    let bytes = &*unpack::unpacked(bytes)?;
    let Some((bytes, height)) = with_whole_tiles(bytes) else { return decoded(bytes) };
    let mut picture = decoded(&bytes)?;
    picture.rgb.pixels.truncate(picture.rgb.width as usize * height as usize * 3);
    picture.rgb.height = height;
    Ok(picture)
}

fn decoded(bytes: &[u8]) -> Result<Picture, DecodeError> {
    if let Some((meaning, file)) = special(bytes) {
        return with_meaning(&file, &meaning);
    }
    let file = TiffDecoder::new(Cursor::new(bytes));
    read(FORMAT, file, |pixels, samples| samples + pixels).map(|rgb| Picture::of(rgb, "tiff"))
}

/// A file of tiled planes as high as its tiles, and its true height: of planes behind the first, the decoder takes the
/// lowest tiles for whole ones, and there is no room for them in the last plane.
fn with_whole_tiles(bytes: &[u8]) -> Option<(Vec<u8>, u32)> {
    let tiff = Tiff::new(bytes)?;
    let directory = tiff.directory(tiff.first()?);
    (tiff.single(&directory, PLANAR)? == 2).then_some(())?;
    let height = u32::try_from(tiff.single(&directory, HEIGHT)?).ok()?;
    let tile = tiff.single(&directory, TILE_HEIGHT).filter(|&tile| tile > 0)?;
    let whole = u64::from(height).checked_next_multiple_of(tile).filter(|&whole| whole <= u32::MAX.into())?;
    let mut file = bytes.to_vec();
    tiff.replace(&mut file, find(&directory, HEIGHT)?, &[whole])?;
    Some((file, height))
}

/// The meaning of the first page's samples where `image` does not know it, and the file as its decoder reads it.
fn special(bytes: &[u8]) -> Option<(Meaning, Cow<'_, [u8]>)> {
    let tiff = Tiff::new(bytes)?;
    let directory = tiff.directory(tiff.first()?);
    let number = |tag, otherwise| tiff.single(&directory, tag).unwrap_or(otherwise);
    let photometric = find(&directory, PHOTOMETRIC)?;
    let samples = number(SAMPLES, 1);
    let first = |tag, otherwise| {
        let entry = find(&directory, tag);
        entry.and_then(|entry| tiff.value(entry, 0)).unwrap_or(otherwise)
    };
    let (bits, is_signed, is_unsigned) =
        (first(BITS, 1), first(SAMPLE_FORMAT, 1) == 2, first(SAMPLE_FORMAT, 1) == 1);
    let is_jpeg = matches!(number(COMPRESSION, 1), 6 | 7);
    let chroma = find(&directory, CHROMA_SAMPLING);
    let sampling = [0, 1].map(|at| chroma.and_then(|entry| tiff.value(entry, at)).unwrap_or(2));
    let extra = directory.iter().find(|entry| entry.tag == EXTRA_SAMPLES && entry.count == 1);
    let instead = |value| patch(bytes, photometric, value);
    Some(match tiff.value(photometric, 0)? {
        3 if samples == 1 => (Meaning::Index(palette(&tiff, &directory)?), instead(BLACK_IS_ZERO)?),
        8 if samples == 3 && bits == 8 => (Meaning::Lab { offset: 0 }, instead(RGB)?),
        9 if samples == 3 && bits == 8 => (Meaning::Lab { offset: 128 }, instead(RGB)?),
        6 if samples == 3 && bits == 8 && !is_jpeg && sampling == [1, 1] => (Meaning::YCbCr, instead(RGB)?),
        // In planes `image` does not know it, and otherwise rounds it unlike Pillow.
        5 if samples == 4
            && is_unsigned
            && matches!(bits, 8 | 16)
            && (!is_jpeg || number(PLANAR, 1) == 2) =>
        {
            (Meaning::Cmyk, Cow::Borrowed(bytes))
        }
        0 | 1 if samples == 2 => (Meaning::Plain, Cow::Borrowed(bytes)),
        0..=2 if is_signed || is_unsigned && bits == 32 => (Meaning::Plain, Cow::Borrowed(bytes)),
        // The decoder undoes a prediction as if only three samples were there, unless the fourth is said to be alpha.
        2 if samples == 4 && tiff.value(extra?, 0) == Some(0) => {
            (Meaning::Plain, patch(bytes, extra?, UNASSOCIATED_ALPHA)?)
        }
        _ => return None,
    })
}

/// The file with each byte's highest bit first: the decoder knows no other order.
fn with_usual_fill_order(bytes: &[u8]) -> Cow<'_, [u8]> {
    let reversed = || {
        let tiff = Tiff::new(bytes)?;
        let directory = tiff.directory(tiff.first()?);
        let order = find(&directory, FILL_ORDER)?;
        (tiff.value(order, 0)? == 2).then_some(())?;
        let (places, lengths) = PARTS
            .into_iter()
            .find_map(|(places, lengths)| find(&directory, places).zip(find(&directory, lengths)))?;
        let mut file = patch(bytes, order, 1)?.into_owned();
        for part in 0..places.count.min(lengths.count) {
            let at = usize::try_from(tiff.value(places, part)?).ok()?;
            let length = usize::try_from(tiff.value(lengths, part)?).ok()?;
            let end = at.checked_add(length)?.min(file.len());
            file.get_mut(at..end)?.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        Some(Cow::Owned(file))
    };
    reversed().unwrap_or(Cow::Borrowed(bytes))
}

/// The file with another number in this entry.
fn patch<'a>(bytes: &[u8], entry: &Entry, value: u8) -> Option<Cow<'a, [u8]>> {
    let (at, mut bytes) = (usize::try_from(entry.at).ok()?, bytes.to_vec());
    (entry.kind == SHORT).then_some(())?;
    let little_endian = bytes.starts_with(b"II");
    bytes.get_mut(at..at + 2)?.copy_from_slice(&if little_endian { [value, 0] } else { [0, value] });
    Some(Cow::Owned(bytes))
}

/// All reds, then all greens, then all blues; of 16 bits, whose high bytes count.
fn palette(tiff: &Tiff, directory: &[Entry]) -> Option<Vec<[u8; 3]>> {
    let entry = directory.iter().find(|entry| entry.tag == PALETTE && entry.kind == SHORT)?;
    let colours = entry.count / 3;
    (colours <= 1 << 16).then_some(())?;
    let value = |index| tiff.value(entry, index).map(|value| (value >> 8) as u8);
    (0..colours).map(|at| Some([value(at)?, value(at + colours)?, value(at + 2 * colours)?])).collect()
}

fn with_meaning(file: &[u8], meaning: &Meaning) -> Result<Picture, DecodeError> {
    let mut decoder = Decoder::new(Cursor::new(file)).map_err(fail)?.with_limits(Limits::unlimited());
    let size @ (width, height) = decoder.dimensions().map_err(fail)?;
    check_pixels(size)?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(DecodeError::corrupt(FORMAT, format!("{width} × {height} pixels")));
    }
    let color = decoder.colortype().map_err(fail)?;
    let is_planar = Tiff::new(file).is_some_and(|tiff| {
        tiff.first().is_some_and(|first| tiff.single(&tiff.directory(first), PLANAR) == Some(2))
    });
    let samples = u64::from(color.num_samples());
    let bits = color.bit_depth();
    reserve(&mut Vec::new(), pixels * (3 + 2 * samples * u64::from(bits).div_ceil(8)), size)?;
    // Of grey with further samples the first plane is all that is wanted.
    let is_coloured = samples >= 3 && !matches!(color, ColorType::Multiband { .. });
    let takes_planes = is_planar && is_coloured;
    let samples = if is_planar && !takes_planes { 1 } else { samples };
    let kind = || lacks("its kind of numbers");
    let values = if takes_planes {
        let mut planes = DecodingResult::U8(Vec::new());
        decoder.read_image_to_buffer(&mut planes).map_err(fail)?;
        interleaved(&bytes_of(planes).ok_or_else(kind)?, samples as usize)
    } else {
        bytes_of(decoder.read_image().map_err(fail)?).ok_or_else(kind)?
    };

    let row = (u64::from(width) * samples * u64::from(bits.min(8))).div_ceil(8) as usize;
    let samples = samples as usize;
    let mut rgb = Vec::with_capacity(pixels as usize * 3);
    for row in values.chunks(row).take(height as usize) {
        let value = |at: usize| match bits {
            1 | 2 | 4 => row.get(at * usize::from(bits) / 8).map(|byte| {
                byte >> (8 - usize::from(bits) - at * usize::from(bits) % 8) & ((1u16 << bits) - 1) as u8
            }),
            _ => row.get(at).copied(),
        };
        for x in 0..width as usize {
            let sample = |number: usize| value(x * samples + number).unwrap_or_default();
            rgb.extend(match meaning {
                Meaning::Index(palette) => palette.get(usize::from(sample(0))).copied().unwrap_or_default(),
                Meaning::Lab { offset } => srgb_of_lab([sample(0), sample(1), sample(2)], *offset),
                Meaning::YCbCr => rgb_of_ycbcr([sample(0), sample(1), sample(2)]),
                Meaning::Cmyk => rgb_of_cmyk([sample(0), sample(1), sample(2)], 255 - sample(3)),
                Meaning::Plain if samples >= 3 => [sample(0), sample(1), sample(2)],
                Meaning::Plain => [sample(0); 3],
            });
        }
    }
    if rgb.len() as u64 != pixels * 3 {
        return Err(DecodeError::Truncated { format: FORMAT });
    }
    Ok(Picture::of(Rgb { width, height, pixels: rgb }, "tiff"))
}

/// A pixel's samples one after another, of so many planes.
fn interleaved(planes: &[u8], count: usize) -> Vec<u8> {
    let length = planes.len() / count;
    (0..length).flat_map(|at| (0..count).map(move |plane| planes[plane * length + at])).collect()
}

/// The numbers' highest bytes; of signed ones, those of the positive half.
fn bytes_of(values: DecodingResult) -> Option<Vec<u8>> {
    Some(match values {
        DecodingResult::U8(values) => values,
        DecodingResult::U16(values) => values.into_iter().map(|value| (value >> 8) as u8).collect(),
        DecodingResult::U32(values) => values.into_iter().map(|value| (value >> 24) as u8).collect(),
        DecodingResult::I8(values) => values.into_iter().map(|value| (value.max(0) as u8) << 1).collect(),
        DecodingResult::I16(values) => values.into_iter().map(|value| (value.max(0) >> 7) as u8).collect(),
        DecodingResult::I32(values) => values.into_iter().map(|value| (value.max(0) >> 23) as u8).collect(),
        _ => return None,
    })
}

/// CIE 1976 L*a*b* under D50, the light of printing, as 8-bit sRGB (adapted to its D65 by Bradford's matrix).
fn srgb_of_lab([lightness, a, b]: [u8; 3], offset: i32) -> [u8; 3] {
    let signed =
        |byte: u8| if offset == 0 { f32::from(byte as i8) } else { (i32::from(byte) - offset) as f32 };
    let y = (f32::from(lightness) / 2.55 + 16.0) / 116.0;
    let cube = |t: f32| if t > 6.0 / 29.0 { t * t * t } else { (t - 4.0 / 29.0) * (108.0 / 841.0) };
    let [x, y, z] = [0.9642 * cube(y + signed(a) / 500.0), cube(y), 0.8251 * cube(y - signed(b) / 200.0)];
    let linear = [
        3.1339 * x - 1.6169 * y - 0.4906 * z,
        -0.9788 * x + 1.9161 * y + 0.0335 * z,
        0.0719 * x - 0.2290 * y + 1.4052 * z,
    ];
    linear.map(|value| {
        let value = value.clamp(0.0, 1.0);
        let encoded =
            if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (encoded * 255.0).round() as u8
    })
}

fn lacks(detail: &str) -> DecodeError {
    DecodeError::variant(FORMAT, detail)
}

fn fail(error: TiffError) -> DecodeError {
    let detail = error.to_string();
    match error {
        TiffError::UnsupportedError(_) => DecodeError::UnsupportedVariant { format: FORMAT, detail },
        TiffError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Truncated { format: FORMAT }
        }
        _ => DecodeError::Corrupt { format: FORMAT, detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_greys_are_grey_and_colours_have_their_hue() {
        assert_eq!(srgb_of_lab([0, 0, 0], 0), [0, 0, 0]);
        assert_eq!(srgb_of_lab([255, 128, 128], 128), [255, 255, 255]);
        let [red, green, blue] = srgb_of_lab([136, 80, 67], 0);
        assert!(red > 240 && green < 40 && blue < 40, "{red} {green} {blue}");
    }
}

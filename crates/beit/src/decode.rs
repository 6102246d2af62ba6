//! Photo bytes → upright [`Rgb`].
//!
//! The format is told by the bytes, never by a file name. Whatever the file holds, the result is what
//! Pillow's `ImageOps.exif_transpose(Image.open(file)).convert("RGB")` gives (as ModelScope loads photos;
//! timm does without the EXIF), up to the rounding of lossy codecs: alpha is dropped, not blended, so a
//! transparent pixel shows the colour stored under it; of an animation the first frame counts. The one
//! exception is 16-bit grey, see `samples`.

mod error;
mod jpeg;
mod orient;
mod samples;
mod sniff;
mod webp;

use std::io::Cursor;

use image::codecs::{
    bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, tiff::TiffDecoder,
    webp::WebPDecoder,
};
use image::metadata::Orientation;
use image::{ImageDecoder, ImageResult, Limits};

pub use error::DecodeError;
pub use sniff::{Foreign, Format};

/// Most pixels a photo may claim: its RGB then takes 300 MB, which fits beside the weights in the 2 GiB
/// a worker's memory may grow to.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Longest file that is read at all.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// An upright 8-bit RGB picture, row-major, three bytes a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb {
    pub width: u32,
    pub height: u32,
    /// `width · height · 3` bytes.
    pub pixels: Vec<u8>,
}

/// Decodes a JPEG, PNG, WebP, GIF, BMP or TIFF and turns it upright by its EXIF orientation.
///
/// # Errors
/// A [`DecodeError`], whose `Display` is a sentence for the person who brought the file. The claimed size
/// is checked before memory is taken for it.
pub fn decode(bytes: &[u8]) -> Result<Rgb, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    let length = bytes.len() as u64;
    if length > MAX_FILE_BYTES {
        return Err(DecodeError::FileTooLarge { bytes: length });
    }
    let format = sniff::format(bytes)?;
    let file = Cursor::new(bytes);
    match format {
        Format::Jpeg => {
            let survey = jpeg::survey(bytes);
            if !survey.whole {
                return Err(DecodeError::Truncated { format });
            }
            let coefficients = if survey.buffered { 8 } else { 0 }; // 16-bit, of up to four components
            read(format, JpegDecoder::new(file), |pixels, _| coefficients * pixels)
        }
        Format::Png => {
            // Where an address has 32 bits, the decoder takes a picture beyond them for damage.
            check_pixels(png_size(bytes).unwrap_or_default())?;
            read(format, PngDecoder::with_limits(file, limits(0)), |_, _| 0)
        }
        Format::Gif => read(format, GifDecoder::new(file), |_, samples| samples),
        Format::WebP => {
            let container = webp::container(bytes)?;
            // Plain lossy photos need their luma and chroma; lossless ones, alpha and animations need frames.
            let lossy = container.get(12..16) == Some(b"VP8 ");
            let per_pixel = if lossy { 2 } else { 9 };
            read(format, WebPDecoder::new(Cursor::new(container)), |pixels, _| per_pixel * pixels)
        }
        Format::Bmp => read(format, BmpDecoder::new(file), |_, _| 0),
        Format::Tiff => read(format, TiffDecoder::new(file), |pixels, samples| samples + pixels),
    }
}

/// What a decoder may take for itself, beside a picture of `samples` bytes.
fn limits(samples: u64) -> Limits {
    const METADATA: u64 = 64 << 20;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(2 * samples + METADATA);
    limits
}

/// `working` tells, from the number of pixels and of output bytes, how many bytes the decoder takes while it
/// works, beside its output.
fn read<D: ImageDecoder>(
    format: Format,
    decoder: ImageResult<D>,
    working: impl Fn(u64, u64) -> u64,
) -> Result<Rgb, DecodeError> {
    let fail = |error| DecodeError::from_image(format, error);
    let mut decoder = decoder.map_err(fail)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(DecodeError::Corrupt { format, detail: format!("{width} × {height} pixels") });
    }
    check_pixels((width, height))?;
    let length = decoder.total_bytes();
    decoder.set_limits(limits(length)).map_err(fail)?;
    let orientation = orientation(&mut decoder);
    let color = decoder.color_type();

    let mut samples = Vec::new();
    reserve(&mut samples, length, (width, height))?;
    // A decoder that gets no memory aborts the program. Ask on its behalf.
    reserve(&mut Vec::new(), working(pixels, length), (width, height))?;
    samples.resize(length as usize, 0);
    decoder.read_image(&mut samples).map_err(fail)?;

    let pixels = samples::to_rgb(samples, color, pixels as usize)
        .ok_or(DecodeError::UnsupportedVariant { format, detail: format!("{color:?}") })?;
    orient::turn_upright(Rgb { width, height, pixels }, orientation)
        .map_err(|_| DecodeError::OutOfMemory { width, height })
}

fn check_pixels((width, height): (u32, u32)) -> Result<(), DecodeError> {
    let too_many = u64::from(width) * u64::from(height) > MAX_PIXELS;
    if too_many { Err(DecodeError::TooManyPixels { width, height }) } else { Ok(()) }
}

/// What a PNG's first chunk claims.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    (bytes.get(12..16)? == b"IHDR").then_some(())?;
    Some((number(16)?, number(20)?))
}

fn reserve(buffer: &mut Vec<u8>, bytes: u64, (width, height): (u32, u32)) -> Result<(), DecodeError> {
    let out_of_memory = DecodeError::OutOfMemory { width, height };
    let bytes = usize::try_from(bytes).map_err(|_| out_of_memory.clone())?;
    buffer.try_reserve_exact(bytes).map_err(|_| out_of_memory)
}

/// The orientation the file's EXIF data states; as stored when it states none or is damaged, since a photo
/// on its side is still an answer.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    let stated = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if stated != Orientation::NoTransforms {
        return stated;
    }
    // Some writers keep JPEG's six-byte EXIF prefix in WebP and PNG.
    let exif = decoder.exif_metadata().ok().flatten().unwrap_or_default();
    exif.strip_prefix(b"Exif\0\0").and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
}

//! Photo bytes → upright [`Rgb`].
//!
//! The format is told by the bytes, never by a file name. Whatever the file holds, the result is what
//! Pillow's `ImageOps.exif_transpose(Image.open(file)).convert("RGB")` gives (the loader that timm and
//! ModelScope evaluate with), up to the rounding of lossy codecs: alpha is dropped, not blended, so a
//! transparent pixel shows the colour stored under it; of an animation the first frame counts.

mod error;
mod jpeg;
mod samples;
mod sniff;

use std::io::Cursor;

use image::codecs::{
    bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, tiff::TiffDecoder,
    webp::WebPDecoder,
};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageResult, Limits, RgbImage};

pub use error::DecodeError;
pub use sniff::Format;

/// Most pixels a photo may claim: its RGB then takes 300 MB, which fits beside the weights in the 2 GiB
/// a worker's memory may grow to.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Longest file that is read at all.
pub const MAX_FILE_BYTES: usize = 256 << 20;

/// Most memory a decoder may take for its own samples, before they become 8-bit RGB:
/// [`MAX_PIXELS`] of 16-bit RGBA.
pub const MAX_DECODER_BYTES: u64 = MAX_PIXELS * 8;

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
    if bytes.len() > MAX_FILE_BYTES {
        return Err(DecodeError::FileTooLarge { bytes: bytes.len() });
    }
    let format = sniff::format(bytes)?;
    if !is_whole(format, bytes) {
        return Err(DecodeError::Truncated { format });
    }
    let file = Cursor::new(bytes);
    match format {
        Format::Jpeg => read(format, JpegDecoder::new(file)),
        Format::Png => read(format, PngDecoder::with_limits(file, limits())),
        Format::Gif => read(format, GifDecoder::new(file)),
        Format::WebP => read(format, WebPDecoder::new(file)),
        Format::Bmp => read(format, BmpDecoder::new(file)),
        Format::Tiff => read(format, TiffDecoder::new(file)),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(2 * MAX_DECODER_BYTES); // the TIFF decoder counts its own copy too
    limits
}

/// Whether the container's own bookkeeping finds its end in `bytes`. Only for the formats whose decoder
/// would otherwise paint what is missing grey and call it a success.
fn is_whole(format: Format, bytes: &[u8]) -> bool {
    match format {
        Format::Jpeg => jpeg::reaches_end_of_image(bytes),
        Format::WebP => {
            let riff = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            // An odd last chunk may lack its padding byte.
            bytes.len() as u64 + 1 >= u64::from(riff) + 8
        }
        Format::Png | Format::Gif | Format::Bmp | Format::Tiff => true,
    }
}

fn read<D: ImageDecoder>(format: Format, decoder: ImageResult<D>) -> Result<Rgb, DecodeError> {
    let fail = |error| DecodeError::from_image(format, error);
    let mut decoder = decoder.map_err(fail)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(DecodeError::Corrupt { format, detail: format!("{width} × {height} pixels") });
    }
    if pixels > MAX_PIXELS || decoder.total_bytes() > 2 * MAX_DECODER_BYTES {
        return Err(DecodeError::TooManyPixels { width, height });
    }
    decoder.set_limits(limits()).map_err(fail)?;
    let orientation = orientation(&mut decoder);
    let color = decoder.color_type();

    let mut samples = Vec::new();
    let length = decoder.total_bytes() as usize;
    let out_of_memory = |_| DecodeError::OutOfMemory { width, height };
    samples.try_reserve_exact(length).map_err(out_of_memory)?;
    samples.resize(length, 0);
    decoder.read_image(&mut samples).map_err(fail)?;

    let pixels = samples::to_rgb(samples, color, pixels as usize)
        .ok_or(DecodeError::UnsupportedVariant { format, detail: format!("{color:?}") })?;
    Ok(turn_upright(Rgb { width, height, pixels }, orientation))
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

fn turn_upright(stored: Rgb, orientation: Orientation) -> Rgb {
    if orientation == Orientation::NoTransforms {
        return stored;
    }
    let image = RgbImage::from_raw(stored.width, stored.height, stored.pixels)
        .expect("read() filled width · height · 3 bytes");
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    let (width, height) = (image.width(), image.height());
    Rgb { width, height, pixels: image.into_rgb8().into_raw() }
}

//! Photo bytes → upright [`Rgb`].
//!
//! The format is detected by the bytes, never by a file name. Whatever the file holds, the result is what
//! Pillow's `ImageOps.exif_transpose(Image.open(file)).convert("RGB")` gives (as ModelScope loads photos;
//! timm does without the EXIF), up to the rounding of lossy codecs: alpha is dropped, not blended, so a
//! transparent pixel shows the colour stored under it; of an animation the first frame counts. Exceptions: 16-bit
//! grey, see `samples`; a camera's raw photo is read from its preview, see `raw`; a JPEG beyond [`MAX_PIXELS`] is
//! decoded at a reduced size, see `jpeg`.

mod apply_orientation;
mod avif;
mod bmp;
mod error;
mod format;
mod gif;
mod ico;
mod ifd;
mod jpeg;
mod metadata;
mod orientation;
mod png;
mod raw;
mod samples;
mod sniff;
mod tiff;
mod webp;

use std::io::Cursor;

use image::codecs::{
    bmp::BmpDecoder, png::PngDecoder, pnm::PnmDecoder, qoi::QoiDecoder, tga::TgaDecoder, webp::WebPDecoder,
};
use image::metadata::Orientation;
use image::{ImageDecoder, ImageResult, Limits};

pub use avif::StoredPicture;
pub use error::DecodeError;
pub use format::{ENDINGS, Foreign, Format};
pub use orientation::OrientationSource;
pub use raw::Raw;

/// Most pixels a photo may claim: its RGB then takes 300 MB, which fits beside the weights in the 2 GiB
/// a worker's memory may grow to.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Longest file that is read at all.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// An upright 8-bit RGB picture, row-major, three bytes a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// `width · height · 3` bytes.
    pub pixels: Vec<u8>,
}

/// A photo, and how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Upright.
    pub rgb: Rgb,
    /// Of the file, or of the preview in it.
    pub format: Format,
    /// The raw photo whose preview was read.
    pub preview_of: Option<Raw>,
    /// Which library read it.
    pub decoder: &'static str,
    /// It was decoded at this fraction of its size: 1, 2, 4 or 8.
    pub reduced_by: u8,
    /// Of so many hundredths of the picture, rounded up, the file has no data: decoders paint them grey or in stripes.
    pub missing_percent: u8,
    /// The EXIF orientation, 1 to 8, by which it was turned upright.
    pub orientation: u8,
    /// Where that was found.
    pub orientation_source: Option<OrientationSource>,
    /// Browsers show the file as it was read: they neither leave it as stored where it was turned, nor know more of it.
    pub shown_by_browsers: bool,
}

impl Photo {
    /// The photo, for those who want it whole or not at all.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] where a part of the picture is missing.
    pub fn whole(self) -> Result<Self, DecodeError> {
        if self.missing_percent > 0 {
            return Err(DecodeError::Truncated { format: self.format });
        }
        Ok(self)
    }
}

/// A picture as a file stores it, not turned upright.
struct Picture {
    rgb: Rgb,
    decoder: &'static str,
    reduced_by: u8,
    missing_percent: u8,
}

impl Picture {
    fn of(rgb: Rgb, decoder: &'static str) -> Self {
        Self { rgb, decoder, reduced_by: 1, missing_percent: 0 }
    }
}

/// Decodes a photo and turns it upright.
///
/// # Errors
/// A [`DecodeError`], whose `Display` is a sentence for the person who brought the file. The claimed size
/// is checked before memory is taken for it.
pub fn decode(bytes: &[u8]) -> Result<Rgb, DecodeError> {
    decode_photo(bytes).map(|photo| photo.rgb)
}

/// The same, with how it was read.
///
/// # Errors
/// As [`decode`].
pub fn decode_photo(bytes: &[u8]) -> Result<Photo, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    let length = bytes.len() as u64;
    if length > MAX_FILE_BYTES {
        return Err(DecodeError::FileTooLarge { bytes: length });
    }
    if let Some(kind) = raw::kind(bytes) {
        let preview = raw::preview(bytes).ok_or(DecodeError::NoPreview { raw: kind })?;
        let photo = decode_format(Format::Jpeg, preview)?;
        // A preview without an orientation of its own has the photo's.
        let photo = match (photo.orientation_source, orientation::in_first_directory(bytes)) {
            (None, Some((stated, _))) => turned(photo, stated)?,
            _ => photo,
        };
        return Ok(Photo { preview_of: Some(kind), shown_by_browsers: false, ..photo });
    }
    decode_format(sniff::format(bytes)?, bytes)
}

fn decode_format(format: Format, bytes: &[u8]) -> Result<Photo, DecodeError> {
    let Picture { rgb, decoder, reduced_by, missing_percent } = picture(format, bytes)?;
    let stated = orientation::stated(format, bytes);
    Ok(Photo {
        rgb: upright(rgb, stated.orientation)?,
        format,
        preview_of: None,
        decoder,
        reduced_by,
        missing_percent,
        orientation: stated.orientation.to_exif(),
        orientation_source: stated.source,
        shown_by_browsers: stated.shown_by_browsers,
    })
}

/// The photo turned by an orientation from elsewhere.
fn turned(photo: Photo, orientation: u8) -> Result<Photo, DecodeError> {
    let Some(by) = Orientation::from_exif(orientation) else { return Ok(photo) };
    let rgb = upright(photo.rgb, by)?;
    Ok(Photo { rgb, orientation, orientation_source: Some(OrientationSource::Exif), ..photo })
}

fn upright(stored: Rgb, orientation: Orientation) -> Result<Rgb, DecodeError> {
    let (width, height) = (stored.width, stored.height);
    apply_orientation::turn_upright(stored, orientation)
        .map_err(|_| DecodeError::OutOfMemory { width, height })
}

fn picture(format: Format, bytes: &[u8]) -> Result<Picture, DecodeError> {
    let file = Cursor::new(bytes);
    let (rgb, decoder) = match format {
        Format::Jpeg => return jpeg::picture(bytes),
        Format::Gif => return gif::picture(bytes),
        Format::Tiff => return tiff::picture(bytes),
        Format::Ico => return ico::picture(bytes),
        Format::Png => {
            if png::is_for_apps(bytes) {
                return Err(DecodeError::variant(format, "changed by Apple's tools for an app (CgBI)"));
            }
            // Where an address has 32 bits, the decoder takes a picture beyond them for damage.
            check_pixels(png::size(bytes).unwrap_or_default())?;
            let file = Cursor::new(png::ended(bytes));
            (read(format, PngDecoder::with_limits(file, limits(0)), |_, _| 0)?, "png")
        }
        Format::WebP => {
            let container = webp::container(bytes)?;
            // Plain lossy photos need their luma and chroma; lossless ones, alpha and animations need frames.
            let lossy = container.get(12..16) == Some(b"VP8 ");
            let per_pixel = if lossy { 2 } else { 9 };
            let file = Cursor::new(webp::without_false_announcements(container));
            (read(format, WebPDecoder::new(file), |pixels, _| per_pixel * pixels)?, "image-webp")
        }
        Format::Bmp => {
            (read(format, BmpDecoder::new(Cursor::new(bmp::with_usual_header(bytes))), |_, _| 0)?, "image")
        }
        Format::Pnm => (read(format, PnmDecoder::new(file), |_, samples| samples)?, "image"),
        Format::Qoi => (read(format, QoiDecoder::new(file), |_, _| 0)?, "qoi"),
        Format::Tga => (read(format, TgaDecoder::new(file), |_, samples| samples)?, "image"),
        Format::Heic | Format::Avif | Format::JpegXl | Format::Jpeg2000 => {
            return Err(DecodeError::variant(format, "its decoder is not part of this crate"));
        }
    };
    Ok(Picture::of(rgb, decoder))
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
        return Err(DecodeError::corrupt(format, format!("{width} × {height} pixels")));
    }
    check_pixels((width, height))?;
    let length = decoder.total_bytes();
    decoder.set_limits(limits(length)).map_err(fail)?;
    let color = decoder.color_type();

    let mut samples = Vec::new();
    reserve(&mut samples, length, (width, height))?;
    // A decoder that gets no memory aborts the program. Ask on its behalf.
    reserve(&mut Vec::new(), working(pixels, length), (width, height))?;
    samples.resize(length as usize, 0);
    decoder.read_image(&mut samples).map_err(fail)?;

    let pixels = samples::to_rgb(samples, color, pixels as usize)
        .ok_or_else(|| DecodeError::variant(format, format!("{color:?}")))?;
    Ok(Rgb { width, height, pixels })
}

/// Refuses a picture of more than [`MAX_PIXELS`].
///
/// # Errors
/// With its size.
pub fn check_pixels((width, height): (u32, u32)) -> Result<(), DecodeError> {
    let too_many = u64::from(width) * u64::from(height) > MAX_PIXELS;
    if too_many { Err(DecodeError::TooManyPixels { width, height }) } else { Ok(()) }
}

/// Makes room for so many bytes of a picture of this size.
///
/// # Errors
/// When there is not enough memory.
pub fn reserve(buffer: &mut Vec<u8>, bytes: u64, (width, height): (u32, u32)) -> Result<(), DecodeError> {
    let out_of_memory = DecodeError::OutOfMemory { width, height };
    let bytes = usize::try_from(bytes).map_err(|_| out_of_memory.clone())?;
    buffer.try_reserve_exact(bytes).map_err(|_| out_of_memory)
}

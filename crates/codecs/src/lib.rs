//! Photo formats whose decoders are each about as large as all of [`beit`]'s together: HEIC, AVIF, JPEG XL and
//! JPEG 2000. Each is a feature of this crate. The command line has them all; the page fetches one of them when the
//! first such photo comes.
//!
//! As with other photos, pixels come as they are stored: colour profiles are not applied, alpha is dropped. What the
//! file says of turning and cropping is done.
#![warn(missing_docs)]

#[cfg(feature = "avif")]
mod avif;
#[cfg(feature = "heic")]
mod heic;
#[cfg(any(feature = "heic", feature = "avif"))]
mod heif;
#[cfg(feature = "jpeg-2000")]
mod jpeg_2000;
#[cfg(feature = "jpeg-xl")]
mod jpeg_xl;

use beit::decode::{DecodeError, Foreign, MAX_FILE_BYTES, Photo, Rgb};

/// An upright picture.
#[derive(Debug)]
pub struct Picture {
    /// Upright.
    pub rgb: Rgb,
    /// Which library decoded it.
    pub decoder: &'static str,
    /// It was decoded at this fraction of its size.
    pub reduced_by: u8,
}

/// Decodes a photo of any format that is read here or by [`beit`], detected by its bytes, and turns it upright.
///
/// # Errors
/// As [`beit::decode::decode_photo`].
pub fn decode_photo(bytes: &[u8]) -> Result<Photo, DecodeError> {
    match beit::decode::decode_photo(bytes) {
        Err(DecodeError::UnsupportedFormat { format }) => {
            let Picture { rgb, decoder, reduced_by } = decode(format, bytes)?;
            Ok(Photo {
                rgb,
                format: format.decoded().ok_or(DecodeError::UnsupportedFormat { format })?,
                preview_of: None,
                decoder,
                reduced_by,
                missing_percent: 0,
                orientation: 1,
                orientation_source: None,
                shown_by_browsers: true,
            })
        }
        other => other,
    }
}

/// Decodes a photo of this format.
///
/// # Errors
/// [`DecodeError::UnsupportedFormat`] for a format that this crate does not know, or was built without.
pub fn decode(format: Foreign, bytes: &[u8]) -> Result<Picture, DecodeError> {
    let length = bytes.len() as u64;
    if length > MAX_FILE_BYTES {
        return Err(DecodeError::FileTooLarge { bytes: length });
    }
    match format {
        #[cfg(feature = "heic")]
        Foreign::Heic => heic::picture(bytes),
        #[cfg(feature = "avif")]
        Foreign::Avif => avif::picture(bytes),
        #[cfg(feature = "jpeg-xl")]
        Foreign::JpegXl => jpeg_xl::picture(bytes),
        #[cfg(feature = "jpeg-2000")]
        Foreign::Jpeg2000 => jpeg_2000::picture(bytes),
        _ => Err(DecodeError::UnsupportedFormat { format }),
    }
}

/// By how much, 1, 2, 4 or 8, a picture has to be reduced to have no more than [`beit::decode::MAX_PIXELS`].
#[cfg(any(feature = "heic", feature = "jpeg-2000"))]
fn reduction(width: u32, height: u32) -> Result<u8, DecodeError> {
    use beit::decode::MAX_PIXELS;
    let pixels = |by: u32| u64::from(width.div_ceil(by)) * u64::from(height.div_ceil(by));
    let by = [1, 2, 4, 8].into_iter().find(|&by| pixels(by) <= MAX_PIXELS);
    by.map(|by| by as u8).ok_or(DecodeError::TooManyPixels { width, height })
}

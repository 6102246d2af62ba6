//! The pictures that zune-jpeg reads.
//!
//! Its decoder is generic over what it reads from; it always gets a `Vec<u8>` here, as in the crate `tiff`, so that it is
//! compiled once.

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::{ZByteIoError, ZCursor};
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{FORMAT, corrupt};
use crate::decode::{DecodeError, Rgb, reserve};

/// Bytes of ones. Between two codes encoders write a thousand bits that are none, at most.
const ONES: usize = 256;

/// The picture of a progressive file whose end marker is at this place; none where blocks of its last scan are missing or
/// the data is damaged.
///
/// Where data ends early, zune-jpeg reads zeros and reports success. So ones are put behind the data, where nothing is read
/// of a whole file: no code has sixteen of them, and it fails if it comes upon them.
pub(super) fn progressive(bytes: &[u8], end: usize) -> Option<Rgb> {
    let (before, behind) = bytes.split_at_checked(end)?;
    let file = [before, &[0xff, 0].repeat(ONES), behind].concat();
    decoded(file, DecoderOptions::default().set_strict_mode(true), true).ok()
}

/// The picture, with zeros for data that is missing.
///
/// # Errors
/// On damage, and when memory is short.
pub(super) fn picture(bytes: &[u8], is_progressive: bool) -> Result<Rgb, DecodeError> {
    decoded(bytes.to_vec(), DecoderOptions::default().set_strict_mode(false), is_progressive)
}

fn decoded(file: Vec<u8>, options: DecoderOptions, is_progressive: bool) -> Result<Rgb, DecodeError> {
    let options =
        options.set_max_width(usize::MAX).set_max_height(usize::MAX).jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(error)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let size @ (width, height) = (width as u32, height as u32);
    let length = u64::from(width) * u64::from(height) * 3;
    if length == 0 {
        return Err(corrupt("it has no pixels"));
    }
    // It keeps the coefficients of up to three components until the last scan, of 16 bits each. A decoder that gets no
    // memory aborts the program: ask on its behalf.
    let coefficients = if is_progressive { 2 * length } else { 0 };
    reserve(&mut Vec::new(), coefficients, size)?;
    let mut pixels = Vec::new();
    reserve(&mut pixels, length, size)?;
    pixels.resize(length as usize, 0);
    decoder.decode_into(&mut pixels).map_err(error)?;
    Ok(Rgb { width, height, pixels })
}

fn error(error: DecodeErrors) -> DecodeError {
    match error {
        DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(ZByteIoError::NotEnoughBytes(..)) => {
            DecodeError::Truncated { format: FORMAT }
        }
        DecodeErrors::Unsupported(what) => DecodeError::variant(FORMAT, format!("{what:?}")),
        other => corrupt(&other.to_string()),
    }
}

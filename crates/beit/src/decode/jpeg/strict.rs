//! Progressive files by zune-jpeg, if none of their last scan's blocks is missing.
//!
//! Where data ends early it reads zeros and reports success. So ones are put behind the data, where nothing is read of a whole
//! file: no code has sixteen of them, and it fails if it comes upon them.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::decode::{Rgb, reserve};

/// Bytes of ones. Between two codes encoders write a thousand bits that are none, at most.
const ONES: usize = 256;

/// The picture of a file whose end marker is at this place; none where blocks are missing or the data is damaged.
pub(super) fn picture(bytes: &[u8], end: usize) -> Option<Rgb> {
    let (before, behind) = bytes.split_at_checked(end)?;
    let file = [before, &[0xff, 0].repeat(ONES), behind].concat();
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&file), options);
    decoder.decode_headers().ok()?;
    let (width, height) = decoder.dimensions()?;
    let size @ (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let length = u64::from(width) * u64::from(height) * 3;
    // It keeps the coefficients of up to three components until the last scan, of 16 bits each.
    reserve(&mut Vec::new(), length * 2, size).ok()?;
    let mut pixels = Vec::new();
    reserve(&mut pixels, length, size).ok()?;
    pixels.resize(length as usize, 0);
    decoder.decode_into(&mut pixels).ok()?;
    Some(Rgb { width, height, pixels })
}

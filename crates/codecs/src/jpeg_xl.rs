//! JPEG XL (ISO/IEC 18181), by the crate `jxl-oxide`.

use std::io::Cursor;

use beit::decode::{DecodeError, Format, Rgb, check_pixels};
use jxl_oxide::{AllocTracker, JxlImage, PixelFormat};

use crate::Picture;

const FORMAT: Format = Format::JpegXl;

/// What the decoder may take: floats for the colours of the largest photo, three times.
const MAX_MEMORY: usize = 3 << 30;

pub fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let builder = JxlImage::builder().alloc_tracker(AllocTracker::with_limit(MAX_MEMORY));
    let image = builder.read(Cursor::new(bytes)).map_err(error)?;
    check_pixels((image.width(), image.height()))?;
    if matches!(image.pixel_format(), PixelFormat::Cmyk | PixelFormat::Cmyka) {
        return Err(DecodeError::variant(FORMAT, "CMYK"));
    }
    if !image.is_loading_done() {
        return Err(DecodeError::Truncated { format: FORMAT });
    }
    let render = image.render_frame(0).map_err(error)?;
    let mut stream = render.stream_no_alpha();
    let (width, height, channels) = (stream.width(), stream.height(), stream.channels());
    let mut samples = vec![0u8; width as usize * height as usize * channels as usize];
    stream.write_to_buffer(&mut samples);
    let pixels = match channels {
        1 => samples.into_iter().flat_map(|grey| [grey; 3]).collect(),
        3 => samples,
        other => return Err(DecodeError::variant(FORMAT, format!("{other} channels"))),
    };
    Ok(Picture { rgb: Rgb { width, height, pixels }, decoder: "jxl-oxide", reduced_by: 1 })
}

fn error(error: Box<dyn std::error::Error + Send + Sync>) -> DecodeError {
    DecodeError::corrupt(FORMAT, error.to_string())
}

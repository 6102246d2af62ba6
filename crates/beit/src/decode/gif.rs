//! The first frame of a GIF, on its screen.
//!
//! As Pillow: a frame that reaches beyond the screen makes it larger, and where it does not reach, the screen has the
//! colour that the frame declares transparent, else the palette's first. Without any palette the indices are greys.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, DecodingError};

use super::{DecodeError, Format, Picture, Rgb, check_pixels, reserve};

const FORMAT: Format = Format::Gif;

pub(super) fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.check_frame_consistency(false);
    options.allow_unknown_blocks(true);
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(fail)?;
    let screen = (u32::from(decoder.width()), u32::from(decoder.height()));
    let frame = decoder.next_frame_info().map_err(fail)?.ok_or_else(|| corrupt("it has no frame"))?.clone();
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (across, down) = (usize::from(frame.width), usize::from(frame.height));
    let size = (screen.0.max((left + across) as u32), screen.1.max((top + down) as u32));
    if across * down == 0 {
        return Err(corrupt(&format!("{across} × {down} pixels")));
    }
    check_pixels(size)?;

    let pixels = u64::from(size.0) * u64::from(size.1);
    reserve(&mut Vec::new(), 3 * pixels + (across * down) as u64, size)?;
    let mut indices = vec![0; across * down];
    decoder.read_into_buffer(&mut indices).map_err(fail)?;
    let palette = frame.palette.as_deref().or(decoder.global_palette()).filter(|palette| !palette.is_empty());
    let colour = |index: u8| match palette {
        Some(palette) => palette.as_chunks::<3>().0.get(usize::from(index)).copied().unwrap_or_default(),
        None => [index; 3],
    };

    let colours: Vec<_> = (0..=u8::MAX).map(colour).collect();
    let background = colours[usize::from(frame.transparent.unwrap_or_default())];
    let mut rows = vec![background; pixels as usize];
    for (y, row) in indices.chunks(across).enumerate() {
        let start = (top + y) * size.0 as usize + left;
        for (pixel, &index) in rows[start..start + across].iter_mut().zip(row) {
            *pixel = colours[usize::from(index)];
        }
    }
    Ok(Picture::of(Rgb { width: size.0, height: size.1, pixels: rows.into_flattened() }, "gif"))
}

fn corrupt(detail: &str) -> DecodeError {
    DecodeError::corrupt(FORMAT, detail)
}

fn fail(error: DecodingError) -> DecodeError {
    let detail = error.to_string();
    let is_end = detail == "Unexpected End of File"
        || matches!(&error, DecodingError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof);
    if is_end { DecodeError::Truncated { format: FORMAT } } else { corrupt(&detail) }
}

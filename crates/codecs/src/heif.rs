//! What HEIC and AVIF share: the container (HEIF, ISO/IEC 23008-12), a picture in tiles, cropping and turning.

use beit::decode::{DecodeError, Format, Rgb};
use heifer::Image;
use heifer::heifer_isobmff::boxes::Property;
use heifer::heifer_isobmff::{Error, FourCC, HeifFile, ItemId};

/// What the container's reader says, for a photo of this format.
pub fn error(format: Format, error: Error) -> DecodeError {
    match error {
        Error::UnexpectedEof => DecodeError::Truncated { format },
        Error::Unimplemented(detail) => DecodeError::UnsupportedVariant { format, detail: detail.into() },
        other => DecodeError::Corrupt { format, detail: other.to_string() },
    }
}

/// A picture that is stored in tiles, row by row.
pub struct Grid<'a> {
    pub tiles: &'a [ItemId],
    pub columns: u32,
    /// Pixels of the whole.
    pub width: u32,
    pub height: u32,
}

/// The tiles of the file's main picture; none where it is stored whole.
pub fn grid<'a>(file: &'a HeifFile<'_>) -> Result<Option<Grid<'a>>, Error> {
    const GRID: FourCC = FourCC(*b"grid");
    let id = file.primary_id;
    if file.item(id)?.item_type != GRID {
        return Ok(None);
    }
    let grid = file.grid(id)?;
    let tiles = file.referenced_items(id, b"dimg");
    if tiles.len() != usize::from(grid.rows) * usize::from(grid.columns) || tiles.is_empty() {
        return Err(Error::InvalidBox { box_type: GRID, reason: "some tiles are missing" });
    }
    let columns = u32::from(grid.columns);
    Ok(Some(Grid { tiles, columns, width: grid.output_width, height: grid.output_height }))
}

/// Crops, turns and mirrors a picture, which is reduced already, as the file says of its main one, in the file's order.
pub fn transformed(file: &HeifFile<'_>, image: Image<u8>, reduced_by: u8) -> Result<Image<u8>, Error> {
    let mut image = image;
    for property in file.item_properties(file.primary_id)? {
        image = match property {
            &Property::CleanAperture { width, height, horiz_offset, vert_offset } => {
                let by = f64::from(reduced_by);
                let fraction = |(top, bottom): (f64, u32)| top / f64::from(bottom) / by;
                let size = |(top, bottom): (u32, u32)| fraction((f64::from(top), bottom));
                let offset = |(top, bottom): (i32, u32)| fraction((f64::from(top), bottom));
                // Offsets are those of the crop's centre from the picture's.
                let start = |whole: u32, part: f64, offset: f64| {
                    (offset + (f64::from(whole) - part) / 2.0).round().max(0.0) as u32
                };
                let (wide, high) = (size(width), size(height));
                if !(wide >= 1.0 && high >= 1.0) {
                    let reason = "nothing is left of the picture";
                    return Err(Error::InvalidBox { box_type: FourCC(*b"clap"), reason });
                }
                let left = start(image.width, wide, offset(horiz_offset));
                let top = start(image.height, high, offset(vert_offset));
                image.crop(left, top, wide.round() as u32, high.round() as u32)
            }
            Property::Rotation(0) => image,
            Property::Rotation(quarters) => image.rotate_ccw(*quarters),
            Property::Mirror(top_bottom) => image.mirror(*top_bottom),
            _ => image,
        };
    }
    Ok(image)
}

/// Without its alpha.
pub fn rgb(image: Image<u8>) -> Rgb {
    let (width, height) = (image.width, image.height);
    Rgb { width, height, pixels: image.into_rgb8() }
}

/// Refuses what there is no memory for; a decoder that gets none would end the program.
pub fn reserve(width: u32, height: u32, bytes_per_pixel: u64) -> Result<(), DecodeError> {
    let bytes = u64::from(width) * u64::from(height) * bytes_per_pixel;
    beit::decode::reserve(&mut Vec::new(), bytes, (width, height))
}

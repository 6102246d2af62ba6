//! HEIC: pictures of HEVC (ITU-T H.265), by the crate `heifer`.

use beit::decode::{DecodeError, Format, MAX_PIXELS};
use heifer::heifer_isobmff::{HeifFile, ItemId};
use heifer::{Error, Image, Options, decode_item, decode_rgba8};

use crate::heif::{self, Grid};
use crate::{Picture, reduction};

const FORMAT: Format = Format::Heic;

pub fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let file = HeifFile::parse(bytes).map_err(container)?;
    let grid = heif::grid(&file).map_err(container)?;
    let stated = file.image_size(file.primary_id).map_err(container)?;
    let (width, height) = match (&grid, stated) {
        (Some(grid), _) => (grid.width, grid.height),
        (None, Some(size)) => size,
        (None, None) => return Err(DecodeError::corrupt(FORMAT, "it does not tell its size")),
    };
    let reduced_by = reduction(width, height)?;
    let image = match grid {
        Some(grid) if reduced_by > 1 => {
            heif::transformed(&file, reduced(&file, &grid, reduced_by)?, reduced_by).map_err(container)?
        }
        None if reduced_by > 1 => return Err(DecodeError::TooManyPixels { width, height }),
        _ => {
            // RGBA, once more while it is turned, and three planes of 16 bits.
            heif::reserve(width, height, 12)?;
            let options = Options { max_pixels: MAX_PIXELS, ..Options::default() };
            decode_rgba8(bytes, &options).map_err(error)?
        }
    };
    Ok(Picture { rgb: heif::rgb(image), decoder: "heifer", reduced_by })
}

/// Decodes a picture of very many pixels tile by tile, each made smaller before the next: pixels are means of squares
/// of `by` × `by`.
fn reduced(file: &HeifFile<'_>, grid: &Grid<'_>, by: u8) -> Result<Image<u8>, DecodeError> {
    let by = u32::from(by);
    let (width, height) = (grid.width.div_ceil(by), grid.height.div_ceil(by));
    heif::reserve(width, height, 4)?;
    let mut whole = Image::<u8>::filled_samples(width, height, 8, [0, 0, 0, u8::MAX]);
    let mut tile_size = None;
    for (number, &item) in (0..).zip(grid.tiles) {
        let tile = decode_tile(file, item)?;
        let (tile_width, tile_height) = *tile_size.get_or_insert((tile.width, tile.height));
        // Squares that reach into the next tile would have to wait for it.
        if (tile.width, tile.height) != (tile_width, tile_height)
            || tile_width % by != 0
            || tile_height % by != 0
        {
            return Err(DecodeError::TooManyPixels { width: grid.width, height: grid.height });
        }
        let (row, column) = (number / grid.columns, number % grid.columns);
        let place = |tile: u32, at: u32| i64::from(tile / by) * i64::from(at);
        whole.draw(&smaller(&tile, by), place(tile_width, column), place(tile_height, row));
    }
    Ok(whole)
}

fn decode_tile(file: &HeifFile<'_>, item: ItemId) -> Result<Image, DecodeError> {
    // A tile's size is checked before it is decoded, and pictures in a grid are not large.
    const MAX_TILE_PIXELS: u64 = 1 << 24;
    let (width, height) = file.image_size(item).map_err(container)?.unwrap_or_default();
    if u64::from(width) * u64::from(height) > MAX_TILE_PIXELS {
        return Err(DecodeError::corrupt(FORMAT, format!("a tile of {width} × {height} pixels")));
    }
    decode_item(file, item, 1).map_err(error)
}

/// Means of squares of `by` × `by` pixels, which divides the sides.
fn smaller(tile: &Image, by: u32) -> Image<u8> {
    let (width, height) = (tile.width / by, tile.height / by);
    let mut data = Vec::with_capacity(width as usize * height as usize * 4);
    let (most, count) = (u32::from(tile.max_value()), by * by);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let sample = |(row, column): (u32, u32)| {
                    let pixel = (y * by + row) as usize * tile.width as usize + (x * by + column) as usize;
                    u32::from(tile.data[pixel * 4 + channel])
                };
                let sum: u32 =
                    (0..by).flat_map(|row| (0..by).map(move |column| (row, column))).map(sample).sum();
                data.push(((sum * 255 + most * count / 2) / (most * count)) as u8);
            }
            data.push(u8::MAX);
        }
    }
    Image { width, height, bit_depth: 8, has_alpha: false, data }
}

fn container(error: heifer::heifer_isobmff::Error) -> DecodeError {
    heif::error(FORMAT, error)
}

fn error(error: Error) -> DecodeError {
    use heifer::heifer_hevc_dec::Error as Hevc;
    match error {
        Error::Container(error) => container(error),
        Error::Hevc(Hevc::UnexpectedEof) => DecodeError::Truncated { format: FORMAT },
        Error::Hevc(Hevc::Unimplemented(detail)) => DecodeError::variant(FORMAT, detail),
        Error::Unsupported(detail) => DecodeError::variant(FORMAT, detail),
        other => DecodeError::corrupt(FORMAT, other.to_string()),
    }
}

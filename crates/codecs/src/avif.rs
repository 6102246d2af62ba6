//! AVIF: pictures of AV1, by the crate `re_rav1d`, a port of dav1d.

use beit::decode::{DecodeError, Format, check_pixels};
use heifer::Image;
use heifer::color::{ColorParams, frame_to_rgba_sized};
use heifer::heifer_hevc_dec::recon::Frame;
use heifer::heifer_isobmff::boxes::{ColorInfo, Property};
use heifer::heifer_isobmff::{HeifFile, ItemId};
use re_rav1d::dav1d::{
    Decoder, Error, Picture as Av1Picture, PixelLayout, PlanarImageComponent, Settings, pixel,
};

use crate::{Picture, heif};

const FORMAT: Format = Format::Avif;

/// The matrix coefficients (ITU-T H.273) of planes that are green, blue and red.
const IDENTITY: u16 = 0;

pub fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let file = HeifFile::parse(bytes).map_err(container)?;
    let image = match heif::grid(&file).map_err(container)? {
        None => item(&file, file.primary_id)?,
        Some(grid) => {
            check_pixels((grid.width, grid.height))?;
            heif::reserve(grid.width, grid.height, 4)?;
            let mut whole = Image::<u8>::filled_samples(grid.width, grid.height, 8, [0, 0, 0, u8::MAX]);
            let mut size = None;
            for (number, &id) in (0..).zip(grid.tiles) {
                let tile = item(&file, id)?;
                // All are of the first one's size.
                let (width, height) = *size.get_or_insert((tile.width, tile.height));
                let (row, column) = (number / grid.columns, number % grid.columns);
                let place = |side: u32, at: u32| i64::from(side) * i64::from(at);
                whole.draw(&tile, place(width, column), place(height, row));
            }
            whole
        }
    };
    let image = heif::transformed(&file, image, 1).map_err(container)?;
    Ok(Picture { rgb: heif::rgb(image), decoder: "rav1d", reduced_by: 1 })
}

/// One picture of the file, neither cropped nor turned.
fn item(file: &HeifFile<'_>, id: ItemId) -> Result<Image<u8>, DecodeError> {
    let kind = file.item(id).map_err(container)?.item_type;
    if kind.0 != *b"av01" {
        return Err(DecodeError::variant(FORMAT, format!("a picture of the type {kind}")));
    }
    let stated = file.image_size(id).map_err(container)?;
    if let Some((width, height)) = stated {
        check_pixels((width, height))?;
        // Three planes of 16 bits twice, and RGBA.
        heif::reserve(width, height, 16)?;
    }
    let data = file.item_data(id).map_err(container)?.into_owned();
    let picture = decoded(data)?;
    let (width, height) = stated.unwrap_or((picture.width(), picture.height()));
    let color = color(file, id, &picture)?;
    Ok(frame_to_rgba_sized(&frame(&picture, &color)?, color, width, height))
}

fn decoded(data: Vec<u8>) -> Result<Av1Picture, DecodeError> {
    let mut settings = Settings::new();
    // Photos are decoded beside one another.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_frame_size_limit(u32::try_from(beit::decode::MAX_PIXELS).unwrap_or(u32::MAX));
    // Of a picture in several qualities, the best alone.
    settings.set_all_layers(false);
    let mut decoder = Decoder::with_settings(&settings).map_err(error)?;
    let mut sent = decoder.send_data(data, None, None, None);
    loop {
        match decoder.get_picture() {
            Err(Error::Again) => match sent {
                // All of it is there, and no picture in it.
                Ok(()) => return Err(DecodeError::Truncated { format: FORMAT }),
                Err(Error::Again) => sent = decoder.send_pending_data(),
                Err(other) => return Err(error(other)),
            },
            other => return other.map_err(error),
        }
    }
}

/// How its samples are to be understood: what the container says counts more than what the stream says.
fn color(file: &HeifFile<'_>, id: ItemId, picture: &Av1Picture) -> Result<ColorParams, DecodeError> {
    for property in file.item_properties(id).map_err(container)? {
        if let &Property::Color(ColorInfo::Nclx { matrix, full_range, .. }) = property {
            return Ok(ColorParams { matrix, full_range });
        }
    }
    let matrix = match picture.matrix_coefficients() {
        pixel::MatrixCoefficients::Identity => IDENTITY,
        pixel::MatrixCoefficients::BT709 => 1,
        pixel::MatrixCoefficients::BT470M => 4,
        pixel::MatrixCoefficients::ST240M => 7,
        pixel::MatrixCoefficients::BT2020NonConstantLuminance => 9,
        _ => 6,
    };
    Ok(ColorParams { matrix, full_range: matches!(picture.color_range(), pixel::YUVRange::Full) })
}

/// The decoder's planes, row after row without gaps, for the conversion to RGB: that wants luma as wide and high as
/// chroma asks for, and full range where there is no matrix.
fn frame(picture: &Av1Picture, color: &ColorParams) -> Result<Frame, DecodeError> {
    use PlanarImageComponent::{U, V, Y};
    let bits = picture.bits_per_component().map_or(8, |bits| bits.0) as u8;
    let (chroma_format, across, down) = match picture.pixel_layout() {
        PixelLayout::I400 => (0, 1, 1),
        PixelLayout::I420 => (1, 2, 2),
        PixelLayout::I422 => (2, 2, 1),
        PixelLayout::I444 => (3, 1, 1),
    };
    let is_grey = chroma_format == 0;
    let (columns, rows) = (picture.width().div_ceil(across), picture.height().div_ceil(down));
    let (width, height) = (columns * across, rows * down);
    let chroma = |side: u32| if is_grey { 0 } else { side };
    let mut frame = Frame {
        widths: [width, chroma(columns), chroma(columns)],
        heights: [height, chroma(rows), chroma(rows)],
        planes: [const { Vec::new() }; 3],
        bit_depth: [bits; 2],
        chroma_format,
        full_range: color.full_range,
        matrix_coeffs: 2,
    };
    let components = [(Y, picture.width(), picture.height()), (U, columns, rows), (V, columns, rows)];
    for (at, (component, columns, rows)) in
        components.into_iter().enumerate().take(if is_grey { 1 } else { 3 })
    {
        let size = (frame.widths[at] as usize, frame.heights[at] as usize);
        let plane = plane(picture, component, (columns as usize, rows as usize), bits)?;
        frame.planes[at] = extended(plane, columns as usize, size);
        if !color.full_range && (is_grey || color.matrix == IDENTITY) {
            to_full_range(&mut frame.planes[at], bits);
        }
    }
    Ok(frame)
}

fn plane(
    picture: &Av1Picture,
    component: PlanarImageComponent,
    (columns, rows): (usize, usize),
    bits: u8,
) -> Result<Vec<u16>, DecodeError> {
    let (bytes, stride) = (picture.plane(component), picture.stride(component) as usize);
    let mut samples = Vec::with_capacity(columns * rows);
    let length = if bits == 8 { columns } else { 2 * columns };
    for row in 0..rows {
        let line = bytes.get(row * stride..row * stride + length);
        let line = line.ok_or_else(|| DecodeError::corrupt(FORMAT, "a plane is too short"))?;
        match bits {
            8 => samples.extend(line.iter().map(|&sample| u16::from(sample))),
            _ => samples.extend(line.as_chunks().0.iter().map(|&sample| u16::from_ne_bytes(sample))),
        }
    }
    Ok(samples)
}

/// A plane with its last column and row repeated up to this size.
fn extended(plane: Vec<u16>, columns: usize, (width, height): (usize, usize)) -> Vec<u16> {
    let rows = plane.len() / columns.max(1);
    if (columns, rows) == (width, height) || plane.is_empty() {
        return plane;
    }
    let at = |x: usize, y: usize| plane[y.min(rows - 1) * columns + x.min(columns - 1)];
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect()
}

/// From the range that leaves room below black and above white, 16 to 235 of 255, to all there is.
fn to_full_range(samples: &mut [u16], bits: u8) {
    let unit = 1 << (bits - 8);
    let most = (1i32 << bits) - 1;
    for sample in samples {
        let above = i32::from(*sample) - 16 * unit;
        *sample = ((above * most + 219 * unit / 2) / (219 * unit)).clamp(0, most) as u16;
    }
}

fn container(error: heifer::heifer_isobmff::Error) -> DecodeError {
    heif::error(FORMAT, error)
}

fn error(error: Error) -> DecodeError {
    match error {
        Error::UnsupportedBitstream => DecodeError::variant(FORMAT, error.to_string()),
        _ => DecodeError::corrupt(FORMAT, error.to_string()),
    }
}

//! JPEG 2000 (ISO/IEC 15444-1), by the crate `hayro-jpeg2000`.

use beit::decode::{DecodeError, Format, Rgb};
use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};

use crate::{Picture, reduction};

const FORMAT: Format = Format::Jpeg2000;

pub fn picture(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let settings = DecodeSettings::default();
    let whole = Image::new(bytes, &settings).map_err(error)?;
    let reduced_by = reduction(whole.width(), whole.height())?;
    let image = if reduced_by == 1 {
        whole
    } else {
        // Wavelets hold the picture at half its size, a quarter and so on.
        let by = u32::from(reduced_by);
        let target_resolution = Some((whole.width().div_ceil(by), whole.height().div_ceil(by)));
        Image::new(bytes, &DecodeSettings { target_resolution, ..settings }).map_err(error)?
    };
    let (width, height) = (image.width(), image.height());
    let alpha = usize::from(image.has_alpha());
    let colors = match image.color_space() {
        ColorSpace::Gray => 1,
        ColorSpace::RGB => 3,
        ColorSpace::Icc { num_channels, .. } if [1, 3].contains(num_channels) => usize::from(*num_channels),
        other => return Err(DecodeError::variant(FORMAT, format!("{other:?}"))),
    };
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(error)?;
    let samples = decoded.data_u8();
    let pixels: Vec<u8> = match colors {
        1 => samples.chunks_exact(1 + alpha).flat_map(|pixel| [pixel[0]; 3]).collect(),
        _ => samples.chunks_exact(3 + alpha).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
    };
    if pixels.len() as u64 != u64::from(width) * u64::from(height) * 3 {
        return Err(DecodeError::corrupt(FORMAT, "samples are missing"));
    }
    Ok(Picture { rgb: Rgb { width, height, pixels }, decoder: "hayro-jpeg2000", reduced_by })
}

fn error(error: hayro_jpeg2000::DecodeError) -> DecodeError {
    DecodeError::corrupt(FORMAT, error.to_string())
}

//! Planes → 8-bit RGB, as libjpeg and then Pillow convert them.

use super::plane::Plane;
use super::upsample::Upsampling;
use crate::decode::jpeg::structure::Frame;
use crate::decode::samples::rgb_of_cmyk;
use crate::decode::{DecodeError, Rgb, reserve};

/// What a frame's components are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode::jpeg) enum Colours {
    Grey,
    Rgb,
    YCbCr,
    /// As Adobe has it: full ink is 0.
    Cmyk,
    /// The same, of which the first three are as YCbCr.
    Ycck,
}

/// The picture at so many parts of its size.
///
/// # Errors
/// Where there is no memory for it.
pub(super) fn rgb(frame: &Frame, planes: &[Plane], colours: Colours, by: u64) -> Result<Rgb, DecodeError> {
    let size = [frame.width, frame.height].map(|length| u64::from(length).div_ceil(by) as u32);
    let (width, height) = (size[0] as usize, size[1] as usize);
    let mut pixels = Vec::new();
    reserve(
        &mut pixels,
        u64::from(size[0]) * u64::from(size[1]) * 3,
        (frame.width.into(), frame.height.into()),
    )?;
    let upsampling: Vec<_> = frame
        .components
        .iter()
        .zip(planes)
        .map(|(component, plane)| Upsampling::of(frame, component, plane, width))
        .collect();
    let mut rows = vec![Vec::new(); planes.len()];
    for y in 0..height {
        for ((plane, upsampling), row) in planes.iter().zip(&upsampling).zip(&mut rows) {
            upsampling.row(plane, y, row);
        }
        let row = |number: usize| rows.get(number).map(Vec::as_slice).unwrap_or_default();
        let three = row(0).iter().zip(row(1)).zip(row(2)).map(|((a, b), c)| [*a, *b, *c]).take(width);
        let bits = frame.precision;
        match colours {
            Colours::Grey => pixels.extend(row(0).iter().take(width).flat_map(|&grey| [byte(grey, bits); 3])),
            Colours::Rgb => pixels.extend(three.flat_map(|three| three.map(|sample| byte(sample, bits)))),
            Colours::YCbCr => pixels
                .extend(three.flat_map(|three| rgb_of_ycbcr(three, bits).map(|sample| byte(sample, bits)))),
            Colours::Cmyk => pixels.extend(three.zip(row(3)).flat_map(|(three, &key)| {
                rgb_of_cmyk(three.map(|sample| 255 - byte(sample, bits)), byte(key, bits))
            })),
            Colours::Ycck => pixels.extend(three.zip(row(3)).flat_map(|(three, &key)| {
                rgb_of_cmyk(rgb_of_ycbcr(three, bits).map(|sample| byte(sample, bits)), byte(key, bits))
            })),
        }
    }
    Ok(Rgb { width: size[0], height: size[1], pixels })
}

/// A sample of so many bits as one of 8: the highest ones, or stretched.
fn byte(sample: u16, bits: u8) -> u8 {
    match bits {
        8 => sample.min(255) as u8,
        9.. => (sample >> (bits - 8)).min(255) as u8,
        _ => (u32::from(sample) * 255 / ((1 << bits) - 1)).min(255) as u8,
    }
}

/// JFIF's formula, with 16 fractional bits and roundings as libjpeg has them.
#[inline]
fn rgb_of_ycbcr([y, blue, red]: [u16; 3], bits: u8) -> [u16; 3] {
    const HALF: i64 = 1 << 15;
    let middle = 1 << (bits - 1);
    let (y, blue, red) = (i64::from(y), i64::from(blue) - middle, i64::from(red) - middle);
    let rgb = [
        y + ((91_881 * red + HALF) >> 16),
        y + ((-22_554 * blue - 46_802 * red + HALF) >> 16),
        y + ((116_130 * blue + HALF) >> 16),
    ];
    rgb.map(|level| level.clamp(0, (1 << bits) - 1) as u16)
}

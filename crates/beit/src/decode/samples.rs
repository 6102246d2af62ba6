//! A decoder's samples → 8-bit RGB, in the same memory where the result is shorter.

use image::ColorType;

/// Turns `pixels` pixels of `color` (native-endian, as `image` gives them) into three bytes each;
/// `None` for a layout that is not known here.
///
/// Alpha is dropped, as Pillow's `convert("RGB")` drops it. 16-bit samples keep their high byte, as Pillow
/// reads 16-bit RGB; for 16-bit grey, which Pillow clips at 255 and so turns white, the same rule is used
/// instead, because it shows the photo.
pub(super) fn to_rgb(samples: Vec<u8>, color: ColorType, pixels: usize) -> Option<Vec<u8>> {
    const HIGH: usize = if cfg!(target_endian = "little") { 1 } else { 0 };
    Some(match color {
        ColorType::Rgb8 => samples,
        ColorType::Rgba8 => narrow::<4>(samples, pixels, |p| [p[0], p[1], p[2]]),
        ColorType::L8 => spread(samples, pixels),
        ColorType::La8 => spread(narrow_grey::<2>(samples, pixels, 0), pixels),
        ColorType::L16 => spread(narrow_grey::<2>(samples, pixels, HIGH), pixels),
        ColorType::La16 => spread(narrow_grey::<4>(samples, pixels, HIGH), pixels),
        ColorType::Rgb16 => narrow::<6>(samples, pixels, |p| [p[HIGH], p[2 + HIGH], p[4 + HIGH]]),
        ColorType::Rgba16 => narrow::<8>(samples, pixels, |p| [p[HIGH], p[2 + HIGH], p[4 + HIGH]]),
        ColorType::Rgb32F => narrow::<12>(samples, pixels, floats),
        ColorType::Rgba32F => narrow::<16>(samples, pixels, floats),
        _ => return None,
    })
}

/// Packs `BYTES`-byte pixels into three bytes each, front to back: writing never overtakes reading.
fn narrow<const BYTES: usize>(
    mut samples: Vec<u8>,
    pixels: usize,
    rgb: impl Fn([u8; BYTES]) -> [u8; 3],
) -> Vec<u8> {
    for i in 0..pixels {
        let mut pixel = [0; BYTES];
        pixel.copy_from_slice(&samples[i * BYTES..][..BYTES]);
        samples[i * 3..][..3].copy_from_slice(&rgb(pixel));
    }
    samples.truncate(pixels * 3);
    samples.shrink_to_fit();
    samples
}

/// Keeps byte `keep` of every `BYTES`-byte pixel.
fn narrow_grey<const BYTES: usize>(mut samples: Vec<u8>, pixels: usize, keep: usize) -> Vec<u8> {
    for i in 0..pixels {
        samples[i] = samples[i * BYTES + keep];
    }
    samples.truncate(pixels);
    samples
}

/// One grey byte a pixel → three, back to front: reading is always ahead of writing.
fn spread(mut grey: Vec<u8>, pixels: usize) -> Vec<u8> {
    grey.reserve_exact(pixels * 3 - grey.len());
    grey.resize(pixels * 3, 0);
    for i in (0..pixels).rev() {
        let value = grey[i];
        grey[i * 3..][..3].fill(value);
    }
    grey
}

/// The first three native-endian floats of a pixel, 0…1, as bytes.
fn floats<const BYTES: usize>(pixel: [u8; BYTES]) -> [u8; 3] {
    [0, 4, 8].map(|at| {
        let bits = [pixel[at], pixel[at + 1], pixel[at + 2], pixel[at + 3]];
        (f32::from_ne_bytes(bits) * 255.0 + 0.5) as u8 // the cast saturates, and sends NaN to 0
    })
}

/// JFIF's formula.
pub(super) fn rgb_of_ycbcr([y, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, blue, red) = (f32::from(y), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let rgb = [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue];
    rgb.map(|value| value.round() as u8) // the cast saturates
}

/// From inks, of which 255 is all, and how much light the key lets through; rounded as Pillow rounds it.
#[inline]
pub(super) fn rgb_of_cmyk(inks: [u8; 3], light: u8) -> [u8; 3] {
    inks.map(|ink| {
        let product = u32::from(ink) * u32::from(light) + 128;
        light - (((product >> 8) + product) >> 8) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_becomes_rgb() {
        let wide = |values: &[u16]| values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>();
        let float = |values: &[f32]| values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>();
        let cases = [
            (ColorType::Rgb8, vec![1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]),
            (ColorType::Rgba8, vec![1, 2, 3, 0, 4, 5, 6, 9], [1, 2, 3, 4, 5, 6]),
            (ColorType::L8, vec![7, 8], [7, 7, 7, 8, 8, 8]),
            (ColorType::La8, vec![7, 0, 8, 255], [7, 7, 7, 8, 8, 8]),
            (ColorType::L16, wide(&[0x07ff, 0x0800]), [7, 7, 7, 8, 8, 8]),
            (ColorType::La16, wide(&[0x07ff, 0, 0x0800, 1]), [7, 7, 7, 8, 8, 8]),
            (ColorType::Rgb16, wide(&[0x1ff, 0x200, 0x300, 0x400, 0x500, 0xffff]), [1, 2, 3, 4, 5, 255]),
            (ColorType::Rgba16, wide(&[256, 512, 768, 0, 1024, 1280, 1536, 0]), [1, 2, 3, 4, 5, 6]),
            (ColorType::Rgb32F, float(&[0.0, 1.0, 0.5, -1.0, 2.0, f32::NAN]), [0, 255, 128, 0, 255, 0]),
            (
                ColorType::Rgba32F,
                float(&[0.0, 1.0, 0.5, 0.0, -1.0, 2.0, f32::NAN, 1.0]),
                [0, 255, 128, 0, 255, 0],
            ),
        ];
        for (color, samples, rgb) in cases {
            assert_eq!(to_rgb(samples, color, 2).as_deref(), Some(&rgb[..]), "{color:?}");
        }
    }
}

//! [`Rgb`] → [`Pixels`], exactly as Pillow and timm do it.
//!
//! Resize so that the short side is `short_side` (Pillow's antialiased bicubic), cut the centre square of
//! side `crop`, scale to 0…1, subtract the mean, divide by the standard deviation. Only what the square
//! needs is resampled, so neither a 30-megapixel photo nor a 10000 × 1 strip takes more than a few MB.

mod resample;

use crate::decode::Rgb;
use resample::Taps;

/// How a photo becomes the network's input; travels in the weights' metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// The short side after bicubic resizing, in pixels.
    pub short_side: usize,
    /// Side of the centre crop, in pixels.
    pub crop: usize,
    /// Subtracted per channel, after scaling to 0…1.
    pub mean: [f32; 3],
    /// Divides per channel.
    pub std: [f32; 3],
}

/// The network's input: `[3, size, size]`, channel-major, normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// The side, in pixels.
    pub size: usize,
    /// `3 · size²` of them.
    pub values: Vec<f32>,
}

impl Pixels {
    /// Zeros, for a network that sees `size` × `size` pixels.
    pub fn zeros(size: usize) -> Self {
        Self { size, values: vec![0.0; 3 * size * size] }
    }
}

/// Photo → the network's input, `[3, crop, crop]`.
pub fn preprocess(photo: &Rgb, how: &Preprocessing) -> Pixels {
    normalize(&resize_and_crop(photo, how), how)
}

/// The square the network sees, `[crop, crop, 3]` bytes: equal to what Pillow gives for
/// `resize(…, BICUBIC)` followed by `crop(…)`, pixel for pixel. Where the resized photo is smaller than
/// the square (only when `short_side < crop`), black surrounds it, as in Pillow.
pub fn resize_and_crop(photo: &Rgb, how: &Preprocessing) -> Rgb {
    let side = how.crop;
    let mut square = Rgb { width: side as u32, height: side as u32, pixels: vec![0; side * side * 3] };
    let (width, height) = (photo.width as usize, photo.height as usize);
    if width == 0 || height == 0 {
        return square;
    }
    let (resized_width, resized_height) = resized(width, height, how.short_side);
    let columns = Taps::new(width, resized_width, window(resized_width, side));
    let rows = Taps::new(height, resized_height, window(resized_height, side));
    let cut = resample(photo, &columns, &rows);

    // Black margins on each side when the photo is smaller than the square.
    let left = margin(resized_width, side);
    let top = margin(resized_height, side);
    if columns.len() > 0 {
        for (y, row) in cut.chunks_exact(columns.len() * 3).enumerate() {
            square.pixels[((top + y) * side + left) * 3..][..row.len()].copy_from_slice(row);
        }
    }
    square
}

/// The whole photo, made smaller, where it has to be, so that its long side has `longest` pixels.
pub fn fit_within(photo: &Rgb, longest: u32) -> Rgb {
    let long_side = photo.width.max(photo.height);
    if long_side <= longest || photo.width.min(photo.height) == 0 {
        return photo.clone();
    }
    let scaled = |side: u32| (u64::from(side) * u64::from(longest) / u64::from(long_side)).max(1);
    let (width, height) = (scaled(photo.width), scaled(photo.height));
    let columns = Taps::new(photo.width as usize, width, 0..width);
    let rows = Taps::new(photo.height as usize, height, 0..height);
    Rgb { width: width as u32, height: height as u32, pixels: resample(photo, &columns, &rows) }
}

/// The pixels of these columns and rows of a resized photo.
fn resample(photo: &Rgb, columns: &Taps, rows: &Taps) -> Vec<u8> {
    let width = photo.width as usize;
    // Horizontal first, rounded to bytes in between: the order is part of the result.
    let sources = rows.sources();
    let narrow = columns.horizontal(&photo.pixels[sources.start * width * 3..sources.end * width * 3], width);
    rows.vertical(&narrow, columns.len() * 3)
}

/// The part of a photo of `width` × `height` pixels that the network sees, in the photo's own pixels:
/// (left, top, width, height). It is the crop's square, but for the rounding of the size in between, and
/// reaches beyond the photo where that is set in black.
pub fn visible_area(width: u32, height: u32, how: &Preprocessing) -> (f64, f64, f64, f64) {
    let (resized_width, resized_height) =
        resized(width.max(1) as usize, height.max(1) as usize, how.short_side);
    let axis = |length: u32, resized: u64| {
        let scale = f64::from(length) / resized.max(1) as f64;
        (crop_offset(resized, how.crop) as f64 * scale, how.crop as f64 * scale)
    };
    let (left, seen_width) = axis(width, resized_width);
    let (top, seen_height) = axis(height, resized_height);
    (left, top, seen_width, seen_height)
}

/// Size after resizing: the short side becomes `short_side`, the long side `int(short_side · long / short)`.
/// Integer division agrees with Python's float division here: the quotient of integers this small is
/// never so close below a whole number that it rounds up to it. A strip's long side may exceed 2³².
fn resized(width: usize, height: usize, short_side: usize) -> (u64, u64) {
    let short_side = short_side as u64;
    let scale = |long: usize, short: usize| short_side * long as u64 / short as u64;
    if width <= height { (short_side, scale(height, width)) } else { (scale(width, height), short_side) }
}

/// Where a centre crop of `side` begins along an axis of `length`: Python's
/// `int(round((length − side) / 2.0))`, which rounds halves to the even neighbour.
fn crop_offset(length: u64, side: usize) -> i64 {
    let difference = length as i64 - side as i64;
    let half = difference.div_euclid(2);
    if difference.rem_euclid(2) == 1 && half % 2 != 0 { half + 1 } else { half }
}

/// The part of a resized axis that the crop covers.
fn window(length: u64, side: usize) -> std::ops::Range<u64> {
    let start = crop_offset(length, side);
    let clamp = |at: i64| at.clamp(0, length as i64) as u64;
    clamp(start)..clamp(start + side as i64)
}

/// Black before the photo along an axis where it is smaller than the crop.
fn margin(length: u64, side: usize) -> usize {
    usize::try_from(-crop_offset(length, side)).unwrap_or(0)
}

/// `[crop, crop, 3]` bytes → `[3, crop, crop]` floats, in the order of operations of torchvision's
/// `ToTensor` and `Normalize`, so that the floats are the same.
fn normalize(square: &Rgb, how: &Preprocessing) -> Pixels {
    let size = how.crop;
    let mut values = Vec::with_capacity(3 * size * size);
    for channel in 0..3 {
        let (mean, std) = (how.mean[channel], how.std[channel]);
        let samples = square.pixels.iter().skip(channel).step_by(3);
        values.extend(samples.map(|&sample| (f32::from(sample) / 255.0 - mean) / std));
    }
    Pixels { size, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_is_fitted_into_a_size_whole() {
        let photo =
            |width: u32, height: u32| Rgb { width, height, pixels: vec![77; (width * height * 3) as usize] };
        for (size, longest, expected) in [
            ((90, 60), 30, (30, 20)),
            ((60, 90), 30, (20, 30)),
            ((500, 1), 50, (50, 1)),
            ((9, 6), 30, (9, 6)),
        ] {
            let fitted = fit_within(&photo(size.0, size.1), longest);
            assert_eq!(fitted, photo(expected.0, expected.1), "{size:?} in {longest}");
        }
    }

    #[test]
    fn sizes_are_cut_off_not_rounded() {
        assert_eq!(resized(451, 300, 256), (384, 256)); // 384.85…
        assert_eq!(resized(300, 451, 256), (256, 384));
        assert_eq!(resized(1, 1, 256), (256, 256));
        assert_eq!(resized(10_000, 1, 256), (2_560_000, 256));
        // The longest photo.
        assert_eq!(resized(100_000_000, 1, 256), (25_600_000_000, 256));
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        // Python: [int(round((n - 224) / 2.0)) for n in (256, 257, 259, 261, 224, 223, 221, 219)]
        let offsets = [256, 257, 259, 261, 224, 223, 221, 219].map(|length| crop_offset(length, 224));
        assert_eq!(offsets, [16, 16, 18, 18, 0, 0, -2, -2]);
    }

    #[test]
    fn a_photo_smaller_than_the_crop_is_set_in_black() {
        let how = Preprocessing { short_side: 2, crop: 4, mean: [0.0; 3], std: [1.0; 3] };
        let photo = Rgb { width: 2, height: 2, pixels: vec![9; 12] };
        let square = resize_and_crop(&photo, &how);
        let grey: Vec<u8> = square.pixels.iter().step_by(3).copied().collect();
        assert_eq!(grey, [0, 0, 0, 0, 0, 9, 9, 0, 0, 9, 9, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn what_is_seen_is_told_in_the_photos_pixels() {
        let how = Preprocessing { short_side: 256, crop: 224, mean: [0.0; 3], std: [1.0; 3] };
        assert_eq!(visible_area(512, 1024, &how), (32.0, 288.0, 448.0, 448.0));
        let whole = Preprocessing { short_side: 112, crop: 112, ..how.clone() };
        assert_eq!(visible_area(600, 300, &whole), (150.0, 0.0, 300.0, 300.0));
        let framed = Preprocessing { short_side: 2, crop: 4, ..how };
        assert_eq!(visible_area(2, 2, &framed), (-1.0, -1.0, 4.0, 4.0));
    }

    #[test]
    fn pixels_are_channel_major_and_normalised() {
        let how = Preprocessing { short_side: 1, crop: 1, mean: [0.5, 0.0, 1.0], std: [0.5, 1.0, 0.25] };
        let photo = Rgb { width: 1, height: 1, pixels: vec![255, 51, 0] };
        assert_eq!(preprocess(&photo, &how), Pixels { size: 1, values: vec![1.0, 51.0 / 255.0, -4.0] });
    }
}

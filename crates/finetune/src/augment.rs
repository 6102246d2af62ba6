//! A photo as training sees it: another part of it each time, and half the time its mirror image.

use crate::random::Random;
use beit::decode::Rgb;
use beit::preprocess::{Pixels, Preprocessing, preprocess};

/// The smallest square that is cut out, as a share of the photo's short side.
const SMALLEST: f64 = 0.7;

/// A random square of the photo, resized to the network's input and mirrored by chance.
pub(crate) fn augment(photo: &Rgb, how: &Preprocessing, random: &mut Random) -> Pixels {
    let short = photo.width.min(photo.height) as usize;
    let side = ((short as f64 * (SMALLEST + (1.0 - SMALLEST) * random.unit())).round() as usize)
        .clamp(1, short.max(1));
    let left = random.below(photo.width as usize - side.min(photo.width as usize) + 1);
    let top = random.below(photo.height as usize - side.min(photo.height as usize) + 1);
    let mirrored = random.unit() < 0.5;
    let square = cut(photo, left, top, side);
    let whole = Preprocessing { short_side: how.crop, ..how.clone() };
    let mut pixels = preprocess(&square, &whole);
    if mirrored {
        pixels.values.chunks_exact_mut(pixels.size).for_each(<[f32]>::reverse);
    }
    pixels
}

fn cut(photo: &Rgb, left: usize, top: usize, side: usize) -> Rgb {
    let width = photo.width as usize;
    let row = |y: usize| &photo.pixels[((top + y) * width + left) * 3..][..side * 3];
    let pixels = (0..side).flat_map(|y| row(y).iter().copied()).collect();
    Rgb { width: side as u32, height: side as u32, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how(crop: usize) -> Preprocessing {
        Preprocessing { short_side: crop, crop, mean: [0.0; 3], std: [1.0; 3] }
    }

    #[test]
    fn squares_lie_inside_and_differ() {
        let (width, height) = (13, 9);
        let pixels = (0..width * height * 3).map(|i| (i % 251) as u8).collect();
        let photo = Rgb { width: width as u32, height: height as u32, pixels };
        let one = |i| augment(&photo, &how(8), &mut Random::at(1, [0, i]));
        let all: Vec<Pixels> = (0..50).map(one).collect();
        assert!(
            all.iter().all(|p| p.values.len() == 3 * 64 && p.values.iter().all(|v| (0.0..=1.0).contains(v)))
        );
        assert_eq!(all[7], one(7));
        assert!((1..50).any(|i| all[i] != all[0]));
    }

    #[test]
    fn a_mirror_image_is_one() {
        // One row of distinct greys: either way round, nothing else.
        let pixels = (0..4u8).flat_map(|_| (0..4u8).flat_map(|x| [x * 60; 3])).collect();
        let photo = Rgb { width: 4, height: 4, pixels };
        let mut seen = [false; 2];
        for i in 0..40 {
            let row = augment(&photo, &how(4), &mut Random::at(3, [0, i])).values[..4].to_vec();
            let rising = row.windows(2).all(|pair| pair[0] <= pair[1]);
            let falling = row.windows(2).all(|pair| pair[0] >= pair[1]);
            assert!(rising || falling, "{row:?}");
            seen[usize::from(falling)] = true;
        }
        assert_eq!(seen, [true, true]);
    }
}

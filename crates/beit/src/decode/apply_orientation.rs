//! Turning a picture upright.

use std::collections::TryReserveError;

use image::metadata::Orientation;

use super::Rgb;

/// Side of the tiles the picture is turned in, in pixels: reading down columns, a tile's rows stay in cache.
const TILE: usize = 64;

/// Applies `orientation` to a picture as it is stored.
///
/// # Errors
/// When there is no memory for a second picture.
pub(super) fn turn_upright(stored: Rgb, orientation: Orientation) -> Result<Rgb, TryReserveError> {
    let (w, h) = (stored.width as isize, stored.height as isize);
    // The stored pixel that comes to the upper left, the steps through the stored pixels on going right and
    // on going down, and whether width and height change places.
    let (origin, right, down, on_its_side) = match orientation {
        Orientation::NoTransforms => return Ok(stored),
        Orientation::FlipHorizontal => (w - 1, -1, w, false),
        Orientation::Rotate180 => (w * h - 1, -1, -w, false),
        Orientation::FlipVertical => (w * (h - 1), 1, -w, false),
        Orientation::Rotate90FlipH => (0, w, 1, true),
        Orientation::Rotate90 => (w * (h - 1), -w, 1, true),
        Orientation::Rotate270FlipH => (w * h - 1, -w, -1, true),
        Orientation::Rotate270 => (w - 1, w, -1, true),
    };
    let (width, height) = if on_its_side { (h as usize, w as usize) } else { (w as usize, h as usize) };

    let mut pixels = Vec::new();
    pixels.try_reserve_exact(stored.pixels.len())?;
    pixels.resize(stored.pixels.len(), 0);
    let (from, _) = stored.pixels.as_chunks::<3>();
    let (to, _) = pixels.as_chunks_mut::<3>();
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for y in top..height.min(top + TILE) {
                let row = origin + y as isize * down;
                for x in left..width.min(left + TILE) {
                    to[y * width + x] = from[(row + x as isize * right) as usize];
                }
            }
        }
    }
    Ok(Rgb { width: width as u32, height: height as u32, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_of_six_pixels() {
        let cases = [
            (Orientation::NoTransforms, 3, b"abcdef"),
            (Orientation::FlipHorizontal, 3, b"cbafed"),
            (Orientation::Rotate180, 3, b"fedcba"),
            (Orientation::FlipVertical, 3, b"defabc"),
            (Orientation::Rotate90FlipH, 2, b"adbecf"),
            (Orientation::Rotate90, 2, b"daebfc"),
            (Orientation::Rotate270FlipH, 2, b"fcebda"),
            (Orientation::Rotate270, 2, b"cfbead"),
        ];
        for (orientation, width, expected) in cases {
            let pixels = b"abcdef".iter().flat_map(|&pixel| [pixel; 3]).collect();
            let upright = turn_upright(Rgb { width: 3, height: 2, pixels }, orientation).unwrap();
            let grey: Vec<u8> = upright.pixels.iter().step_by(3).copied().collect();
            assert_eq!((upright.width, &grey[..]), (width, &expected[..]), "{orientation:?}");
        }
    }

    /// Tiles at the edges are not whole: `image` turns the picture pixel by pixel.
    #[test]
    fn pictures_larger_than_a_tile() {
        let (width, height) = (2 * TILE as u32 + 3, TILE as u32 + 5);
        let pixels: Vec<u8> = (0..width * height * 3).map(|i| (i * 31 % 251) as u8).collect();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let image = image::RgbImage::from_raw(width, height, pixels.clone()).unwrap();
            let mut expected = image::DynamicImage::ImageRgb8(image);
            expected.apply_orientation(orientation);
            let stored = Rgb { width, height, pixels: pixels.clone() };
            let upright = turn_upright(stored, orientation).unwrap();
            assert_eq!((upright.width, upright.height), (expected.width(), expected.height()));
            assert!(upright.pixels == expected.into_rgb8().into_raw(), "{orientation:?}");
        }
    }
}

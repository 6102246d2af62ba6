//! Preprocessing against Pillow: `tests/data/pillow`, made by the script in it.

use crate::common::{assert_same, photo};
use beit::decode::Rgb;
use beit::preprocess::{Preprocessing, preprocess, resize_and_crop};

const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

fn how(short_side: usize, crop: usize) -> Preprocessing {
    Preprocessing { short_side, crop, mean: IMAGENET_MEAN, std: IMAGENET_STD }
}

#[test]
fn crops_equal_pillows_pixel_for_pixel() {
    for name in ["landscape", "portrait", "small", "one-pixel", "exact", "odd", "strip", "rings"] {
        let source = photo(&format!("pillow/{name}.png"));
        for (short_side, crop) in [(256, 224), (128, 112)] {
            let golden = format!("pillow/{name}.{short_side}.{crop}.png");
            assert_same(&golden, &resize_and_crop(&source, &how(short_side, crop)), &photo(&golden), 0);
        }
    }
}

#[test]
fn the_tensor_is_the_crop_normalised_channel_by_channel() {
    let source = photo("pillow/odd.png");
    let crop = photo("pillow/odd.256.224.png");
    let pixels = preprocess(&source, &how(256, 224));
    assert_eq!(pixels.size, 224);
    assert_eq!(pixels.values.len(), 3 * 224 * 224);
    for (at, sample) in crop.pixels.iter().enumerate() {
        let (channel, position) = (at % 3, at / 3);
        let expected = (f32::from(*sample) / 255.0 - IMAGENET_MEAN[channel]) / IMAGENET_STD[channel];
        assert_eq!(pixels.values[channel * 224 * 224 + position], expected, "sample {at}");
    }
}

/// The whole resized strip would have 2.56 million columns; the square needs a handful of source pixels.
#[test]
fn extreme_shapes_give_their_middle() {
    for (width, height) in [(100_000, 1), (1, 100_000)] {
        let mut strip = Rgb { width, height, pixels: vec![0; 300_000] };
        strip.pixels[149_001..151_000].fill(77); // pixels 49,667 to 50,333: the middle
        let square = resize_and_crop(&strip, &how(256, 224));
        assert_eq!(square.pixels, vec![77; 224 * 224 * 3]);
    }
}

#[test]
fn an_empty_picture_is_black_not_a_panic() {
    let empty = Rgb { width: 0, height: 0, pixels: Vec::new() };
    assert_eq!(resize_and_crop(&empty, &how(256, 224)).pixels, vec![0; 224 * 224 * 3]);
}

//! A picture as the mean colours of its parts.

use beit::decode::Rgb;

/// The mean colours of `cells` × `cells` parts of a picture.
pub fn mean_colours(picture: &Rgb, cells: usize) -> Vec<[f64; 3]> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut means = Vec::new();
    for row in 0..cells {
        for column in 0..cells {
            let (mut sum, mut count) = ([0.0; 3], 0.0);
            for y in row * height / cells..(row + 1) * height / cells {
                for x in column * width / cells..(column + 1) * width / cells {
                    let pixel = &picture.pixels[(y * width + x) * 3..][..3];
                    for (sum, &value) in sum.iter_mut().zip(pixel) {
                        *sum += f64::from(value);
                    }
                    count += 1.0;
                }
            }
            means.push(sum.map(|sum| sum / count));
        }
    }
    means
}

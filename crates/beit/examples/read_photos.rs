//! Tells how photos are read, as `tools/odd-photos/read_with_pillow.py` does: `read_photos FOLDER > beitscope.json`.

use std::path::PathBuf;

use beit::decode::{Rgb, decode_photo};
use serde_json::{Map, Value, json};

const CELLS: usize = 12;

fn main() {
    let folder: PathBuf = std::env::args_os().nth(1).expect("the folder of photos").into();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.is_file() && path.extension().is_none_or(|e| e != "json" && e != "md" && e != "py")
    });
    files.sort();
    let mut readings = Map::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let reading = match decode_photo(&std::fs::read(&path).unwrap()) {
            Ok(photo) => json!({
                "size": [photo.rgb.width, photo.rgb.height],
                "grid": grid(&photo.rgb),
                "decoder": photo.decoder,
            }),
            Err(error) => json!({ "refused": error.to_string(), "detail": format!("{error:?}") }),
        };
        readings.insert(name, reading);
    }
    println!("{}", Value::Object(readings));
}

/// The mean colours of the picture's cells.
fn grid(picture: &Rgb) -> Vec<[f64; 3]> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let cells = if width.min(height) >= CELLS { CELLS } else { 1 };
    let mean = |row: usize, column: usize| {
        let (mut sum, mut count) = ([0.0; 3], 0.0);
        for y in row * height / cells..(row + 1) * height / cells {
            for x in column * width / cells..(column + 1) * width / cells {
                let pixel = &picture.pixels[(y * width + x) * 3..][..3];
                sum = std::array::from_fn(|channel| sum[channel] + f64::from(pixel[channel]));
                count += 1.0;
            }
        }
        sum.map(|sum: f64| (sum / count * 100.0).round() / 100.0)
    };
    (0..cells * cells).map(|cell| mean(cell / cells, cell % cells)).collect()
}

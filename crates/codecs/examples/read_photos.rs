//! Tells how photos are read, as `tools/odd-photos/read_with_pillow.py` does: `read_photos FOLDER > beitscope.json`.

#[path = "../../beit/tests/beit/common/grid.rs"]
mod grid;

use std::path::PathBuf;

use beit::decode::Rgb;
use codecs::decode_photo;
use grid::mean_colours;
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

/// The mean colours of the picture's cells, to a hundredth.
fn grid(picture: &Rgb) -> Vec<[f64; 3]> {
    let cells = if picture.width.min(picture.height) as usize >= CELLS { CELLS } else { 1 };
    let rounded = |mean: [f64; 3]| mean.map(|level| (level * 100.0).round() / 100.0);
    mean_colours(picture, cells).into_iter().map(rounded).collect()
}

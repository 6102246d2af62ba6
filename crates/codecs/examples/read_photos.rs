//! Tells how photos are read, as `tools/odd-photos/read_with_pillow.py` does:
//! `read_photos FOLDER [--times COUNT] [--pixels PICTURES] > beitscope.json`.
//!
//! With `--times` each photo is decoded so many times, and the least time in milliseconds is told too. With `--pixels` the
//! pictures are written into the folder PICTURES, as PPM.

#[path = "../../beit/tests/beit/common/grid.rs"]
mod grid;

use std::path::{Path, PathBuf};
use std::time::Instant;

use beit::decode::Rgb;
use codecs::decode_photo;
use grid::mean_colours;
use serde_json::{Map, Value, json};

const CELLS: usize = 12;

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let folder: PathBuf = arguments.first().expect("the folder of photos").into();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        Some(arguments.get(at + 1).unwrap_or_else(|| panic!("what follows {name}")))
    };
    let times: Option<u32> =
        option("--times").map(|times| times.to_string_lossy().parse().expect("a number of times"));
    let pictures = option("--pixels").map(Path::new);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.is_file() && path.extension().is_none_or(|e| e != "json" && e != "md" && e != "py")
    });
    files.sort();
    let mut readings = Map::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file = std::fs::read(&path).unwrap();
        let mut reading = match decode_photo(&file) {
            Ok(photo) => {
                if let Some(pictures) = pictures {
                    write(&pictures.join(format!("{name}.ppm")), &photo.rgb);
                }
                json!({
                    "size": [photo.rgb.width, photo.rgb.height],
                    "grid": grid(&photo.rgb),
                    "decoder": photo.decoder,
                })
            }
            Err(error) => json!({ "refused": error.to_string(), "detail": format!("{error:?}") }),
        };
        let time = |_| {
            let begin = Instant::now();
            drop(decode_photo(&file));
            begin.elapsed().as_micros()
        };
        if let Some(least) = times.and_then(|times| (0..times).map(time).min()) {
            reading["milliseconds"] = json!(least as f64 / 1000.0);
        }
        readings.insert(name, reading);
    }
    println!("{}", Value::Object(readings));
}

fn write(path: &Path, picture: &Rgb) {
    let header = format!("P6\n{} {}\n255\n", picture.width, picture.height);
    std::fs::write(path, [header.as_bytes(), &picture.pixels].concat()).unwrap();
}

/// The mean colours of the picture's cells, to a hundredth.
fn grid(picture: &Rgb) -> Vec<[f64; 3]> {
    let cells = if picture.width.min(picture.height) as usize >= CELLS { CELLS } else { 1 };
    let rounded = |mean: [f64; 3]| mean.map(|level| (level * 100.0).round() / 100.0);
    mean_colours(picture, cells).into_iter().map(rounded).collect()
}

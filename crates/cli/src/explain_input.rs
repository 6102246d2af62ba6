//! How a photo was read, and what the network saw of it: `classify --explain-input`.

use crate::engine::Engine;
use crate::output::say;
use beit::decode::{OrientationSource, Photo};
use beit::preprocess::visible_area;
use image::ImageFormat;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
pub struct Input {
    /// Such as `JPEG`.
    format: String,
    /// The kind of raw photo whose preview was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview_of: Option<String>,
    /// Which library decoded it.
    decoder: &'static str,
    /// It was decoded at this fraction of its size.
    reduced_by: u8,
    /// Of so many hundredths of the picture the file has no data.
    missing_percent: u8,
    /// Pixels, upright and reduced.
    width: u32,
    height: u32,
    /// The EXIF orientation by which it was turned, and where that is written.
    orientation: u8,
    orientation_from: &'static str,
    /// Browsers show the file as it was read here.
    shown_by_browsers: bool,
    /// The part that the network saw, in pixels: left, top, width and height.
    crop: [f64; 4],
    /// What the network saw.
    png: PathBuf,
}

/// Writes what the network sees of a photo to a folder, under the photo's name and number.
///
/// # Errors
/// A sentence, when the file can't be written.
pub fn explain(
    engine: &Engine,
    photo: &Photo,
    file: &Path,
    number: usize,
    folder: &Path,
) -> Result<Input, String> {
    let how = engine.preprocessing();
    let square = beit::preprocess::resize_and_crop(&photo.rgb, how);
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    // Photos of one name, from several folders, do not overwrite each other's.
    let png = folder.join(format!("{number:04}-{stem}.png"));
    let written = std::fs::create_dir_all(folder).map_err(|error| error.to_string()).and_then(|()| {
        image::save_buffer_with_format(
            &png,
            &square.pixels,
            square.width,
            square.height,
            image::ColorType::Rgb8,
            ImageFormat::Png,
        )
        .map_err(|error| error.to_string())
    });
    written.map_err(|error| format!("{} can't be written: {error}.", png.display()))?;
    let (left, top, width, height) = visible_area(photo.rgb.width, photo.rgb.height, how);
    Ok(Input {
        format: photo.format.to_string(),
        preview_of: photo.preview_of.map(|raw| raw.to_string()),
        decoder: photo.decoder,
        reduced_by: photo.reduced_by,
        missing_percent: photo.missing_percent,
        width: photo.rgb.width,
        height: photo.rgb.height,
        orientation: photo.orientation,
        orientation_from: match photo.orientation_source {
            Some(OrientationSource::Exif) => "EXIF",
            Some(OrientationSource::Xmp) => "XMP",
            None => "nowhere",
        },
        shown_by_browsers: photo.shown_by_browsers,
        crop: [left, top, width, height].map(|number| (number * 10.0).round() / 10.0),
        png,
    })
}

impl Input {
    /// In words, a line each.
    pub fn say(&self) {
        let of = self.preview_of.as_ref().map(|raw| format!(", the preview of a raw photo ({raw})"));
        let reduced = if self.reduced_by > 1 {
            format!(", at 1/{} of its size", self.reduced_by)
        } else {
            String::new()
        };
        say(&format!("  {}{}, decoded by {}{reduced}", self.format, of.unwrap_or_default(), self.decoder));
        let turned = match (self.orientation, self.orientation_from) {
            (_, "nowhere") => "no orientation stated".to_owned(),
            (1, from) => format!("orientation 1 in {from}: as stored"),
            (orientation, from) => format!("orientation {orientation} in {from}: turned upright"),
        };
        let otherwise = if self.shown_by_browsers { "" } else { "; browsers show it otherwise" };
        say(&format!("  {} × {} pixels, {turned}{otherwise}", self.width, self.height));
        let [left, top, width, height] = self.crop;
        say(&format!(
            "  the network saw {width} × {height} pixels from ({left}, {top}): {}",
            self.png.display()
        ));
    }
}

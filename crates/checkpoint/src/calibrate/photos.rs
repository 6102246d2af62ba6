//! Photos to calibrate on, or to compare networks on.

use crate::CheckpointError;
use beit::config::Config;
use beit::decode::ENDINGS;
use beit::preprocess::{Pixels, preprocess};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// At most `limit` of some photos and the photos of some folders and the folders inside them, spread evenly over the
/// sorted paths, so that each of many folders gives some. `option` is the command line's option that named them.
///
/// # Errors
/// When a folder can't be listed or holds no photo.
pub fn find_photos(
    option: &'static str,
    paths: &[PathBuf],
    limit: usize,
) -> Result<Vec<PathBuf>, CheckpointError> {
    let mut all = Vec::new();
    for path in paths {
        let before = all.len();
        if path.is_file() {
            all.push(path.clone());
        } else {
            collect(path, &mut all)?;
        }
        if all.len() == before {
            let got = format!("{}, which holds none", path.display());
            return Err(CheckpointError::Option { name: option, expected: "a folder of photos".into(), got });
        }
    }
    all.sort();
    all.dedup();
    let (found, chosen) = (all.len(), limit.min(all.len()));
    Ok((0..chosen).map(|i| std::mem::take(&mut all[i * found / chosen])).collect())
}

fn collect(folder: &Path, photos: &mut Vec<PathBuf>) -> Result<(), CheckpointError> {
    let fault = |e| CheckpointError::io("list", folder)(e);
    for item in std::fs::read_dir(folder).map_err(fault)? {
        let item = item.map_err(|e| CheckpointError::io("list", folder)(e))?;
        let (path, name) = (item.path(), item.file_name());
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        // Links to folders are not followed: they may lead in a circle.
        if item.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, photos)?;
        } else if extension.is_some_and(|e| ENDINGS.contains(&e.as_str())) {
            photos.push(path);
        }
    }
    Ok(())
}

/// Photos as the network sees them; a photo that can't be read comes as its path and the reason.
pub(crate) fn read(files: &[PathBuf], config: &Config) -> Vec<Result<Pixels, (PathBuf, String)>> {
    let read = |file: &PathBuf| {
        let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
        let photo = codecs::decode_photo(&bytes).map_err(|e| e.to_string())?;
        Ok(preprocess(&photo.rgb, &config.preprocessing))
    };
    files.par_iter().map(|file| read(file).map_err(|reason: String| (file.clone(), reason))).collect()
}

//! The photos that are in a folder now.

use crate::failure::Failure;
use checkpoint::find_photos;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A photo of the folder.
pub struct Listed {
    /// To open it by.
    pub file: PathBuf,
    /// Below the folder, with `/` between folders.
    pub path: String,
    pub size: u64,
    /// In nanoseconds since 1970.
    pub modified: i64,
}

/// Photos, and those that can't be listed, with why.
type Found = (Vec<Listed>, Vec<(PathBuf, String)>);

/// The photos of a folder and of the folders in it, in order. A link to a photo that is itself in the folder is left out:
/// it would look like a copy.
pub fn list(folder: &Path) -> Result<Found, Failure> {
    if !folder.is_dir() {
        return Err(Failure::Usage(format!(
            "{} is no folder; expected a folder of photos",
            folder.display()
        )));
    }
    let real = folder.canonicalize().map_err(|e| Failure::Data(format!("{}: {e}", folder.display())))?;
    let (mut listed, mut failed) = (Vec::new(), Vec::new());
    for file in find_photos("FOLDER", std::slice::from_ref(&folder.to_owned()), usize::MAX)? {
        if fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_symlink())
            && file.canonicalize().is_ok_and(|target| target.starts_with(&real))
        {
            continue;
        }
        let found = fs::metadata(&file).map_err(|error| format!("The file can't be read: {error}."));
        let found = found.and_then(|metadata| Ok((relative(folder, &file)?, metadata)));
        match found {
            Ok((path, metadata)) => {
                let modified = modified(&metadata);
                listed.push(Listed { file, path, size: metadata.len(), modified });
            }
            Err(reason) => failed.push((file, reason)),
        }
    }
    Ok((listed, failed))
}

/// A path below the folder, as the index has it.
fn relative(folder: &Path, file: &Path) -> Result<String, String> {
    let below = file.strip_prefix(folder).unwrap_or(file);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    let parts = parts.ok_or("Its path is no Unicode, so that no index can name it. Rename it.")?;
    Ok(parts.join("/"))
}

/// When a file was changed last, in nanoseconds since 1970; 0 where the system does not know.
fn modified(metadata: &Metadata) -> i64 {
    let Ok(time) = metadata.modified() else { return 0 };
    let nanoseconds = |duration: std::time::Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => nanoseconds(after),
        Err(before) => -nanoseconds(before.duration()),
    }
}

//! Where a photo's keywords go, and what changes there.

use super::Sidecar;
use crate::replace::Seen;
use keywords::{Change, Keywords, apply, belongs_in_photo, embed, sidecar, sidecar_name};
use std::io;
use std::path::{Path, PathBuf};

/// Where keywords are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Photo,
    Sidecar,
}

/// A file that changes.
pub struct Plan {
    pub place: Place,
    pub path: PathBuf,
    /// The file as it was read; `None` if it is new.
    pub seen: Option<Seen>,
    /// Its bytes; none if it is new.
    pub before: Vec<u8>,
    pub change: Change,
    /// Why it is a sidecar, where it could be the photo.
    pub note: Option<String>,
}

impl Plan {
    /// The changed file.
    pub fn after(&self) -> Result<Vec<u8>, String> {
        apply(&self.before, &self.change.splices).ok_or_else(|| "The changes do not fit the file.".into())
    }
}

/// What changes so that a photo, which was read as `bytes`, has these keywords. `None` if nothing does.
///
/// # Errors
/// A sentence, where they can't be written in any way that `wish` allows.
pub fn plan(
    photo: &Path,
    seen: Seen,
    bytes: Vec<u8>,
    keywords: &Keywords,
    wish: Sidecar,
) -> Result<Option<Plan>, String> {
    let beside = beside(photo)?;
    let in_photo = match wish {
        Sidecar::Always => return in_sidecar(beside, keywords, None),
        Sidecar::Never => true,
        Sidecar::Auto => belongs_in_photo(&bytes, beside.exists()),
    };
    if !in_photo {
        return in_sidecar(beside, keywords, None);
    }
    let embedded = match seen.is_read_only() {
        true => Err("it is read-only".to_owned()),
        false => embed(&bytes, keywords).map_err(|error| error.to_string()),
    };
    match embedded {
        Ok(None) => Ok(None),
        Ok(Some(change)) => {
            let path = photo.canonicalize().map_err(|error| format!("The file can't be found: {error}."))?;
            Ok(Some(Plan { place: Place::Photo, path, seen: Some(seen), before: bytes, change, note: None }))
        }
        Err(why) if wish == Sidecar::Auto => {
            in_sidecar(beside, keywords, Some(format!("beside the photo, since {why}")))
        }
        Err(why) => Err(format!("Its keywords can't be written into it: {why}. Leave out --sidecar never.")),
    }
}

fn beside(photo: &Path) -> Result<PathBuf, String> {
    let name = photo.file_name().and_then(|name| name.to_str());
    let name =
        name.ok_or("Its name is no Unicode, so that no sidecar and no journal can name it. Rename it.")?;
    Ok(photo.with_file_name(sidecar_name(name)))
}

fn in_sidecar(path: PathBuf, keywords: &Keywords, note: Option<String>) -> Result<Option<Plan>, String> {
    let named = |reason: String| format!("Its sidecar {}: {reason}.", path.display());
    let (seen, before) = match Seen::read(&path) {
        Ok((seen, bytes)) => (Some(seen), bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (None, Vec::new()),
        Err(error) => return Err(named(error.to_string())),
    };
    let existing = seen.is_some().then_some(before.as_slice());
    let Some(change) = sidecar(existing, keywords).map_err(|error| named(error.to_string()))? else {
        return Ok(None);
    };
    Ok(Some(Plan { place: Place::Sidecar, path, seen, before, change, note }))
}

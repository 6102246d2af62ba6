//! Restoring what a run has changed.

use super::journal::{Entry, KIND};
use crate::failure::Failure;
use crate::replace::{Seen, check_may_write, remove, replace};
use crate::undo::{self, Undone};
use beit::weights::sha256;
use keywords::apply;
use std::io;
use std::path::Path;

pub fn run(journal: &Path, dry_run: bool, asked_for_json: bool) -> Result<(), Failure> {
    undo::run(KIND, journal, dry_run, asked_for_json, |entry: &Entry| {
        let file = entry.file.as_str();
        undo(entry, dry_run).map(|undone| (file, undone)).map_err(|error| (file, error))
    })
}

/// Restores one file, if it is what the run has made of it.
fn undo(entry: &Entry, dry_run: bool) -> Result<Undone, String> {
    let path = Path::new(&entry.file);
    let (seen, bytes) = match Seen::read(path) {
        Ok(read) => read,
        // A sidecar that is gone, or was never made.
        Err(error) if error.kind() == io::ErrorKind::NotFound && entry.before.is_none() => {
            return Ok(Undone::Unchanged);
        }
        Err(error) => return Err(format!("The file can't be read: {error}.")),
    };
    let is = sha256(&bytes);
    if entry.before.as_ref() == Some(&is) {
        return Ok(Undone::Unchanged);
    }
    if is != entry.after {
        return Err(
            "It was changed since, so it is left as it is. If a later run changed it, undo that first."
                .into(),
        );
    }
    let Some(before) = &entry.before else {
        if !dry_run {
            check_may_write(path, Some(&seen))?;
            remove(path)?;
        }
        return Ok(if dry_run { Undone::WouldBeRemoved } else { Undone::Removed });
    };
    let restored = entry.splices().and_then(|splices| apply(&bytes, &splices));
    let restored = restored.filter(|restored| sha256(restored) == *before);
    let restored = restored.ok_or("The journal's line for it is damaged, so it is left as it is.")?;
    if dry_run {
        return Ok(Undone::WouldBeRestored);
    }
    check_may_write(path, Some(&seen))?;
    // With the time that these bytes had.
    replace(path, &restored, Some(&seen), entry.modified())?;
    Ok(Undone::Restored)
}

//! Undoing what a run has written down in its journal.

use crate::failure::Failure;
use crate::journal::{self, Kind};
use crate::output::{failure, json_of, say, wants_json};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// What became of a file that a run had changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Undone {
    Restored,
    /// A file that the run had made.
    Removed,
    WouldBeRestored,
    WouldBeRemoved,
    /// It is what it was before already.
    Unchanged,
}

/// Undoes all lines of a journal and tells of each, under the name that `undo` gives with what became of it.
///
/// # Errors
/// When the journal can't be read, or a file could not be restored.
pub fn run<Entry: DeserializeOwned>(
    kind: Kind,
    journal: &Path,
    dry_run: bool,
    asked_for_json: bool,
    undo: impl for<'e> Fn(&'e Entry) -> Result<(&'e str, Undone), (&'e str, String)>,
) -> Result<(), Failure> {
    let entries: Vec<Entry> = journal::read(kind, journal)?;
    let as_json = wants_json(asked_for_json);
    let (mut restored, mut failed) = (0u64, 0u64);
    // The last change first: a file may have been changed twice.
    for entry in entries.iter().rev() {
        match undo(entry) {
            Ok((file, undone)) => {
                restored += u64::from(undone != Undone::Unchanged);
                tell(file, undone, as_json)?;
            }
            Err((file, error)) => {
                failed += 1;
                failure(file, &error, as_json)?;
            }
        }
    }
    let done = if dry_run { "would be restored" } else { "restored" };
    let unchanged = entries.len() as u64 - restored - failed;
    say(&format!("{restored} {done}, {unchanged} unchanged, {failed} failed"));
    match failed {
        0 => Ok(()),
        n => Err(Failure::Data(format!("{n} of {} files could not be restored", entries.len()))),
    }
}

/// Tells of a file that was restored, or would be.
fn tell(file: &str, undone: Undone, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return json_of(file, &undone);
    }
    let words = match undone {
        Undone::Restored => "restored",
        Undone::Removed => "removed",
        Undone::WouldBeRestored => "would be restored",
        Undone::WouldBeRemoved => "would be removed",
        Undone::Unchanged => "is as it was",
    };
    say(&format!("{file}  ({words})"));
    Ok(())
}

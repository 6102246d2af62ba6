//! Bringing back what a run has moved, and removing what it has copied or linked.

use super::carry::carry;
use super::entry::{Entry, How, KIND};
use super::target::make_folder;
use crate::failure::Failure;
use crate::replace::{Seen, folder_of, remove};
use crate::undo::{self, Undone};
use beit::weights::sha256;
use std::fs;
use std::path::Path;

pub fn run(journal: &Path, dry_run: bool, asked_for_json: bool) -> Result<(), Failure> {
    undo::run(KIND, journal, dry_run, asked_for_json, |entry: &Entry| {
        let undone = undo(entry, dry_run);
        if !dry_run {
            // What is in them stays, and so do they.
            entry.made.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
        }
        undone.map(|undone| (&*entry.from, undone)).map_err(|error| (&*entry.to, error))
    })
}

/// What is under a name.
enum Found {
    Nothing,
    /// The journal's file.
    It(Seen, Vec<u8>),
    Another,
}

fn find(path: &str, hash: &str) -> Result<Found, String> {
    match Seen::read(Path::new(path)) {
        Ok((seen, bytes)) if sha256(&bytes) == hash => Ok(Found::It(seen, bytes)),
        Ok(_) => Ok(Found::Another),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(format!("{path} can't be read: {error}.")),
    }
}

/// Undoes one line, if that loses nothing.
fn undo(entry: &Entry, dry_run: bool) -> Result<Undone, String> {
    let Entry { how, from, to, sha256, .. } = entry;
    let (origin, target) = (find(from, sha256)?, find(to, sha256)?);
    match (how, origin, target) {
        // Never done, or undone already; another run may have given the name to another photo.
        (_, Found::It(..), Found::Nothing)
        | (How::Move, Found::It(..), Found::Another)
        | (How::Copy | How::HardLink, _, Found::Nothing) => Ok(Undone::Unchanged),
        // A copy, or a move that was broken off between its steps.
        (_, Found::It(..), Found::It(..)) => {
            if dry_run {
                return Ok(Undone::WouldBeRemoved);
            }
            remove(Path::new(to))?;
            Ok(Undone::Removed)
        }
        (How::Move, Found::Nothing, Found::It(seen, bytes)) => {
            if dry_run {
                return Ok(Undone::WouldBeRestored);
            }
            make_folder(folder_of(Path::new(from)))?;
            carry(Path::new(to), Path::new(from), &seen, &bytes, How::Move)?;
            Ok(Undone::Restored)
        }
        (How::Copy | How::HardLink, _, Found::It(..)) => {
            Err(format!("{from} is not what was copied any more, so the copy stays: it may be the last one."))
        }
        (How::Move, Found::Another, Found::It(..)) => {
            Err(format!("There is another file at {from} now. Move that first."))
        }
        (How::Move, _, Found::Nothing) => Err("It is gone from there. Where it went is not known.".into()),
        (_, _, Found::Another) => Err("It was changed since, so it is left as it is.".into()),
    }
}

//! The journals of all shards, made into one result.

use crate::counts::Counts;
use crate::error::EvaluateError;
use crate::journal::{self, Record};
use crate::journal_format::{CalibrationPart, Header};
use crate::shard_results::Unreadable;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Shards named in an error before "and N more".
const NAMED: usize = 10;

/// What all shards together say.
pub struct Merged {
    /// The first journal's.
    pub header: Header,
    /// Of all shards together.
    pub counts: Counts,
    /// Of all shards together.
    pub unreadable: Unreadable,
}

/// Reads the journals one after another, line by line. `note` gets a sentence on what is unusual but no error.
///
/// # Errors
/// When one is no journal, is damaged or unfinished, they belong to different runs, or shards are missing or there
/// twice.
pub fn merge(files: &[PathBuf], note: &mut dyn FnMut(String)) -> Result<Merged, EvaluateError> {
    let mut merged: Option<Merged> = None;
    let mut shards: BTreeMap<u64, &Path> = BTreeMap::new();
    for path in files {
        let Record { header, results, cut_off, .. } = open(path)?;
        if header.calibration == Some(CalibrationPart::Outliers) {
            return Err(EvaluateError::JournalOfOutliers(path.clone()));
        }
        if results.remaining() > 0 {
            let (remaining, photos) = (results.remaining(), header.shard.size(header.dataset.photos));
            return Err(EvaluateError::Unfinished { path: path.clone(), remaining, photos, cut_off });
        }
        if let Some(other) = shards.insert(header.shard.number, path) {
            let (first, second) = (other.to_owned(), path.clone());
            return Err(EvaluateError::SameShard { first, second, shard: header.shard.to_string() });
        }
        match &mut merged {
            None => merged = Some(Merged { header, counts: results.counts, unreadable: results.unreadable }),
            Some(merged) => {
                check(&merged.header, &header, &files[0], path, note)?;
                merged.counts.add(results.counts);
                merged.unreadable.add(results.unreadable);
            }
        }
    }
    let merged = merged.ok_or(EvaluateError::NoJournals)?;
    let of = merged.header.shard.of;
    let missing = of - shards.len() as u64;
    if missing > 0 {
        let first = (1..=of).filter(|number| !shards.contains_key(number)).take(NAMED);
        let mut names: Vec<String> = first.map(|number| format!("{number}/{of}")).collect();
        if missing > NAMED as u64 {
            names.push(format!("and {} more", missing - NAMED as u64));
        }
        return Err(EvaluateError::MissingShards { missing, of, named: names.join(", ") });
    }
    Ok(merged)
}

fn open(path: &Path) -> Result<Record, EvaluateError> {
    let fault = |source| EvaluateError::Open { path: path.to_owned(), source };
    let record = journal::read(path, &mut File::open(path).map_err(fault)?)?;
    record.ok_or_else(|| EvaluateError::EmptyJournal(path.to_owned()))
}

/// Whether two shards belong to one run.
fn check(
    first: &Header,
    other: &Header,
    first_path: &Path,
    path: &Path,
    note: &mut dyn FnMut(String),
) -> Result<(), EvaluateError> {
    let differs = if first.model != other.model || first.classes != other.classes {
        Some("models")
    } else if first.dataset != other.dataset {
        Some("datasets")
    } else if first.shard.of != other.shard.of {
        Some("numbers of shards")
    } else {
        None
    };
    if let Some(what) = differs {
        return Err(EvaluateError::OtherRun { first: first_path.to_owned(), second: path.to_owned(), what });
    }
    if first.backend != other.backend {
        let (first_name, one) = (first_path.display(), &first.backend);
        let (name, two) = (path.display(), &other.backend);
        note(format!("{first_name} ran on {one}, {name} on {two}: they answer alike, to rounding"));
    }
    Ok(())
}

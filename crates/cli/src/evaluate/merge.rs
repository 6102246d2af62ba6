//! The journals of all shards, made into one result.

use super::journal::{self, Header, Record};
use super::ledger::Unreadable;
use super::tally::Tally;
use crate::failure::Failure;
use crate::output::say;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Shards named in an error before "and N more".
const NAMED: usize = 10;

/// What all shards together say.
pub struct Merged {
    /// The first journal's.
    pub header: Header,
    pub tally: Tally,
    pub unreadable: Unreadable,
}

/// Reads the journals one after another, line by line.
///
/// # Errors
/// When one is no journal, is damaged or unfinished, they belong to different runs, or shards are missing or there
/// twice.
pub fn merge(files: &[PathBuf]) -> Result<Merged, Failure> {
    let mut merged: Option<Merged> = None;
    let mut shards: BTreeMap<u64, &Path> = BTreeMap::new();
    for path in files {
        let Record { header, ledger, cut_off, .. } = open(path)?;
        let name = path.display();
        if ledger.left() > 0 {
            let (left, all) = (ledger.left(), header.shard.size(header.dataset.photos));
            let torn = if cut_off { ", and its end is damaged" } else { "" };
            return Err(Failure::Data(format!(
                "{name}: {left} of the shard's {all} photos are not done{torn}; run its command again, it goes on"
            )));
        }
        if let Some(other) = shards.insert(header.shard.number, path) {
            let (shard, other) = (header.shard, other.display());
            return Err(Failure::Usage(format!("{other} and {name} are both shard {shard}; give each once")));
        }
        match &mut merged {
            None => merged = Some(Merged { header, tally: ledger.tally, unreadable: ledger.unreadable }),
            Some(merged) => {
                check(&merged.header, &header, &files[0], path)?;
                merged.tally.add(ledger.tally);
                merged.unreadable.add(ledger.unreadable);
            }
        }
    }
    let merged = merged.ok_or_else(|| Failure::Usage("give the journals to merge".into()))?;
    let of = merged.header.shard.of;
    let lacking = of - shards.len() as u64;
    if lacking > 0 {
        let missing = (1..=of).filter(|number| !shards.contains_key(number)).take(NAMED);
        let mut names: Vec<String> = missing.map(|number| format!("{number}/{of}")).collect();
        if lacking > NAMED as u64 {
            names.push(format!("and {} more", lacking - NAMED as u64));
        }
        return Err(Failure::Data(format!("{lacking} of {of} shards are missing: {}", names.join(", "))));
    }
    Ok(merged)
}

fn open(path: &Path) -> Result<Record, Failure> {
    let fault = |e: std::io::Error| Failure::Data(format!("cannot open {}: {e}", path.display()));
    let record = journal::read(path, &mut File::open(path).map_err(fault)?)?;
    record
        .ok_or_else(|| Failure::Data(format!("{}: nothing is in it; run its command again", path.display())))
}

/// Whether two shards belong to one run.
fn check(first: &Header, other: &Header, first_path: &Path, path: &Path) -> Result<(), Failure> {
    let differs = if first.model != other.model || first.classes != other.classes {
        Some("models")
    } else if first.dataset != other.dataset {
        Some("datasets")
    } else if first.shard.of != other.shard.of {
        Some("numbers of shards")
    } else {
        None
    };
    let (first_name, name) = (first_path.display(), path.display());
    if let Some(what) = differs {
        return Err(Failure::Usage(format!(
            "{first_name} and {name} are of different {what}; give one run's journals"
        )));
    }
    if first.backend != other.backend {
        let (one, two) = (&first.backend, &other.backend);
        say(&format!("{first_name} ran on {one}, {name} on {two}: they answer alike, to rounding"));
    }
    Ok(())
}

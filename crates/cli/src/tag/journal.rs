//! What a run changes, as its journal says it.

use super::plan::Plan;
use crate::journal::{Kind, absolute};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beit::weights::sha256;
use keywords::{Splice, inverse};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// Journals of this command.
pub const KIND: Kind = Kind { command: "tag", format: "beitscope-tag-1" };

/// A file that was changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its absolute path.
    pub file: String,
    /// SHA-256 of what it was, lower-case hexadecimal; `null` if it was not there.
    pub before: Option<String>,
    /// SHA-256 of what it became.
    pub after: String,
    /// When it had been changed last, in nanoseconds since 1970, where that is known.
    pub modified: Option<u64>,
    /// What turns the one into the other again.
    pub restore: Vec<Restore>,
}

/// A [`Splice`] that JSON has place for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Restore {
    at: u64,
    remove: u64,
    /// In Base64.
    insert: String,
}

impl Entry {
    pub fn new(plan: &Plan, after: &[u8]) -> Result<Self, String> {
        let file = absolute(&plan.path)?;
        let back = inverse(&plan.before, &plan.change.splices).ok_or("The changes do not fit the file.")?;
        let modified = plan.seen.as_ref().and_then(|seen| seen.modified());
        let since = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let restore = |splice: Splice| Restore {
            at: splice.at,
            remove: splice.removed,
            insert: STANDARD.encode(splice.inserted),
        };
        Ok(Self {
            file,
            before: plan.seen.is_some().then(|| sha256(&plan.before)),
            after: sha256(after),
            modified: since.and_then(|since| u64::try_from(since.as_nanos()).ok()),
            restore: back.into_iter().map(restore).collect(),
        })
    }

    /// What to splice into the changed file. `None` if the Base64 is damaged.
    pub fn splices(&self) -> Option<Vec<Splice>> {
        let splice = |restore: &Restore| {
            let inserted = STANDARD.decode(&restore.insert).ok()?;
            Some(Splice { at: restore.at, removed: restore.remove, inserted })
        };
        self.restore.iter().map(splice).collect()
    }

    /// When the file had been changed last.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified.map(|since| SystemTime::UNIX_EPOCH + Duration::from_nanos(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Journal, read};

    #[test]
    fn a_line_that_was_cut_off_is_left_out_and_a_damaged_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let entry = Entry {
            file: "/a.jpg".into(),
            before: Some("00".into()),
            after: "01".into(),
            modified: Some(1_700_000_000_123_456_789),
            restore: vec![Restore { at: 1 << 33, remove: 2, insert: STANDARD.encode("old") }],
        };
        let mut journal = Journal::new(KIND, Some(&path));
        assert_eq!(journal.path(), None);
        journal.write(&entry).unwrap();
        journal.write(&entry).unwrap();
        assert!(Journal::new(KIND, Some(&path)).write(&entry).unwrap_err().contains("--journal"));
        let whole = std::fs::read(&path).unwrap();
        let entries = read::<Entry>(KIND, &path).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].splices().unwrap()[0].inserted, b"old");
        assert!(entries[0].modified().unwrap().elapsed().is_ok());
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(read::<Entry>(KIND, &path).unwrap().len(), 1);
        let damaged = String::from_utf8(whole).unwrap().replacen("\"file\"", "\"fi", 1);
        std::fs::write(&path, damaged).unwrap();
        assert!(read::<Entry>(KIND, &path).unwrap_err().to_string().contains("line 2 is damaged"));
        std::fs::write(&path, "{}\n").unwrap();
        assert!(read::<Entry>(KIND, &path).unwrap_err().to_string().contains("no journal"));
    }
}

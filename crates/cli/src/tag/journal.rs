//! What a run changes, written down before it is changed, so that it can be undone.

use super::plan::Plan;
use super::replace::{folder_of, sync_folder};
use crate::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keywords::{Splice, inverse};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const FORMAT: &str = "beitscope-tag-1";

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    journal: String,
}

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

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    beit::weights::hexadecimal(&Sha256::digest(bytes))
}

impl Entry {
    pub fn new(plan: &Plan, after: &[u8]) -> Result<Self, String> {
        let path =
            std::path::absolute(&plan.path).map_err(|error| format!("Its path can't be told: {error}."))?;
        let file = path
            .to_str()
            .ok_or("Its path is no Unicode, so that no journal can name it. Rename its folders.")?;
        let back = inverse(&plan.before, &plan.change.splices).ok_or("The changes do not fit the file.")?;
        let modified = plan.seen.as_ref().and_then(|seen| seen.modified());
        let since = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let restore = |splice: Splice| Restore {
            at: splice.at,
            remove: splice.removed,
            insert: STANDARD.encode(splice.inserted),
        };
        Ok(Self {
            file: file.to_owned(),
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

/// A journal that is being written.
pub struct Journal {
    wish: Option<PathBuf>,
    open: Option<(PathBuf, File)>,
}

impl Journal {
    /// A journal that becomes a file with its first line: `path`, or the first free name in this folder.
    pub fn new(path: Option<&Path>) -> Self {
        Self { wish: path.map(Path::to_owned), open: None }
    }

    /// Its file, once there is one.
    pub fn path(&self) -> Option<&Path> {
        self.open.as_ref().map(|(path, _)| path.as_path())
    }

    /// Writes a line and brings it to the disk.
    ///
    /// # Errors
    /// A sentence; then nothing may be changed.
    pub fn write(&mut self, entry: &Entry) -> Result<(), String> {
        let (path, file) = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(create(self.wish.as_deref())?),
        };
        line(file, entry).map_err(|error| {
            format!("Nothing was changed: the journal {} can't be written: {error}.", path.display())
        })
    }
}

fn line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_data()
}

/// Begins a journal. One that is there is another run's.
fn create(wish: Option<&Path>) -> Result<(PathBuf, File), String> {
    let mut names = (1..).map(|number| PathBuf::from(format!("beitscope-tag-{number}.jsonl")));
    loop {
        let path = wish.map_or_else(|| names.next().unwrap_or_default(), Path::to_owned);
        let begun = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| {
            line(&mut file, &Header { journal: FORMAT.into() })?;
            sync_folder(folder_of(&path))?;
            Ok(file)
        });
        match begun {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && wish.is_none() => {}
            Err(error) => {
                let path = path.display();
                return Err(format!(
                    "Nothing was changed: the journal {path} can't be begun: {error}. Name another with --journal."
                ));
            }
        }
    }
}

/// Reads a journal. A line at the end that is not whole is left out: its file was not changed any more.
pub fn read(path: &Path) -> Result<Vec<Entry>, Failure> {
    let fault = |reason: String| Failure::Data(format!("{}: {reason}", path.display()));
    let text = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let mut lines = text.split_inclusive(|&byte| byte == b'\n');
    let header = lines.next().and_then(|line| serde_json::from_slice::<Header>(line).ok());
    if header.is_none_or(|header| header.journal != FORMAT) {
        return Err(fault("this is no journal of beitscope tag".into()));
    }
    let whole = (2..).zip(lines).filter(|(_, line)| line.ends_with(b"\n"));
    let entry = |(number, line): (u64, &[u8])| {
        serde_json::from_slice(line).map_err(|error| {
            fault(format!("line {number} is damaged ({error}); without it, the others can be undone"))
        })
    };
    whole.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut journal = Journal::new(Some(&path));
        assert_eq!(journal.path(), None);
        journal.write(&entry).unwrap();
        journal.write(&entry).unwrap();
        assert!(Journal::new(Some(&path)).write(&entry).unwrap_err().contains("--journal"));
        let whole = std::fs::read(&path).unwrap();
        let entries = read(&path).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].splices().unwrap()[0].inserted, b"old");
        assert!(entries[0].modified().unwrap().elapsed().is_ok());
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1);
        let damaged = String::from_utf8(whole).unwrap().replacen("\"file\"", "\"fi", 1);
        std::fs::write(&path, damaged).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 2 is damaged"));
        std::fs::write(&path, "{}\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("no journal"));
    }
}

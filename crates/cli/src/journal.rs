//! What a run changes, written down before it is changed, so that it can be undone: a header and a line of JSON for each
//! change.

use crate::failure::Failure;
use crate::replace::{folder_of, sync_folder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A command's journals.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The command, as in `beitscope tag`. Its journals are `beitscope-COMMAND-N.jsonl` if no name is given.
    pub command: &'static str,
    /// What the header says.
    pub format: &'static str,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    journal: String,
}

/// A journal that is being written.
pub struct Journal {
    kind: Kind,
    wish: Option<PathBuf>,
    open: Option<(PathBuf, File)>,
}

impl Journal {
    /// A journal that becomes a file with its first line: `path`, or the first free name in this folder.
    pub fn new(kind: Kind, path: Option<&Path>) -> Self {
        Self { kind, wish: path.map(Path::to_owned), open: None }
    }

    /// Its file, once there is one.
    pub fn path(&self) -> Option<&Path> {
        self.open.as_ref().map(|(path, _)| path.as_path())
    }

    /// Writes a line and brings it to the disk.
    ///
    /// # Errors
    /// A sentence; then nothing may be changed.
    pub fn write(&mut self, entry: &impl Serialize) -> Result<(), String> {
        let (path, file) = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(create(self.kind, self.wish.as_deref())?),
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
fn create(kind: Kind, wish: Option<&Path>) -> Result<(PathBuf, File), String> {
    let name = |number: u64| PathBuf::from(format!("beitscope-{}-{number}.jsonl", kind.command));
    let mut names = (1..).map(name);
    loop {
        let path = wish.map_or_else(|| names.next().unwrap_or_default(), Path::to_owned);
        let begun = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| {
            line(&mut file, &Header { journal: kind.format.into() })?;
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

/// A path as journals have it, whatever folder they are read in.
///
/// # Errors
/// A sentence.
pub fn absolute(path: &Path) -> Result<String, String> {
    let path = std::path::absolute(path).map_err(|error| format!("Its path can't be told: {error}."))?;
    let text = path.to_str();
    let text = text.ok_or("Its path is no Unicode, so that no journal can name it. Rename its folders.")?;
    Ok(text.to_owned())
}

/// Reads a journal. A line at the end that is not whole is left out: its file was not changed any more.
pub fn read<Entry: DeserializeOwned>(kind: Kind, path: &Path) -> Result<Vec<Entry>, Failure> {
    let fault = |reason: String| Failure::Data(format!("{}: {reason}", path.display()));
    let text = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let mut lines = text.split_inclusive(|&byte| byte == b'\n');
    let header = lines.next().and_then(|line| serde_json::from_slice::<Header>(line).ok());
    if header.is_none_or(|header| header.journal != kind.format) {
        return Err(fault(format!("this is no journal of beitscope {}", kind.command)));
    }
    let whole = (2..).zip(lines).filter(|(_, line)| line.ends_with(b"\n"));
    let entry = |(number, line): (u64, &[u8])| {
        serde_json::from_slice(line).map_err(|error| {
            fault(format!("line {number} is damaged ({error}); without it, the others can be undone"))
        })
    };
    whole.map(entry).collect()
}

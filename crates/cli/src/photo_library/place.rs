//! Where an index is, and which folder its photos are in.

use crate::failure::Failure;
use crate::output::say;
use library::{Index, LibraryError, Opened};
use std::io;
use std::path::{Path, PathBuf};

/// The index in a folder of photos. Hidden, so that file managers show the photos alone.
const NAME: &str = ".beitscope-index";

/// An index and its folder.
pub struct Place {
    pub file: PathBuf,
    /// The folder of the photos, where it is known: an index elsewhere does not say whose it is.
    root: Option<PathBuf>,
}

impl Place {
    /// The index of a folder, which may be kept elsewhere.
    pub fn of_folder(folder: &Path, index: Option<&Path>) -> Self {
        let file = index.map_or_else(|| folder.join(NAME), Path::to_owned);
        Self { file, root: Some(folder.to_owned()) }
    }

    /// What a person names: a folder of photos, or an index.
    pub fn of(path: &Path) -> Self {
        if path.is_dir() {
            return Self::of_folder(path, None);
        }
        let is_in_folder = path.file_name().is_some_and(|name| name == NAME);
        let root = is_in_folder.then(|| path.parent().unwrap_or(Path::new("")).to_owned());
        Self { file: path.to_owned(), root }
    }

    /// The part of the index that one of several processes writes.
    pub fn shard(&self, shard: evaluate::Shard) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(format!(".{}-of-{}", shard.number, shard.of));
        name.into()
    }

    /// Where a photo of the index is, as far as that is known.
    pub fn photo(&self, path: &str) -> PathBuf {
        self.root.as_ref().map_or_else(|| path.into(), |root| root.join(path))
    }

    /// Reads the index.
    ///
    /// # Errors
    /// When there is none: with what to do.
    pub fn read(&self) -> Result<Opened, Failure> {
        let file = self.file.display();
        let bytes = match std::fs::read(&self.file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.missing()),
            Err(error) => return Err(Failure::Data(format!("cannot read {file}: {error}"))),
        };
        library::read(&bytes).map_err(|error| in_file(&self.file, &error))
    }

    /// The index; what is left out at its end is said.
    ///
    /// # Errors
    /// As for [`Place::read`].
    pub fn index(&self) -> Result<Index, Failure> {
        let opened = self.read()?;
        tell_tail(&self.file, &opened);
        Ok(opened.index)
    }

    fn missing(&self) -> Failure {
        let file = self.file.display();
        let folder = self.root.as_deref().unwrap_or(Path::new("FOLDER")).display();
        let parts = self.parts();
        Failure::Data(match parts.is_empty() {
            true => {
                format!("there is no index {file}; make one first: beitscope index --model DIR {folder}")
            }
            false => format!(
                "there is no index {file}, but parts of one are; merge them first: beitscope index {folder} --merge {}",
                parts.join(" ")
            ),
        })
    }

    /// The parts beside it.
    fn parts(&self) -> Vec<String> {
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let name = format!("{}.", self.file.file_name().unwrap_or_default().to_string_lossy());
        let is_part = |path: &PathBuf| {
            let other = path.file_name().unwrap_or_default().to_string_lossy();
            other.strip_prefix(&name).is_some_and(|end| end.contains("-of-") && !end.ends_with(".lock"))
        };
        let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
        let mut parts: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_part).collect();
        parts.sort();
        parts.iter().map(|part| part.display().to_string()).collect()
    }
}

/// Says what is left out at the end of an index.
pub fn tell_tail(file: &Path, opened: &Opened) {
    if let Some(tail) = opened.tail {
        say(&format!("{}: {tail}", file.display()));
    }
}

/// The error of an index, with its file.
pub fn in_file(file: &Path, error: &LibraryError) -> Failure {
    Failure::Data(format!("{}: {error}", file.display()))
}

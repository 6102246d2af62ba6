//! An index file that is being written.

use super::place::{in_file, tell_tail};
use crate::failure::Failure;
use crate::replace;
use library::{Feature, Header, Index, LibraryError, Opened, Photo};
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Less than this that is superfluous is not worth writing the index anew.
const WORTH_COMPACTING: u64 = 1 << 20;

/// An index that this process alone writes.
pub struct Store {
    path: PathBuf,
    file: File,
    pub index: Index,
    superseded_bytes: u64,
    /// A file of its own beside the index, which is replaced as a whole at times.
    _lock: File,
}

impl Store {
    /// Begins an index, or goes on with the one that is there. What is not whole at its end is cut off.
    ///
    /// # Errors
    /// When the file is something else, another model's, or written by another process; it is left as it is then.
    pub fn open(path: &Path, header: &Header) -> Result<Self, Failure> {
        let fault = |error: io::Error| {
            Failure::Data(format!(
                "cannot write the index {}: {error}; choose another file with --index FILE",
                path.display()
            ))
        };
        let lock = lock(path).map_err(|error| error.unwrap_or_else(fault))?;
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(fault(error)),
        };
        let opened = match library::read(&bytes) {
            Ok(opened) => {
                opened.index.header().check_same_model(header).map_err(|error| in_file(path, &error))?;
                opened
            }
            // Nothing, or a beginning that never became one.
            Err(LibraryError::HeaderCutShort) => {
                let index = Index::new(header.clone());
                Opened { index, whole_bytes: 0, superseded_bytes: 0, tail: None }
            }
            Err(error) => return Err(in_file(path, &error)),
        };
        tell_tail(path, &opened);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fault)?;
        file.set_len(opened.whole_bytes).map_err(fault)?;
        file.seek(SeekFrom::End(0)).map_err(fault)?;
        if opened.whole_bytes == 0 {
            let beginning = library::beginning(header).map_err(|error| in_file(path, &error))?;
            file.write_all(&beginning).map_err(fault)?;
        }
        let Opened { index, superseded_bytes, .. } = opened;
        Ok(Self { path: path.to_owned(), file, index, superseded_bytes, _lock: lock })
    }

    /// Adds a photo, on the disk first: a process that is killed loses nothing that was added.
    pub fn add(&mut self, photo: Photo, feature: &Feature) -> Result<(), Failure> {
        let record = library::photo_record(&photo, feature, self.index.header());
        let record = record.map_err(|error| in_file(&self.path, &error))?;
        self.append(&record)?;
        if self.index.by_path(&photo.path).is_some() {
            // About as long as the one that it replaces.
            self.superseded_bytes += record.len() as u64;
        }
        self.index.put(photo, feature).map_err(|error| in_file(&self.path, &error))
    }

    /// Removes a photo.
    pub fn remove(&mut self, path: &str) -> Result<(), Failure> {
        let record = library::removal_record(path);
        self.append(&record)?;
        self.superseded_bytes += record.len() as u64 + self.index.header().width;
        self.index.remove(path);
        Ok(())
    }

    fn append(&mut self, record: &[u8]) -> Result<(), Failure> {
        self.file.write_all(record).map_err(|error| self.fault(&error))
    }

    /// Brings it to the disk; written anew where more than half of it is superfluous.
    pub fn finish(self) -> Result<Index, Failure> {
        self.file.sync_data().map_err(|error| self.fault(&error))?;
        let length = self.file.metadata().map_or(0, |metadata| metadata.len());
        if self.superseded_bytes > WORTH_COMPACTING.max(length / 2) {
            return self.replace();
        }
        Ok(self.index)
    }

    /// Writes it anew as a whole: whoever opens it finds the old or the new one.
    pub fn replace(self) -> Result<Index, Failure> {
        let bytes = library::whole(&self.index).map_err(|error| in_file(&self.path, &error))?;
        let seen = replace::Seen::of(&self.file).map_err(|error| self.fault(&error))?;
        replace::replace(&self.path, &bytes, Some(&seen), None).map_err(Failure::Data)?;
        Ok(self.index)
    }

    fn fault(&self, error: &io::Error) -> Failure {
        let path = self.path.display();
        Failure::Data(format!("cannot write the index {path}: {error}; what is in it stays, run it again"))
    }
}

/// Keeps other processes from writing the same index. An error is a failure, or why the file can't be opened.
fn lock(path: &Path) -> Result<File, Result<Failure, io::Error>> {
    let mut name = path.as_os_str().to_owned();
    name.push(OsString::from(".lock"));
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(name).map_err(Err)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Ok(Failure::Usage(format!(
            "another run is writing {}; wait until it ends, or give each process a part: --shard 1/2, --shard 2/2",
            path.display()
        )))),
        // A file system without locks: then nobody else can be kept out.
        Err(TryLockError::Error(_)) | Ok(()) => Ok(file),
    }
}

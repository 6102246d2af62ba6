//! A file that is fetched into a file: what an interrupted run left is continued, and it gets its name when its hash is
//! the hub's.

use crate::content_hash::ContentHash;
use crate::hasher::Hasher;
use crate::session::Session;
use crate::transfer::{CHUNK_BYTES, Remote, Target, Transfer};
use crate::{Error, Event};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Whether the file at `path` is what the hub has.
///
/// # Errors
/// When it can't be read.
pub fn is_intact(
    path: &Path,
    length: u64,
    hash: &ContentHash,
    notify: &dyn Fn(Event),
) -> Result<bool, Error> {
    let read = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        if file.metadata()?.len() != length {
            return Ok(false);
        }
        let mut hasher = Hasher::new(hash, length);
        let done = hash_start(&mut file, &mut hasher, length, notify)?;
        Ok(done == length && hasher.finish() == hash.hex())
    };
    read().map_err(Error::io("read", path))
}

/// Hashes a file's first `total` bytes and tells how many there were.
fn hash_start(file: &mut File, hasher: &mut Hasher, total: u64, notify: &dyn Fn(Event)) -> io::Result<u64> {
    let mut file = file.take(total);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut done = 0;
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(done);
        }
        hasher.update(&chunk[..count]);
        done += count as u64;
        notify(Event::Checking { done, total });
    }
}

/// Fetches `remote` into `partial`, which may hold the file's beginning, and moves it to `target` when its length and
/// hash are right. Tells how many bytes came over the network.
///
/// # Errors
/// After an interruption or on a full disk `partial` stays for the next run; after a wrong hash it is removed.
pub fn fetch(session: &Session, remote: &Remote, partial: &Path, target: &Path) -> Result<u64, Error> {
    for path in [partial, target] {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        }
    }
    let mut transferred = 0;
    loop {
        let (mut file, hasher, done) = PartialFile::open(session, remote, partial)?;
        let resumed = done > 0;
        let mut transfer = Transfer::new(session, remote, &mut file, hasher, done);
        let result = transfer.run();
        transferred += transfer.transferred;
        result?;
        let got = transfer.finish();
        file.file.sync_all().map_err(Error::io("write", partial))?;
        drop(file);
        if got == remote.hash.hex() {
            fs::rename(partial, target).map_err(Error::io("move the download to", target))?;
            return Ok(transferred);
        }
        fs::remove_file(partial).map_err(Error::io("remove the damaged download", partial))?;
        if !resumed {
            return Err(remote.wrong_hash(session.reference.hub, got));
        }
        // What an earlier run left may be of an older file.
        (session.notify)(Event::Restart);
    }
}

/// A file's beginning on this machine.
struct PartialFile<'a> {
    path: &'a Path,
    file: File,
    /// The variable that names another place, for a message.
    cache_variable: &'static str,
}

impl<'a> PartialFile<'a> {
    /// What an earlier run left, hashed; one that is too long is emptied.
    fn open(session: &Session, remote: &Remote, path: &'a Path) -> Result<(Self, Hasher, u64), Error> {
        let open = File::options().create(true).truncate(false).read(true).write(true).open(path);
        let file = open.map_err(Error::io("write", path))?;
        let mut partial = Self { path, file, cache_variable: session.reference.hub.cache_variable() };
        let mut hasher = Hasher::new(&remote.hash, remote.length);
        let left = partial.file.metadata().map_err(Error::io("read", path))?.len();
        if left > remote.length {
            partial.clear()?;
            return Ok((partial, hasher, 0));
        }
        let done = hash_start(&mut partial.file, &mut hasher, left, session.notify);
        let done = done.map_err(Error::io("read", path))?;
        Ok((partial, hasher, done))
    }
}

impl Target for PartialFile<'_> {
    fn append(&mut self, bytes: &[u8], remote: &Remote, missing: u64) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::NoSpace {
                file: remote.file.clone(),
                path: self.path.parent().unwrap_or(self.path).to_owned(),
                missing,
                variable: self.cache_variable,
            },
            _ => Error::io("write", self.path)(error),
        })
    }

    fn clear(&mut self) -> Result<(), Error> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map(drop).map_err(Error::io("write", self.path))
    }
}

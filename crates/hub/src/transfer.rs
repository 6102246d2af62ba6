//! One file over HTTP: resumed where it stopped, and given out only when its hash is the hub's.

use crate::content_hash::ContentHash;
use crate::hasher::Hasher;
use crate::http::{Method, Reply};
use crate::retry::RetryBudget;
use crate::session::{Session, Subject};
use crate::{Error, Event, urls};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 << 10;
/// An attempt that transferred so much resets the retry budget.
const BYTES_THAT_RESET_RETRIES: u64 = 1 << 20;

/// A file on a hub.
pub struct Remote {
    /// Its path in the repository.
    pub file: String,
    pub url: String,
    pub length: u64,
    pub hash: ContentHash,
}

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
        let mut transfer = Transfer::open(session, remote, partial)?;
        let resumed = transfer.done > 0;
        let result = transfer.run();
        transferred += transfer.transferred;
        result?;
        transfer.file.sync_all().map_err(Error::io("write", partial))?;
        let got = transfer.hasher.finish();
        drop(transfer.file);
        if got == remote.hash.hex() {
            fs::rename(partial, target).map_err(Error::io("move the download to", target))?;
            return Ok(transferred);
        }
        fs::remove_file(partial).map_err(Error::io("remove the damaged download", partial))?;
        if !resumed {
            return Err(Error::Hash {
                hub: session.reference.hub,
                file: remote.file.clone(),
                algorithm: remote.hash.algorithm(),
                expected: remote.hash.hex().to_owned(),
                got,
            });
        }
        // What an earlier run left may be of an older file.
        (session.notify)(Event::Restart);
    }
}

struct Transfer<'a> {
    session: &'a Session<'a>,
    remote: &'a Remote,
    partial: &'a Path,
    file: File,
    hasher: Hasher,
    /// Bytes in the file, all of them hashed.
    done: u64,
    transferred: u64,
    /// The entity tag of the answer that the bytes are of, if it is a strong one.
    tag: Option<String>,
}

impl<'a> Transfer<'a> {
    /// Continues the partial file of an earlier run.
    fn open(session: &'a Session, remote: &'a Remote, partial: &'a Path) -> Result<Self, Error> {
        let open = File::options().create(true).truncate(false).read(true).write(true).open(partial);
        let file = open.map_err(Error::io("write", partial))?;
        let hasher = Hasher::new(&remote.hash, remote.length);
        let mut transfer =
            Self { session, remote, partial, file, hasher, done: 0, transferred: 0, tag: None };
        let left = transfer.file.metadata().map_err(Error::io("read", partial))?.len();
        if left > remote.length {
            transfer.restart()?;
        } else {
            let hashed = hash_start(&mut transfer.file, &mut transfer.hasher, left, session.notify);
            transfer.done = hashed.map_err(Error::io("read", partial))?;
        }
        Ok(transfer)
    }

    /// Requests until all bytes are there or the retry budget is used up.
    fn run(&mut self) -> Result<(), Error> {
        let mut budget = RetryBudget::new(self.session.retries);
        self.report();
        while self.done < self.remote.length {
            let before = self.transferred;
            if let Err(error) = self.attempt() {
                if self.transferred - before >= BYTES_THAT_RESET_RETRIES {
                    budget.reset();
                }
                budget.spend(error, self.session.notify)?;
            }
        }
        Ok(())
    }

    /// One request for the missing bytes.
    fn attempt(&mut self) -> Result<(), Error> {
        let mut headers = Vec::new();
        if self.done > 0 {
            headers.push(("Range", format!("bytes={}-", self.done)));
            if let Some(tag) = &self.tag {
                headers.push(("If-Range", tag.clone()));
            }
        }
        let subject = Subject::File(&self.remote.file);
        let reply = self.session.send(Method::Get, &self.remote.url, &headers, subject)?;
        match reply.status() {
            206 if self.done > 0 => self.check_range(&reply)?,
            200 => {
                // The server knows no ranges, or has another file by now.
                if self.done > 0 {
                    self.restart()?;
                    (self.session.notify)(Event::Restart);
                }
                if let Some(length) = reply.number("content-length") {
                    self.check_length(length)?;
                }
            }
            416 => {
                self.restart()?;
                let host = urls::server(&reply.url);
                return Err(self.interrupted(host, "it has no such part of the file".into()));
            }
            status => return Err(Error::answer(reply.url.as_str(), format!("status {status}"))),
        }
        let tag = reply.header("etag").filter(|tag| tag.starts_with('"'));
        self.tag = tag.map(str::to_owned);
        self.receive(reply)
    }

    /// A part must be the one that was asked for, of a file of the right length.
    fn check_range(&mut self, reply: &Reply) -> Result<(), Error> {
        let header = reply.header("content-range").unwrap_or_default().to_owned();
        let parts = header.trim().strip_prefix("bytes ").and_then(|range| range.split_once('/'));
        let start = parts.and_then(|(range, _)| range.split_once('-')?.0.parse::<u64>().ok());
        if start != Some(self.done) {
            self.restart()?;
            let host = urls::server(&reply.url);
            return Err(self.interrupted(host, format!("it sent the part {header:?}")));
        }
        match parts.and_then(|(_, total)| total.parse().ok()) {
            Some(total) => self.check_length(total),
            None => Ok(()),
        }
    }

    fn check_length(&self, got: u64) -> Result<(), Error> {
        if got == self.remote.length {
            return Ok(());
        }
        let (hub, file) = (self.session.reference.hub, self.remote.file.clone());
        Err(Error::Length { hub, file, expected: self.remote.length, got })
    }

    fn receive(&mut self, reply: Reply) -> Result<(), Error> {
        let host = urls::server(&reply.url);
        let mut body = reply.response.into_body().into_reader();
        let mut chunk = vec![0; CHUNK_BYTES];
        while self.done < self.remote.length {
            let count = match body.read(&mut chunk) {
                Ok(0) => return Err(self.interrupted(host, "the connection was closed".into())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.interrupted(host, error.to_string())),
            };
            let bytes = &chunk[..count];
            if self.done + count as u64 > self.remote.length {
                return self.check_length(self.done + count as u64);
            }
            self.file.write_all(bytes).map_err(|error| self.write_error(error))?;
            self.hasher.update(bytes);
            self.done += count as u64;
            self.transferred += count as u64;
            self.report();
        }
        Ok(())
    }

    /// Discards every byte.
    fn restart(&mut self) -> Result<(), Error> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map_err(Error::io("write", self.partial))?;
        self.hasher = Hasher::new(&self.remote.hash, self.remote.length);
        self.done = 0;
        self.tag = None;
        Ok(())
    }

    fn report(&self) {
        (self.session.notify)(Event::Transfer { done: self.done, total: self.remote.length });
    }

    fn interrupted(&self, host: String, reason: String) -> Error {
        Error::Interrupted { host, got: self.done, expected: self.remote.length, reason }
    }

    fn write_error(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::NoSpace {
                file: self.remote.file.clone(),
                path: self.partial.parent().unwrap_or(self.partial).to_owned(),
                missing: self.remote.length - self.done,
                variable: self.session.reference.hub.cache_variable(),
            },
            _ => Error::io("write", self.partial)(error),
        }
    }
}

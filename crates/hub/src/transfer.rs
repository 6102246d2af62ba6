//! One file over HTTP: resumed where it stopped, its bytes handed on in order and hashed.

use crate::content_hash::ContentHash;
use crate::hasher::Hasher;
use crate::http::{Method, Reply};
use crate::retry::RetryBudget;
use crate::session::{Session, Subject};
use crate::{Error, Event, Hub, urls};
use std::io::{self, Read};

/// Bytes read at a time.
pub const CHUNK_BYTES: usize = 256 << 10;
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

impl Remote {
    /// What came has another hash.
    pub fn wrong_hash(&self, hub: Hub, got: String) -> Error {
        Error::Hash {
            hub,
            file: self.file.clone(),
            algorithm: self.hash.algorithm(),
            expected: self.hash.hex().to_owned(),
            got,
        }
    }
}

/// Where the bytes of a file go.
pub trait Target {
    /// Takes the next bytes; `missing` are still to come, these included.
    fn append(&mut self, bytes: &[u8], remote: &Remote, missing: u64) -> Result<(), Error>;
    /// Discards every byte.
    fn clear(&mut self) -> Result<(), Error>;
}

/// Requests for one file until all of it is there.
pub struct Transfer<'a> {
    session: &'a Session<'a>,
    remote: &'a Remote,
    target: &'a mut dyn Target,
    hasher: Hasher,
    /// Bytes that the target has, all of them hashed.
    done: u64,
    /// How many of them came over the network.
    pub transferred: u64,
    /// The entity tag of the answer that the bytes are of, if it is a strong one.
    tag: Option<String>,
}

impl<'a> Transfer<'a> {
    /// Continues what the target has: `done` bytes, which `hasher` has seen.
    pub fn new(
        session: &'a Session<'a>,
        remote: &'a Remote,
        target: &'a mut dyn Target,
        hasher: Hasher,
        done: u64,
    ) -> Self {
        Self { session, remote, target, hasher, done, transferred: 0, tag: None }
    }

    /// The hash of all bytes, lower-case hexadecimal.
    pub fn finish(self) -> String {
        self.hasher.finish()
    }

    /// Requests until all bytes are there or the retry budget is used up.
    pub fn run(&mut self) -> Result<(), Error> {
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
            self.target.append(bytes, self.remote, self.remote.length - self.done)?;
            self.hasher.update(bytes);
            self.done += count as u64;
            self.transferred += count as u64;
            self.report();
        }
        Ok(())
    }

    /// Discards every byte.
    fn restart(&mut self) -> Result<(), Error> {
        self.target.clear()?;
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
}

//! A dataset in a tar file, plain or compressed by gzip, read without unpacking it.

use super::listing::{Listing, normalized};
use super::read_file::read_photo;
use super::shared_file::SharedFile;
use crate::error::EvaluateError;
use flate2::read::MultiGzDecoder;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use tar::{Archive, Entry, PaxExtensions};

/// Longest record that announces a long name.
const MAX_NAME_BYTES: u64 = 64 << 10;
/// From here on a gzip file's ratio is looked at, and above this ratio it is refused: photos hardly shrink.
const BOMB_BYTES: u64 = 1 << 30;
const BOMB_RATIO: u64 = 100;

pub struct TarTree {
    file: SharedFile,
    gzip: bool,
    pub listing: Listing,
    /// Offset and length of each entry.
    entries: Vec<(u64, u64)>,
}

impl TarTree {
    /// Reads the headers of all entries, which of a gzip file takes reading all of it.
    pub fn open(path: &Path, file: SharedFile, gzip: bool) -> Result<Self, EvaluateError> {
        let mut tree = Self { file: file.clone(), gzip, listing: Listing::default(), entries: Vec::new() };
        let fault = |e: io::Error| EvaluateError::Archive {
            path: path.to_owned(),
            kind: "tar",
            reason: e.to_string(),
        };
        if gzip {
            let compressed = file.length();
            let reader = Bounded { inner: MultiGzDecoder::new(BufReader::new(file)), bytes: 0, compressed };
            let mut archive = Archive::new(reader);
            let entries = archive.entries().map_err(fault)?.raw(true);
            tree.index(path, entries, fault)?;
        } else {
            let mut archive = Archive::new(file);
            let entries = archive.entries_with_seek().map_err(fault)?.raw(true);
            tree.index(path, entries, fault)?;
        }
        Ok(tree)
    }

    fn index<'a, R: Read + 'a>(
        &mut self,
        path: &Path,
        entries: impl Iterator<Item = io::Result<Entry<'a, R>>>,
        fault: impl Fn(io::Error) -> EvaluateError,
    ) -> Result<(), EvaluateError> {
        let mut announced = None;
        for entry in entries {
            let mut entry = entry.map_err(&fault)?;
            self.entries.push((entry.raw_file_position(), entry.size()));
            let kind = entry.header().entry_type();
            if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
                let mut record = Vec::new();
                if entry.size() > MAX_NAME_BYTES {
                    return Err(fault(io::Error::other("it has a name of more than 64 kB")));
                }
                entry.read_to_end(&mut record).map_err(&fault)?;
                let name = if kind.is_gnu_longname() { gnu_name(record) } else { pax_name(&record) };
                announced = name.or(announced);
            } else if kind.is_file() || kind.is_contiguous() {
                let name = announced.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                let name = String::from_utf8_lossy(&name);
                let normalized_name = normalized(&name).ok_or_else(|| EvaluateError::EntryOutside {
                    archive: path.to_owned(),
                    name: name.into_owned(),
                })?;
                self.listing.add(normalized_name, self.entries.len() - 1);
            } else if !kind.is_gnu_longlink() && !kind.is_pax_global_extensions() {
                announced = None; // it was a folder's or a link's
            }
        }
        Ok(())
    }

    /// Whether photos can only be read one after another.
    pub fn in_order(&self) -> bool {
        self.gzip
    }

    /// The bytes of one file, as they come.
    pub fn with<T>(
        &self,
        entry: usize,
        read: impl FnOnce(&mut dyn Read) -> Result<T, String>,
    ) -> Result<T, String> {
        if self.gzip {
            let mut read = Some(read);
            let mut result = Err("The tar file changed while it was read.".to_owned());
            self.stream(&[entry], |_, file| {
                if let Some(read) = read.take() {
                    result = file.and_then(read);
                }
                true
            });
            return result;
        }
        let (at, bytes) = self.entries[entry];
        let mut file = self.file.clone();
        file.seek(SeekFrom::Start(at)).map_err(|e| format!("The file can't be read: {e}."))?;
        read(&mut file.take(bytes))
    }

    pub fn photo(&self, entry: usize) -> Result<Vec<u8>, String> {
        let bytes = self.with(entry, |file| read_photo(file))?;
        match self.entries[entry].1 {
            expected if bytes.len() as u64 == expected => Ok(bytes),
            _ => Err("The tar file ends in the middle of this photo.".into()),
        }
    }

    /// Hands over the entries numbered in `wanted`, which ascends, in one pass, until `each` says to stop.
    pub fn stream(
        &self,
        wanted: &[usize],
        mut each: impl FnMut(usize, Result<&mut dyn Read, String>) -> bool,
    ) {
        let mut file = self.file.clone();
        let mut left = wanted;
        let fault = |e: io::Error| format!("The tar file can't be read: {e}.");
        let mut failed = file.rewind().err().map(fault);
        let mut archive = Archive::new(MultiGzDecoder::new(BufReader::new(file)));
        if let (None, Ok(entries)) = (&failed, archive.entries()) {
            for (number, entry) in entries.raw(true).enumerate() {
                let Some((&next, rest)) = left.split_first() else { return };
                match entry {
                    Ok(mut entry) if number == next => {
                        if !each(number, Ok(&mut entry)) {
                            return;
                        }
                        left = rest;
                    }
                    Ok(_) => {}
                    Err(e) => {
                        failed = Some(fault(e));
                        break;
                    }
                }
            }
        }
        let reason = failed.unwrap_or_else(|| "The tar file changed while it was read.".into());
        for &entry in left {
            if !each(entry, Err(reason.clone())) {
                return;
            }
        }
    }
}

/// GNU's long name: it ends with a zero byte.
fn gnu_name(mut record: Vec<u8>) -> Option<Vec<u8>> {
    record.truncate(record.iter().position(|&byte| byte == 0).unwrap_or(record.len()));
    Some(record)
}

/// The path among POSIX's extended attributes.
fn pax_name(record: &[u8]) -> Option<Vec<u8>> {
    let fields = PaxExtensions::new(record).flatten();
    fields.filter(|field| field.key_bytes() == b"path").last().map(|field| field.value_bytes().to_vec())
}

/// A decompressor that refuses archives that expand too much (decompression bombs).
struct Bounded<R> {
    inner: R,
    bytes: u64,
    compressed: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.bytes += read as u64;
        if self.bytes > BOMB_BYTES.max(self.compressed.saturating_mul(BOMB_RATIO)) {
            return Err(io::Error::other(
                "it grows more than a hundredfold when decompressed, as no photos do",
            ));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_out_of_all_proportion_is_not_read_to_its_end() {
        let mut bomb = Bounded { inner: io::repeat(0).take(4 << 30), bytes: 0, compressed: 4 << 20 };
        let error = io::copy(&mut bomb, &mut io::sink()).unwrap_err();
        assert!(
            error.to_string().contains("hundredfold") && bomb.bytes < BOMB_BYTES + (1 << 20),
            "{}",
            bomb.bytes
        );
        let mut photos = Bounded { inner: io::repeat(0).take(2 << 30), bytes: 0, compressed: 1 << 30 };
        assert_eq!(io::copy(&mut photos, &mut io::sink()).unwrap(), 2 << 30);
    }
}

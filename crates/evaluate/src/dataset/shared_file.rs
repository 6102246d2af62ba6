//! A file that several threads read at different places.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Bytes read at a time when less is asked for.
const BUFFER: usize = 8 << 10;

/// A reader with a place of its own in a file; a clone starts at the same place and moves on its own.
pub struct SharedFile {
    file: Arc<Mutex<File>>,
    bytes: u64,
    at: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
}

impl SharedFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file: Arc::new(Mutex::new(file)), bytes, at: 0, buffer: Vec::new(), buffer_at: 0 })
    }

    /// Length of the file.
    pub fn length(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().map_err(|_| io::Error::other("another reader failed"))?;
        file.seek(SeekFrom::Start(at))?;
        file.read(into)
    }

    fn buffered(&self) -> &[u8] {
        let skip = self.at.checked_sub(self.buffer_at).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.buffer.get(skip..)).unwrap_or_default()
    }
}

impl Clone for SharedFile {
    fn clone(&self) -> Self {
        Self { file: self.file.clone(), bytes: self.bytes, at: self.at, buffer: Vec::new(), buffer_at: 0 }
    }
}

impl Read for SharedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.buffered().is_empty() {
            if into.len() >= BUFFER {
                let read = self.read_at(self.at, into)?;
                self.at += read as u64;
                return Ok(read);
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(BUFFER, 0);
            let read = self.read_at(self.at, &mut buffer)?;
            buffer.truncate(read);
            (self.buffer, self.buffer_at) = (buffer, self.at);
        }
        let read = self.buffered().read(into)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
        };
        self.at =
            target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "before the file's start"))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_read_as_if_each_had_the_file_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..50_000u32).map(|i| (i * 31 % 251) as u8).collect();
        std::fs::write(file.path(), &content).unwrap();
        let mut one = SharedFile::open(file.path()).unwrap();
        let mut two = one.clone();
        let mut at = 0;
        // Lengths below, at and above the buffer's, with a jump of the other reader in between.
        for (step, length) in [1usize, 100, 8191, 8192, 8193, 20_000].into_iter().enumerate() {
            let mut bytes = vec![0; length];
            one.read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, content[at..at + length], "{length}");
            at += length;
            two.seek(SeekFrom::Start(step as u64 * 7000)).unwrap();
            two.read_exact(&mut bytes[..1]).unwrap();
            assert_eq!(bytes[0], content[step * 7000]);
        }
        assert_eq!(two.seek(SeekFrom::End(-1)).unwrap(), 49_999);
        assert_eq!(two.read(&mut [0; 10]).unwrap(), 1);
        assert_eq!(two.read(&mut [0; 10]).unwrap(), 0);
        assert!(two.seek(SeekFrom::Current(-60_000)).is_err());
    }
}

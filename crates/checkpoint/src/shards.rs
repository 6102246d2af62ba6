//! Cuts a file into shards while it is written, hashing each and the whole.

use beit::weights::Shard;
use beit::weights::hexadecimal;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// The pieces of a finished file.
#[derive(Debug)]
pub(crate) struct Shards {
    pub(crate) shards: Vec<Shard>,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Writes `STEM-00001-of-0000N` files of at most `shard_bytes` into a folder. N is known only at the end, so
/// the files are named by [`ShardWriter::finish`].
pub(crate) struct ShardWriter {
    folder: PathBuf,
    shard_bytes: u64,
    done: Vec<(u64, String)>,
    current: Option<Open>,
    whole: Sha256,
    position: u64,
}

struct Open {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl ShardWriter {
    pub(crate) fn new(folder: PathBuf, shard_bytes: u64) -> Self {
        Self { folder, shard_bytes, done: Vec::new(), current: None, whole: Sha256::new(), position: 0 }
    }

    /// Closes the last shard and gives all their names.
    pub(crate) fn finish(mut self, stem: &str) -> io::Result<Shards> {
        self.close()?;
        let count = self.done.len();
        let mut shards = Vec::with_capacity(count);
        for (i, (bytes, sha256)) in self.done.iter().enumerate() {
            let name = format!("{stem}-{:05}-of-{count:05}", i + 1);
            std::fs::rename(self.part(i), self.folder.join(&name))?;
            shards.push(Shard { name, bytes: *bytes, sha256: sha256.clone() });
        }
        Ok(Shards { shards, bytes: self.position, sha256: hexadecimal(&self.whole.finalize()) })
    }

    fn part(&self, i: usize) -> PathBuf {
        self.folder.join(format!("part-{i}"))
    }

    fn close(&mut self) -> io::Result<()> {
        if let Some(Open { file, hash, bytes }) = self.current.take() {
            file.into_inner()?.sync_all()?;
            self.done.push((bytes, hexadecimal(&hash.finalize())));
        }
        Ok(())
    }
}

impl Write for ShardWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.current.as_ref().is_some_and(|open| open.bytes == self.shard_bytes) {
            self.close()?;
        }
        let mut open = match self.current.take() {
            Some(open) => open,
            None => {
                let file = BufWriter::new(File::create_new(self.part(self.done.len()))?);
                Open { file, hash: Sha256::new(), bytes: 0 }
            }
        };
        let room = usize::try_from(self.shard_bytes - open.bytes).unwrap_or(usize::MAX);
        let taken = &bytes[..bytes.len().min(room)];
        open.file.write_all(taken)?;
        open.hash.update(taken);
        open.bytes += taken.len() as u64;
        self.current = Some(open);
        self.whole.update(taken);
        self.position += taken.len() as u64;
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.current.as_mut().map_or(Ok(()), |open| open.file.flush())
    }
}

/// Only the question "where am I": what is written stays written.
impl Seek for ShardWriter {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Current(0) => Ok(self.position),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "a shard writer only goes forward")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_the_file_cut_in_order() {
        let data: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for (shard_bytes, expected) in
            [(300, vec![300, 300, 300, 100]), (500, vec![500, 500]), (5000, vec![1000])]
        {
            let folder = tempfile::tempdir().unwrap();
            let mut writer = ShardWriter::new(folder.path().to_owned(), shard_bytes);
            for piece in data.chunks(7) {
                writer.write_all(piece).unwrap();
            }
            assert_eq!(writer.stream_position().unwrap(), 1000);
            let written = writer.finish("m.gguf").unwrap();
            assert_eq!(written.shards.iter().map(|s| s.bytes).collect::<Vec<_>>(), expected);
            assert_eq!(written.shards[0].name, format!("m.gguf-00001-of-{:05}", expected.len()));
            let mut joined = Vec::new();
            for shard in &written.shards {
                let bytes = std::fs::read(folder.path().join(&shard.name)).unwrap();
                assert_eq!(shard.sha256, hexadecimal(&Sha256::digest(&bytes)));
                joined.extend(bytes);
            }
            assert_eq!(joined, data);
            assert_eq!((written.bytes, written.sha256), (1000, hexadecimal(&Sha256::digest(&data))));
        }
    }

    #[test]
    fn going_back_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = ShardWriter::new(folder.path().to_owned(), 10);
        assert!(writer.seek(SeekFrom::Start(0)).is_err());
    }
}

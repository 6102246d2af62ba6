//! Writing and reading journals. An interrupted run resumes from its journal, and several shards' are merged into one
//! result.

use crate::error::EvaluateError;
use crate::journal_format::{FORMAT, Header, Line};
use crate::shard_results::{InvalidLine, ShardResults};
use serde::Serialize;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The names of 21,841 classes take 1 MB.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A journal that is being written. No other process can write it meanwhile.
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Whether an earlier run was stopped in the middle of a line.
    pub cut_off: bool,
}

impl Journal {
    /// Begins a journal, or goes on with the one that is there: the results so far come with it.
    ///
    /// # Errors
    /// When the file is something else, belongs to another run, or is damaged other than by having been cut off; it
    /// is left as it is then.
    pub fn open(path: &Path, header: &Header) -> Result<(Self, ShardResults), EvaluateError> {
        let fault = |source| EvaluateError::WriteJournal { path: path.to_owned(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut journal = Self { path: path.to_owned(), file: file.map_err(fault)?, cut_off: false };
        match journal.file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(EvaluateError::JournalLocked(path.to_owned()));
            }
            // A file system without locks: then nobody else can be kept out.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let mut results = ShardResults::new(header);
        let mut good = 0;
        if let Some(record) = read(path, &mut journal.file)? {
            if let Some((what, there, here)) = record.header.difference(header) {
                return Err(EvaluateError::OtherJournal { path: path.to_owned(), what, there, here });
            }
            results = record.results;
            good = record.good_bytes;
            journal.cut_off = record.cut_off;
        }
        journal.file.set_len(good).map_err(fault)?;
        journal.file.seek(SeekFrom::End(0)).map_err(fault)?;
        if good == 0 {
            journal.write(header)?;
        }
        Ok((journal, results))
    }

    /// Writes a line, at once: a process that is killed loses nothing that was written.
    pub fn write(&mut self, line: &impl Serialize) -> Result<(), EvaluateError> {
        let mut text = serde_json::to_vec(line).map_err(|e| self.fault(e.into()))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|e| self.fault(e))
    }

    /// Makes sure that it is on the disk.
    pub fn finish(self) -> Result<(), EvaluateError> {
        self.file.sync_data().map_err(|e| self.fault(e))
    }

    fn fault(&self, source: io::Error) -> EvaluateError {
        EvaluateError::WriteJournal { path: self.path.clone(), source }
    }
}

/// What a journal says.
pub struct Record {
    pub header: Header,
    pub results: ShardResults,
    /// Length of the part that is whole.
    good_bytes: u64,
    /// Whether there is something behind that part.
    pub cut_off: bool,
}

/// Reads a journal line by line. Nothing for one that is empty or was cut off in its first line.
///
/// # Errors
/// When it is no journal, or has a damaged line before one that is not.
pub fn read(path: &Path, file: &mut File) -> Result<Option<Record>, EvaluateError> {
    let fault = |source| EvaluateError::ReadJournal { path: path.to_owned(), source };
    let mut lines = Lines { reader: BufReader::new(file), line: Vec::new() };
    let Some(whole) = lines.next().map_err(fault)? else { return Ok(None) };
    let magic = format!("{{\"journal\":\"{FORMAT}\"");
    if !whole && (lines.line.starts_with(magic.as_bytes()) || magic.as_bytes().starts_with(&lines.line)) {
        return Ok(None);
    }
    let header = serde_json::from_slice(&lines.line).ok().filter(|header: &Header| header.journal == FORMAT);
    let header = header.ok_or_else(|| EvaluateError::NotAJournal(path.to_owned()))?;
    let mut record = Record {
        results: ShardResults::new(&header),
        header,
        good_bytes: lines.line.len() as u64,
        cut_off: false,
    };
    let (mut number, mut bad) = (1, None);
    while let Some(whole) = lines.next().map_err(fault)? {
        number += 1;
        let line = serde_json::from_slice::<Line>(&lines.line).ok().filter(|_| whole);
        match (line.map(|line| record.results.record(line)), bad) {
            (Some(Ok(())), None) => record.good_bytes += lines.line.len() as u64,
            (Some(Err(InvalidLine::Repeated(photo))), _) => {
                return Err(EvaluateError::RepeatedPhoto { path: path.to_owned(), line: number, photo });
            }
            (Some(Ok(())), Some(bad)) => {
                return Err(EvaluateError::DamagedLine { path: path.to_owned(), line: bad });
            }
            (Some(Err(InvalidLine::OutOfRange)) | None, _) => bad = bad.or(Some(number)),
        }
    }
    record.cut_off = bad.is_some();
    Ok(Some(record))
}

/// Lines of a bounded length, with the end of line.
struct Lines<'a> {
    reader: BufReader<&'a mut File>,
    line: Vec<u8>,
}

impl Lines<'_> {
    /// Reads the next line: whether it is whole; nothing at the end.
    fn next(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        self.reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line)?;
        Ok((!self.line.is_empty()).then(|| self.line.ends_with(b"\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Identity, Shard};
    use crate::journal_format::{ModelIdentity, Outcome};

    fn header() -> Header {
        let model = ModelIdentity { name: "m".into(), sha256: "ab".into() };
        let classes = vec![(String::new(), "cat".into()), (String::new(), "dog".into())];
        Header::new(model, "cpu", Identity { sha256: "cd".into(), photos: 4 }, Shard::WHOLE, classes)
    }

    fn line(photo: u64) -> Line {
        let outcome = Outcome::Answer { top: vec![1, 0], score: 0.75, calibration: None };
        Line { photo, file: format!("{photo}.jpg"), class: 1, outcome }
    }

    /// A journal of photos 0 and 2.
    fn written(path: &Path) -> Vec<u8> {
        let (mut journal, _) = Journal::open(path, &header()).unwrap();
        journal.write(&line(0)).unwrap();
        journal.write(&line(2)).unwrap();
        journal.finish().unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_journal_cut_off_anywhere_goes_on_from_the_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let bytes = written(&path);
        for length in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let whole = bytes[..length].iter().filter(|&&byte| byte == b'\n').count();
            let (mut journal, results) = Journal::open(&path, &header()).unwrap();
            assert_eq!(results.counts.all.images, whole.saturating_sub(1) as u64, "{length}");
            for photo in [0, 2].into_iter().filter(|&photo| !results.is_answered(photo)) {
                journal.write(&line(photo)).unwrap();
            }
            drop(journal);
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "{length}");
        }
    }

    #[test]
    fn what_is_no_journal_or_another_runs_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let bytes = written(&path);
        let text = String::from_utf8(bytes).unwrap();
        let rows: Vec<&str> = text.split_inclusive('\n').collect();
        let refused = |content: &str| {
            std::fs::write(&path, content).unwrap();
            let error = Journal::open(&path, &header()).err().unwrap().to_string();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            error
        };
        for (content, sentence) in [
            ("my precious notes", "no journal"),
            ("my precious notes\n", "no journal"),
            (&text.replace("evaluate-1", "evaluate-9"), "no journal"),
            (&text.replace("\"ab\"", "\"ff\""), "another model: m (ff…), not m (ab…)"),
            (&text.replace("\"photos\":4", "\"photos\":5"), "another dataset: 5 photos"),
            (&text.replace("1/1", "1/2"), "another shard: 1/2, not 1/1"),
            (
                &text.replace("\"shard\"", "\"calibration\":\"known\",\"shard\""),
                "another purpose: calibration, with logits, not accuracy, without logits",
            ),
            (&text.replace("cpu", "gpu"), "another backend: gpu, not cpu"),
            (&[rows[0], "{\"photo\":\n", rows[2]].concat(), "line 2 is damaged"),
            (&[rows[0], &rows[1].replace("0,", "9,"), rows[2]].concat(), "line 2 is damaged"),
            (&[rows[0], rows[1], rows[1]].concat(), "line 3 answers photo 0 again"),
        ] {
            let error = refused(content);
            assert!(error.contains(sentence), "{sentence}: {error}");
        }
    }

    #[test]
    fn two_runs_never_write_one_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let held = Journal::open(&path, &header()).unwrap();
        let error = Journal::open(&path, &header()).err().unwrap().to_string();
        assert!(error.contains("another run"), "{error}");
        drop(held);
        Journal::open(&path, &header()).unwrap();
    }
}

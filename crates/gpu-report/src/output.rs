//! The files of the report. They are written anew after every stage, so that nothing is lost with the machine; where they
//! can't be written, the whole report goes to the terminal at the end.

use crate::markdown;
use crate::record::Record;
use crate::report::Report;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// In the folder: each record as it came, the report for programs, the report for people.
const LINES: &str = "gpu-report.jsonl";
const JSON: &str = "gpu-report.json";
const MARKDOWN: &str = "gpu-report.md";

/// A folder that may turn out not to be writable.
pub struct Output {
    folder: PathBuf,
    lines: Option<File>,
    /// Of the last attempt to write the report.
    problem: Option<String>,
}

impl Output {
    /// Makes the folder.
    pub fn open(folder: &Path) -> Self {
        let opened = fs::create_dir_all(folder).and_then(|()| File::create(folder.join(LINES)));
        let (lines, problem) = match opened {
            Ok(lines) => (Some(lines), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { folder: folder.into(), lines, problem }
    }

    /// Keeps a record on disk. A failure is not lasting: [`Output::write`] has the record too.
    pub fn append(&mut self, record: &Record) {
        if let (Some(lines), Ok(mut line)) = (&mut self.lines, serde_json::to_vec(record)) {
            line.push(b'\n');
            let _ = lines.write_all(&line);
        }
    }

    /// Writes both files, each whole or not at all.
    pub fn write(&mut self, report: &Report) {
        let json = serde_json::to_vec_pretty(report).map_err(io::Error::from);
        let written = json
            .and_then(|json| self.replace(JSON, &json))
            .and_then(|()| self.replace(MARKDOWN, markdown::render(report).as_bytes()));
        self.problem = written.err().map(|error| error.to_string());
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.folder.join(format!("{name}.part"));
        fs::create_dir_all(&self.folder)?;
        let written =
            fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, self.folder.join(name)));
        if written.is_err() {
            // On a full disk, half a file would only take room.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Why the report is not in the folder; none if it is.
    pub fn problem(&self) -> Option<String> {
        let folder = self.folder.display();
        self.problem.as_ref().map(|problem| {
            format!(
                "the report can't be written to {folder} ({problem}); it is printed below: keep this output"
            )
        })
    }

    /// The Markdown file.
    pub fn markdown(&self) -> PathBuf {
        self.folder.join(MARKDOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_and_lines_come_as_they_are_measured() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/deep");
        let mut output = Output::open(&folder);
        output.append(&Record::Note { text: "a".into() });
        assert_eq!(fs::read_to_string(folder.join(LINES)).unwrap(), "{\"record\":\"note\",\"text\":\"a\"}\n");
        output.write(&Report { program: "one".into(), ..Report::default() });
        output.write(&Report { program: "two".into(), ..Report::default() });
        assert_eq!(output.problem(), None);
        assert!(fs::read_to_string(folder.join(JSON)).unwrap().contains("\"program\": \"two\""));
        assert!(fs::read_to_string(folder.join(MARKDOWN)).unwrap().starts_with("# GPU report of two"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "nothing temporary stays");
    }

    #[test]
    fn a_folder_that_can_not_be_is_a_problem_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let mut output = Output::open(&file.join("below"));
        output.append(&Record::Note { text: "a".into() });
        output.write(&Report::default());
        assert!(output.problem().unwrap().contains("can't be written"));
        // Room was made meanwhile.
        fs::remove_file(&file).unwrap();
        output.write(&Report::default());
        assert_eq!(output.problem(), None);
    }
}

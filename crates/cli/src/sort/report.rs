//! What is told of each photo.

use super::entry::How;
use crate::failure::Failure;
use crate::output::{json, say};
use beit::labels::Label;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What became of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Moved,
    Copied,
    Linked,
    WouldBeMoved,
    WouldBeCopied,
    WouldBeLinked,
    /// It is there already.
    Unchanged,
}

impl Status {
    pub fn of(how: How, dry_run: bool) -> Self {
        match (how, dry_run) {
            (How::Move, false) => Self::Moved,
            (How::Copy, false) => Self::Copied,
            (How::HardLink, false) => Self::Linked,
            (How::Move, true) => Self::WouldBeMoved,
            (How::Copy, true) => Self::WouldBeCopied,
            (How::HardLink, true) => Self::WouldBeLinked,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Copied => "copied",
            Self::Linked => "linked",
            Self::WouldBeMoved => "would be moved",
            Self::WouldBeCopied => "would be copied",
            Self::WouldBeLinked => "would be linked",
            Self::Unchanged => "there already",
        }
    }
}

/// A photo's line.
pub struct Line {
    pub to: String,
    pub status: Status,
    /// What its folder is for; none where nothing is likely enough.
    pub label: Option<Label>,
    pub score: Option<f32>,
}

#[derive(Serialize)]
struct Told<'a> {
    file: &'a str,
    status: Status,
    to: &'a str,
    wnid: Option<&'a str>,
    label: Option<&'a str>,
    label_zh: Option<&'a str>,
    score: Option<f32>,
}

/// Tells of a photo.
pub fn photo(file: &str, line: &Line, as_json: bool) -> Result<(), Failure> {
    let Line { to, status, label, score } = line;
    if as_json {
        let label = label.as_ref();
        return json(&Told {
            file,
            status: *status,
            to,
            wnid: label.map(|label| label.wnid.as_str()),
            label: label.map(|label| label.en.as_str()),
            label_zh: label.map(|label| label.zh.as_str()),
            score: *score,
        });
    }
    say(&format!("{file} → {to}  ({})", status.words()));
    Ok(())
}

/// The folders that a dry run would fill.
#[derive(Default)]
pub struct Tree {
    folders: BTreeMap<String, Vec<String>>,
}

impl Tree {
    pub fn add(&mut self, line: &Line) {
        let to = Path::new(&line.to);
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let folder = part(to.parent().map(Path::as_os_str));
        let note = if line.status == Status::Unchanged { "  (there already)" } else { "" };
        self.folders.entry(folder).or_default().push(format!("{}{note}", part(to.file_name())));
    }

    pub fn print(&self) {
        for (folder, files) in &self.folders {
            say(&format!("{folder}  ({})", files.len()));
            files.iter().for_each(|file| say(&format!("  {file}")));
        }
    }
}

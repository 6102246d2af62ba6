//! What is told of each photo.

use super::answers::Answers;
use super::plan::{Place, Plan};
use crate::failure::Failure;
use crate::output::{json_of, say};
use keywords::Keywords;
use serde::Serialize;

/// What became of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Tagged,
    /// With `--dry-run`.
    WouldBeTagged,
    /// It has these keywords already, or there are none to write.
    Unchanged,
}

/// A photo's line.
#[derive(Serialize)]
pub struct Record {
    pub status: Status,
    answers: Vec<Answer>,
    /// `photo` or `sidecar`.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'static str>,
    /// The file that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<Lists>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Lists>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    wnid: String,
    label: String,
    label_zh: String,
    /// Softmax probability, 0 to 1.
    score: f32,
}

/// Keywords under the names of their properties.
#[derive(Serialize)]
struct Lists {
    subject: Vec<String>,
    #[serde(rename = "hierarchicalSubject")]
    hierarchical_subject: Vec<String>,
}

impl From<&Keywords> for Lists {
    fn from(keywords: &Keywords) -> Self {
        Self { subject: keywords.subjects.clone(), hierarchical_subject: keywords.paths.clone() }
    }
}

impl Record {
    /// For a photo that does not change.
    pub fn new(answers: &Answers) -> Self {
        let answer = |(label, score): &(beit::labels::Label, f32)| Answer {
            wnid: label.wnid.clone(),
            label: label.en.clone(),
            label_zh: label.zh.clone(),
            score: *score,
        };
        Self {
            status: Status::Unchanged,
            answers: answers.named.iter().map(answer).collect(),
            place: None,
            written: None,
            added: None,
            removed: None,
            note: None,
            journal: None,
        }
    }

    /// For one that would change.
    pub fn plan(&mut self, plan: &Plan) {
        self.status = Status::WouldBeTagged;
        self.place = Some(match plan.place {
            Place::Photo => "photo",
            Place::Sidecar => "sidecar",
        });
        self.written = Some(plan.path.display().to_string());
        self.added = Some(Lists::from(&plan.change.added));
        self.removed = Some(Lists::from(&plan.change.removed));
        self.note = plan.note.clone();
    }
}

/// Tells of a photo.
pub fn photo(file: &str, record: &Record, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return json_of(file, record);
    }
    let status = match record.status {
        Status::Tagged => "",
        Status::WouldBeTagged => "  (would change)",
        Status::Unchanged => "  (unchanged)",
    };
    say(&format!("{file}{status}"));
    for (sign, lists) in [('+', &record.added), ('-', &record.removed)] {
        for path in lists.iter().flat_map(|lists| &lists.hierarchical_subject) {
            say(&format!("  {sign} {path}"));
        }
    }
    if let (Some("sidecar"), Some(written)) = (record.place, &record.written) {
        say(&format!("  in {written}"));
    }
    if let Some(note) = &record.note {
        say(&format!("  {note}"));
    }
    Ok(())
}

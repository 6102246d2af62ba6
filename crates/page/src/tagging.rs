//! Keywords that are written into photos: what the dialog knows, and what can happen to it.
//!
//! ```text
//! Closed ─▶ Naming: what the answers are of ─▶ Planning, a photo at a time ─▶ Planned: the list of what would change
//!              ▲                                                                  │ ▲
//!              └── another threshold, language, folder ──────────────────────────┤ │
//!                                        Working: zip, folder or undo ◀──────────┘ └── Finished
//! ```
//! Files, and the bytes that change, stay with whoever does the effects.

mod names;
pub mod text;

pub use names::zip_names;

use crate::photo::PhotoId;
use protocol::keywords::{
    KeywordLanguage, NamedAnswer, NotEmbedded, NotMerged, Place, PlanOutcome, VocabularyFault, WriterRequest,
};
use std::rc::Rc;

/// The least probabilities that the page offers, in percent. An answer has at most ten classes of 10 % or more, and as
/// many are known ([`LISTED_CLASSES`](crate::photo::LISTED_CLASSES)).
pub const THRESHOLDS: [u8; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];

/// As `beitscope tag` has it.
pub const DEFAULT_THRESHOLD: u8 = 30;

/// The dialog.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tagging {
    pub stage: TagStage,
    pub rules: TagRules,
    pub target: TagTarget,
    /// The visitor's own keywords; the model's names if none.
    pub vocabulary: Option<Vocabulary>,
    /// The file that was chosen last, and why it can't be used.
    pub refused_vocabulary: Option<(Rc<str>, VocabularyRefusal)>,
    /// Photos without an answer of the model in use when the dialog was opened, or with one of a part of the picture.
    pub without_answer: usize,
    /// The browser can write into folders.
    pub can_write: bool,
    /// What becomes of each photo, in the order of the page, once all of it is planned.
    pub rows: Rc<[Row]>,
    /// What was written on this page and can be undone, in order.
    pub written: Vec<Written>,
    /// What comes for an earlier number is of no interest.
    pub(crate) run: u64,
    /// The photos that are looked at, with their answers.
    pub(crate) photos: Rc<[Candidate]>,
    /// What becomes of the first of them, while that is planned.
    pub(crate) planned: Vec<Row>,
    /// The file that is being written. It is even when the dialog is closed meanwhile.
    pub(crate) in_hand: Option<InHand>,
}

impl Tagging {
    /// How many photos were looked at, of how many.
    pub fn progress(&self) -> (usize, usize) {
        (self.planned.len(), self.photos.len())
    }
}

/// Which answers become keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagRules {
    /// Answers of at least so many percent: one of [`THRESHOLDS`].
    pub threshold: u8,
    pub language: KeywordLanguage,
}

impl Default for TagRules {
    fn default() -> Self {
        Self { threshold: DEFAULT_THRESHOLD, language: KeywordLanguage::English }
    }
}

impl TagRules {
    /// From 0 to 1.
    pub fn probability(self) -> f32 {
        f32::from(self.threshold) / 100.0
    }
}

/// The visitor's own keywords for classes and kinds: a file, as `beitscope tag --vocabulary` takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    /// The file's name.
    pub file: Rc<str>,
    pub text: Rc<str>,
    /// What has an entry.
    pub(crate) classes: Vec<String>,
    /// Of that, what the model does not know, once the worker has said it.
    pub unknown: Vec<String>,
}

/// A vocabulary is at most so many bytes long: a line for each of the 21,841 classes has room.
pub const LONGEST_VOCABULARY: u64 = 4 << 20;

/// Why a file can't be used as a vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub enum VocabularyRefusal {
    /// It could not be read, or is longer than [`LONGEST_VOCABULARY`].
    Unreadable,
    /// It is no text in UTF-8.
    NoText,
    /// A line is wrong.
    Fault(VocabularyFault),
    /// The module that reads vocabularies could not be run, for this reason.
    NoWriter(String),
}

/// Where changed files go.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TagTarget {
    /// Into a zip file that is downloaded.
    #[default]
    Zip,
    /// Into the folder of this name, which the visitor has chosen.
    Folder(Rc<str>),
}

/// Where the dialog stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TagStage {
    #[default]
    Closed,
    /// The worker is asked what the answers are of.
    Naming,
    /// Photos are read, one after another.
    Planning,
    /// All of them are.
    Planned,
    /// Files are written.
    Working(Work),
    /// They were, all of them or until the visitor stopped.
    Finished(Work),
    /// There is no model that could say what its answers are of.
    NoModel,
}

/// Files being written, or that were.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    pub task: Task,
    /// Files to write.
    pub total: usize,
    pub done: usize,
    /// What could not be written, by name.
    pub failed: Vec<(Rc<str>, Refusal)>,
    pub stopped: bool,
}

impl Work {
    pub(crate) fn begin(task: Task, total: usize) -> Self {
        Self { task, total, done: 0, failed: Vec::new(), stopped: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Put them into a zip file.
    Zip,
    /// Write them into the folder.
    Write,
    /// Restore what was written.
    Undo,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its run and its photo, by which whoever does the effects knows what it was.
    pub key: (u64, PhotoId),
    pub name: Rc<str>,
}

/// A file that is being written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InHand {
    /// The number of the run, and the photo.
    pub run: u64,
    pub id: PhotoId,
    pub task: Task,
    pub file: Written,
}

/// A photo that may get keywords.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub id: PhotoId,
    pub name: Rc<str>,
    /// Length and SHA-256 of its file when it was answered.
    pub bytes: u64,
    pub sha256: String,
    /// Its classes by index, best first, and its kind, with probabilities; none where it shows none of them.
    pub classes: Vec<(usize, f32)>,
    pub kind: Option<(String, f32)>,
    /// The same with their names, once the worker has said them.
    pub named: Vec<NamedAnswer>,
    pub named_kind: Option<NamedAnswer>,
}

/// What becomes of a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: PhotoId,
    pub name: Rc<str>,
    pub outcome: RowOutcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RowOutcome {
    /// A file is written.
    Change { place: Place, note: Option<NotEmbedded>, added: Vec<String>, removed: Vec<String> },
    /// It has these keywords already.
    Unchanged,
    /// No answer is likely enough.
    NoKeyword,
    /// It can't be done.
    Refused(Refusal),
}

impl Row {
    pub fn is_change(&self) -> bool {
        matches!(self.outcome, RowOutcome::Change { .. })
    }
}

/// Why a photo, or a sidecar, is left alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Its sidecar can't be merged with.
    Sidecar(NotMerged),
    /// The file could not be read.
    Unreadable,
    /// It is another file than the one that was answered, or listed.
    Changed,
    /// The folder has no such file.
    NotInFolder,
    /// The browser has not written it, for this reason.
    NotWritten(String),
    /// The module that writes keywords could not be run, for this reason.
    NoWriter(String),
}

/// What can happen to the dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum TagAction {
    /// The visitor wants it; whether the browser can write into folders.
    Open {
        can_write: bool,
    },
    Close,
    SetThreshold(u8),
    SetLanguage(KeywordLanguage),
    /// The visitor has chosen a file with own keywords: its text, and the classes that it has entries for.
    VocabularyRead {
        file: Rc<str>,
        result: Result<(Rc<str>, Vec<String>), VocabularyRefusal>,
    },
    /// The model's names after all.
    DropVocabulary,
    /// The visitor wants to choose a folder to write into.
    PickFolder,
    /// The folder of this name was chosen.
    FolderPicked(Rc<str>),
    /// Put the files into a zip file after all.
    UseZip,
    /// What becomes of a photo.
    Planned {
        run: u64,
        id: PhotoId,
        outcome: Result<PlanOutcome, Refusal>,
    },
    /// Write what is listed.
    Start,
    /// A file was put into the zip file, written or restored, or was not.
    Stepped {
        run: u64,
        id: PhotoId,
        result: Result<(), Refusal>,
    },
    /// The visitor does not want to wait for the rest.
    Stop,
    /// List what would change now.
    ListAgain,
    /// Restore what was written.
    Undo,
}

/// What the dialog asks of the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum TagEffect {
    /// Ask the worker what these are of, and which names it does not know.
    NamePaths { run: u64, classes: Vec<usize>, kinds: Vec<String>, names: Vec<String> },
    /// Forget what was planned.
    Forget,
    /// Find out how the photo's file, or its sidecar, changes, and keep that. The photo is to have this length and hash.
    /// In a folder its file is the one of this name. Answered by [`TagAction::Planned`].
    Plan { run: u64, id: PhotoId, name: Rc<str>, bytes: u64, sha256: String, request: Box<WriterRequest> },
    /// Let the visitor choose a folder.
    PickFolder,
    /// Forget the folder.
    LeaveFolder,
    /// Begin a zip file.
    BeginZip,
    /// Put what was planned for a photo into it. Answered by [`TagAction::Stepped`], as the next ones.
    AddToZip { run: u64, id: PhotoId },
    /// Save it.
    SaveZip,
    /// Write what was planned for a photo into the folder.
    Write { run: u64, id: PhotoId },
    /// Restore what was written for a photo in a run; answered with the number of this one.
    Undo { run: u64, key: (u64, PhotoId) },
}

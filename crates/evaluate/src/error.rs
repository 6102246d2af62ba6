//! What can go wrong in an evaluation.

use std::io;
use std::path::PathBuf;

/// Why an evaluation could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum EvaluateError {
    #[error("cannot open {}: {source}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot list {}: {source}", .path.display())]
    List { path: PathBuf, source: io::Error },
    #[error("{}: more than {most} folders in each other; is there a link that leads back to where it is?", .path.display())]
    TooDeep { path: PathBuf, most: usize },
    #[error("{}: expected a folder, a zip file, or a tar file as it is or compressed by gzip", .0.display())]
    UnknownArchive(PathBuf),
    #[error("{}: this {kind} file can't be read: {reason}", .path.display())]
    Archive { path: PathBuf, kind: &'static str, reason: String },
    #[error(
        "{}: the entry {name:?} leads outside of the archive, which is a trick or a fault; make the archive anew",
        .archive.display()
    )]
    EntryOutside { archive: PathBuf, name: String },
    #[error("{}: expected a folder; unpack it first", .0.display())]
    NotAFolder(PathBuf),
    #[error(
        "{0}: expected folders of photos named by WordNet id (such as n02123045), or photos with a label file \
         (labels.json, LOC_val_solution.csv, val_annotations.txt or any other by --labels), got neither"
    )]
    NotADataset(String),
    #[error("cannot read {}: {source}", .path.display())]
    ReadLabels { path: PathBuf, source: io::Error },
    #[error("{file}: {reason}")]
    Labels { file: String, reason: String },
    /// `named` lists the first of them.
    #[error("{dataset}: the model lacks {count} of the classes: {named}")]
    MissingClasses { dataset: String, count: usize, named: String },

    #[error("cannot start {threads} threads: {reason}")]
    Threads { threads: usize, reason: String },
    /// The network's own sentence.
    #[error("{0}")]
    Network(String),
    #[error("the model has more outputs than class names")]
    MoreOutputsThanClasses,
    #[error("photo {0} was answered twice")]
    AnsweredTwice(u64),

    #[error("cannot read the journal {}: {source}", .path.display())]
    ReadJournal { path: PathBuf, source: io::Error },
    #[error("cannot write the journal {}: {source}", .path.display())]
    WriteJournal { path: PathBuf, source: io::Error },
    #[error("{}: another run writes this journal just now", .0.display())]
    JournalLocked(PathBuf),
    #[error(
        "{} is the journal of another {what}: {there}, not {here}; name another file, or delete this one",
        .path.display()
    )]
    OtherJournal { path: PathBuf, what: &'static str, there: String, here: String },
    #[error(
        "{} is no journal of beitscope evaluate: name another file; this one is left as it is",
        .0.display()
    )]
    NotAJournal(PathBuf),
    #[error("{}: line {line} answers photo {photo} again; delete the file and run anew", .path.display())]
    RepeatedPhoto { path: PathBuf, line: usize, photo: u64 },
    #[error(
        "{}: line {line} is damaged; delete the file and run anew, or restore it from a copy",
        .path.display()
    )]
    DamagedLine { path: PathBuf, line: usize },

    #[error(
        "a calibration needs at least {least} {what}, half of them to fit and half to measure, and got {got}: give more \
         (copies of one photo are in one half)"
    )]
    TooFewToCalibrate { what: &'static str, got: usize, least: usize },
    #[error(
        "no temperature fits: the right class is always first, or hardly ever; give photos that the model has not been \
         trained on, with the right labels"
    )]
    NoTemperature,
    #[error(
        "photos are both in DATASET and in --outliers ({count} of them), such as the one with SHA-256 {sha256}: take them \
         out of one of the two"
    )]
    KnownOutliers { count: usize, sha256: String },
    /// `named` lists the first of them.
    #[error(
        "{place} holds photos of classes that the model knows ({count} of them), by their folders' or files' names: \
         {named}; take them out, outliers show none of the classes"
    )]
    OutliersOfClasses { place: String, count: u64, named: String },
    #[error("{0}: there are no photos in it")]
    NoPhotos(String),
    #[error(
        "the temperature {temperature} makes the right classes of photos that it was not fitted on less likely (mean \
         −ln p {before:.4} before, {after:.4} after), so it was not written: give more photos, like those that the model \
         will see"
    )]
    WorseTemperature { temperature: f64, before: f64, after: f64 },
    #[error(
        "the score tells outliers that it was not fitted on no better than chance (AUROC {auroc:.4}), so nothing was \
         written: a threshold would be wrong as often as right; without --outliers the temperature alone is written"
    )]
    UselessThreshold { auroc: f64 },

    #[error("give the journals to merge")]
    NoJournals,
    #[error("{}: this is the journal of photos that show none of the classes, which have no accuracy", .0.display())]
    JournalOfOutliers(PathBuf),
    #[error("{}: nothing is in it; run its command again", .0.display())]
    EmptyJournal(PathBuf),
    #[error(
        "{}: {remaining} of the shard's {photos} photos are not done{}; run its command again, it goes on",
        .path.display(),
        if *.cut_off { ", and its end is damaged" } else { "" }
    )]
    Unfinished { path: PathBuf, remaining: u64, photos: u64, cut_off: bool },
    #[error("{} and {} are both shard {shard}; give each once", .first.display(), .second.display())]
    SameShard { first: PathBuf, second: PathBuf, shard: String },
    #[error("{} and {} are of different {what}; give one run's journals", .first.display(), .second.display())]
    OtherRun { first: PathBuf, second: PathBuf, what: &'static str },
    /// `named` lists the first of them.
    #[error("{missing} of {of} shards are missing: {named}")]
    MissingShards { missing: u64, of: u64, named: String },

    #[error("--report {}: expected a name that ends in .json, .csv or .html", .0.display())]
    ReportName(PathBuf),
    #[error("--report {}: there is no such folder", .0.display())]
    ReportFolder(PathBuf),
    #[error("cannot write {}: {source}", .path.display())]
    WriteReport { path: PathBuf, source: io::Error },
}

impl EvaluateError {
    /// Whether the request is at fault, not the data.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Threads { .. }
                | Self::JournalLocked(_)
                | Self::OtherJournal { .. }
                | Self::NotAJournal(_)
                | Self::NoJournals
                | Self::JournalOfOutliers(_)
                | Self::SameShard { .. }
                | Self::OtherRun { .. }
                | Self::ReportName(_)
                | Self::ReportFolder(_)
        )
    }
}

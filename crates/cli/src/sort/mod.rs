//! `beitscope sort`: photos into folders by what is on them.

mod carry;
mod entry;
mod names;
mod report;
mod target;
mod undo;

use crate::engine::{self, Engine};
use crate::failure::Failure;
use crate::journal::Journal;
use crate::output::{failure, say, wants_json};
use crate::photos;
use crate::progress_meter::Meter;
use crate::replace::{self, Seen};
use crate::running::Running;
use beit::decode::Photo;
use carry::carry;
use clap::{Args, ValueEnum};
use codecs::decode_photo;
use entry::{Entry, How, KIND};
use report::{Line, Status};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use target::Targets;

#[derive(Args)]
pub struct Arguments {
    /// Folder of a converted model, or its manifest.json
    #[arg(long, value_name = "DIR", required_unless_present = "undo")]
    model: Option<PathBuf>,
    /// The folder to make the folders in
    #[arg(long, value_name = "DIR", required_unless_present = "undo")]
    into: Option<PathBuf>,
    /// What folders are for
    #[arg(long, value_enum, default_value = "class")]
    by: By,
    /// Language of the folders' names
    #[arg(long, value_enum, default_value = "en")]
    language: Language,
    /// Photos whose likeliest class, or kind, is less likely go into a folder of their own: "not sure"
    #[arg(long, default_value = "0.3", value_name = "P", value_parser = crate::tag::threshold)]
    least: f32,
    /// Take the photos away from where they are
    #[arg(long = "move", conflicts_with_all = ["copy", "hard_link"])]
    moves: bool,
    /// Leave the photos where they are too; so it is if nothing else is asked for
    #[arg(long, conflicts_with = "hard_link")]
    copy: bool,
    /// Give the same files a further name, without taking space; within one disk
    #[arg(long)]
    hard_link: bool,
    /// Print the tree of folders that would be, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Where to write down what is changed; beitscope-sort-N.jsonl in this folder if not given
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    journal: Option<PathBuf>,
    /// Undo what a run with this journal has done
    #[arg(long, value_name = "JOURNAL", conflicts_with_all = ["photos", "model", "into", "journal"])]
    undo: Option<PathBuf>,
    /// Print JSON even to a terminal: one object a photo, one line each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
    /// Photos, and folders of photos with the folders in them
    #[arg(required_unless_present = "undo", value_name = "PHOTO|FOLDER")]
    photos: Vec<PathBuf>,
}

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// A class, such as "tabby"; a kind where no class is likely enough
    Class,
    /// The narrowest kind of things, by WordNet, such as "domestic cat"
    Kind,
}

/// In which language folders are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// Chinese, and English for what has no Chinese name
    Zh,
}

impl Arguments {
    fn how(&self) -> How {
        match (self.moves, self.hard_link) {
            (true, _) => How::Move,
            (_, true) => How::HardLink,
            _ => How::Copy,
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(journal) = &arguments.undo {
        return undo::run(journal, arguments.dry_run, arguments.json);
    }
    let (Some(model), Some(into)) = (&arguments.model, &arguments.into) else {
        return Err(Failure::Usage("--model and --into are needed".into()));
    };
    let photos = beside(photos::find(&arguments.photos)?, into);
    engine::pool(arguments.running.threads())?.install(|| {
        let engine = Engine::load(model, arguments.running.backend)?;
        engine.warm_up()?;
        let journal = Journal::new(KIND, arguments.journal.as_deref());
        let targets = Targets::new(into);
        Sorter { arguments, engine, journal, targets, tidied: HashSet::new() }.sort(&photos)
    })
}

/// The photos that are not in the folder already that they go into.
fn beside(mut photos: Vec<PathBuf>, into: &Path) -> Vec<PathBuf> {
    let Ok(into) = into.canonicalize() else { return photos };
    let all = photos.len();
    photos.retain(|photo| !photo.canonicalize().is_ok_and(|photo| photo.starts_with(&into)));
    if photos.len() < all {
        say(&format!("note: {} photos are in {} already and stay there", all - photos.len(), into.display()));
    }
    photos
}

/// What a run has.
struct Sorter<'a> {
    arguments: &'a Arguments,
    engine: Engine,
    journal: Journal,
    targets: Targets,
    /// Folders without files that killed processes have left.
    tidied: HashSet<PathBuf>,
}

impl Sorter<'_> {
    fn sort(mut self, photos: &[PathBuf]) -> Result<(), Failure> {
        let dry_run = self.arguments.dry_run;
        let as_json = wants_json(self.arguments.json);
        let meter = (as_json || dry_run).then(|| Meter::new("photos", photos.len()));
        let (mut done, mut unchanged, mut failed) = (0u64, 0u64, 0u64);
        let mut tree = report::Tree::default();
        for path in photos {
            let file = path.display().to_string();
            match self.sort_one(path) {
                Ok(line) => {
                    match line.status {
                        Status::Unchanged => unchanged += 1,
                        _ => done += 1,
                    }
                    match dry_run && !as_json {
                        true => tree.add(&line),
                        false => report::photo(&file, &line, as_json)?,
                    }
                }
                Err(error) => {
                    failed += 1;
                    failure(&file, &error, as_json)?;
                }
            }
            meter.iter().for_each(Meter::step);
        }
        meter.iter().for_each(Meter::finish);
        tree.print();
        let verb = Status::of(self.arguments.how(), dry_run).words();
        say(&format!("{done} {verb}, {unchanged} unchanged, {failed} failed"));
        if let Some(journal) = self.journal.path() {
            say(&format!("to undo: beitscope sort --undo {}", journal.display()));
        }
        match failed {
            0 => Ok(()),
            n => Err(Failure::Data(format!("{n} of {} photos could not be sorted", photos.len()))),
        }
    }

    /// Puts one photo where it belongs.
    ///
    /// # Errors
    /// A sentence for the person whose photo it is; it is where it was then.
    fn sort_one(&mut self, path: &Path) -> Result<Line, String> {
        let how = self.arguments.how();
        if how == How::Move && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(
                "It is a link, which may lead nowhere once it is moved. Sort the file it leads to.".into()
            );
        }
        let (seen, bytes) = Seen::read(path).map_err(|error| format!("The file can't be read: {error}."))?;
        let photo = decode_photo(&bytes).and_then(Photo::whole).map_err(|error| error.to_string())?;
        let logits = self.engine.logits(&photo)?.values;
        drop(photo);
        let (by, language) = (self.arguments.by, self.arguments.language);
        let named = names::folder(&self.engine, &logits, by, language, self.arguments.least);
        let sidecar = sidecar(path);
        let target = self.targets.choose(&named.folder, path, &bytes, how, sidecar.is_some())?;
        let status = match target.is_there {
            true => Status::Unchanged,
            false => Status::of(how, self.arguments.dry_run),
        };
        let line =
            Line { to: target.file.display().to_string(), status, label: named.label, score: named.score };
        if status == Status::Unchanged || self.arguments.dry_run {
            return Ok(line);
        }
        let made = target::make_folder(&target.folder)?;
        if self.tidied.insert(target.folder.clone()) {
            replace::remove_stale(&target.folder);
        }
        self.journal.write(&Entry::new(path, &target.file, &bytes, how, made)?)?;
        carry(path, &target.file, &seen, &bytes, how)?;
        if let Some(sidecar) = sidecar {
            let (seen, bytes) =
                Seen::read(&sidecar).map_err(|error| format!("Its sidecar can't be read: {error}."))?;
            let to = target::sidecar_of(&target.file)?;
            self.journal.write(&Entry::new(&sidecar, &to, &bytes, how, Vec::new())?)?;
            carry(&sidecar, &to, &seen, &bytes, how)?;
        }
        Ok(line)
    }
}

/// The file of keywords beside a photo, where there is one: it belongs to it.
fn sidecar(photo: &Path) -> Option<PathBuf> {
    target::sidecar_of(photo).ok().filter(|sidecar| sidecar.is_file())
}

//! `beitscope tag`: what is on photos, as keywords in them or beside them.

mod answers;
mod journal;
mod plan;
mod report;
mod undo;

use crate::engine::{self, Engine};
use crate::failure::Failure;
use crate::journal::Journal;
use crate::output::{failure, say, wants_json};
use crate::photos;
use crate::progress_meter::Meter;
use crate::replace::{self, Seen};
use crate::running::Running;
use answers::answers;
use beit::classes::unknown_names;
use beit::decode::Photo;
use clap::{Args, ValueEnum};
use codecs::decode_photo;
use journal::Entry;
use keywords::{Language, Rules, Vocabulary};
use plan::{Place, Plan, plan};
use report::{Record, Status};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Arguments {
    /// Folder of a converted model, or its manifest.json
    #[arg(long, value_name = "DIR", required_unless_present = "undo")]
    model: Option<PathBuf>,
    /// Classes of at least this probability become keywords
    #[arg(long, default_value = "0.3", value_name = "P", value_parser = threshold)]
    threshold: f32,
    /// Language of the keywords
    #[arg(long, value_enum, default_value = "en")]
    language: Names,
    /// Whether keywords go into PHOTO.xmp beside the photo
    #[arg(long, value_enum, default_value = "auto")]
    sidecar: Sidecar,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Keywords of your own: lines of a class, a tab, and its keywords, each after a tab
    #[arg(long, value_name = "FILE")]
    vocabulary: Option<PathBuf>,
    /// Where to write down what is changed; beitscope-tag-N.jsonl in this folder if not given
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    journal: Option<PathBuf>,
    /// Restore the photos that a run with this journal has changed
    #[arg(long, value_name = "JOURNAL", conflicts_with_all = ["photos", "model", "journal", "vocabulary"])]
    undo: Option<PathBuf>,
    /// Print JSON even to a terminal: one object a photo, one line each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
    /// Photos, and folders of photos with the folders in them
    #[arg(required_unless_present = "undo", value_name = "PHOTO")]
    photos: Vec<PathBuf>,
}

/// In which language classes are named.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Names {
    /// English
    En,
    /// Chinese, and English for what has no Chinese name
    Zh,
    Both,
}

/// Where keywords go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sidecar {
    /// For photos that have a sidecar already, for formats other than JPEG, PNG and WebP, and where a photo can't take
    /// keywords
    Auto,
    Always,
    /// Only into the photo itself
    Never,
}

pub fn threshold(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| *value > 0.0 && *value <= 1.0);
    value.ok_or_else(|| "expected a probability above 0, at most 1".into())
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(journal) = &arguments.undo {
        return undo::run(journal, arguments.dry_run, arguments.json);
    }
    let Some(model) = &arguments.model else { return Err(Failure::Usage("--model is missing".into())) };
    let vocabulary = vocabulary(arguments.vocabulary.as_deref())?;
    let language = match arguments.language {
        Names::En => Language::English,
        Names::Zh => Language::Chinese,
        Names::Both => Language::Both,
    };
    let rules = Rules { threshold: arguments.threshold, language, vocabulary };
    let photos = photos::find(&arguments.photos)?;
    let pool = engine::pool(arguments.running.threads())?;
    pool.install(|| {
        let engine = Engine::load(model, arguments.running.backend)?;
        engine.warm_up()?;
        let unknown = unknown_names(&engine.labels, &engine.kinds, rules.vocabulary.classes());
        if !unknown.is_empty() {
            say(&format!(
                "note: the vocabulary has classes that the model does not know: {}",
                unknown.join(", ")
            ));
        }
        let journal = Journal::new(journal::KIND, arguments.journal.as_deref());
        Tagger { arguments, engine, rules, journal, tidied: HashSet::new() }.tag(&photos)
    })
}

fn vocabulary(file: Option<&Path>) -> Result<Vocabulary, Failure> {
    let Some(file) = file else { return Ok(Vocabulary::default()) };
    let fault = |reason: String| Failure::Usage(format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| fault(error.to_string()))?;
    Vocabulary::parse(&text).map_err(|error| fault(error.to_string()))
}

/// What a run has.
struct Tagger<'a> {
    arguments: &'a Arguments,
    engine: Engine,
    rules: Rules,
    journal: Journal,
    /// Folders without files that killed processes have left.
    tidied: HashSet<PathBuf>,
}

/// How many photos came to what.
#[derive(Default)]
struct Counts {
    changed: u64,
    unchanged: u64,
    failed: u64,
}

impl Tagger<'_> {
    fn tag(mut self, photos: &[PathBuf]) -> Result<(), Failure> {
        let as_json = wants_json(self.arguments.json);
        // On a terminal the photos' own lines show how far it is.
        let meter = as_json.then(|| Meter::new("photos", photos.len()));
        let mut counts = Counts::default();
        for path in photos {
            let file = path.display().to_string();
            match self.tag_one(path) {
                Ok(record) => {
                    match record.status {
                        Status::Unchanged => counts.unchanged += 1,
                        _ => counts.changed += 1,
                    }
                    report::photo(&file, &record, as_json)?;
                }
                Err(error) => {
                    counts.failed += 1;
                    failure(&file, &error, as_json)?;
                }
            }
            if let Some(meter) = &meter {
                meter.step();
            }
        }
        if let Some(meter) = &meter {
            meter.finish();
        }
        self.finish(&counts)
    }

    fn finish(self, counts: &Counts) -> Result<(), Failure> {
        let Counts { changed, unchanged, failed } = *counts;
        let tagged = if self.arguments.dry_run { "would be tagged" } else { "tagged" };
        say(&format!("{changed} {tagged}, {unchanged} unchanged, {failed} failed"));
        if let Some(journal) = self.journal.path() {
            say(&format!("to undo: beitscope tag --undo {}", journal.display()));
        }
        match failed {
            0 => Ok(()),
            n => Err(Failure::Data(format!(
                "{n} of {} photos could not be tagged",
                changed + unchanged + failed
            ))),
        }
    }

    /// Tags one photo.
    ///
    /// # Errors
    /// A sentence for the person whose photo it is.
    fn tag_one(&mut self, path: &Path) -> Result<Record, String> {
        let unreadable = |error| format!("The file can't be read: {error}.");
        let (seen, bytes) = Seen::read(path).map_err(unreadable)?;
        let photo = decode_photo(&bytes).and_then(Photo::whole).map_err(|error| error.to_string())?;
        let logits = self.engine.logits(&photo)?;
        let answers = answers(&self.engine, &logits.values, &self.rules);
        let mut record = Record::new(&answers);
        let Some(plan) = plan(path, seen, bytes, &answers.keywords, self.arguments.sidecar)? else {
            return Ok(record);
        };
        record.plan(&plan);
        if self.arguments.dry_run {
            return Ok(record);
        }
        let after = plan.after()?;
        if plan.place == Place::Photo {
            let again =
                decode_photo(&after).map_err(|error| format!("With the keywords it can't be read: {error}"));
            if again?.rgb != photo.rgb {
                return Err(
                    "With the keywords it would be read as another picture. Use --sidecar always.".into()
                );
            }
        }
        drop(photo);
        self.write(&plan, &after)?;
        record.status = Status::Tagged;
        record.journal = self.journal.path().map(|path| path.display().to_string());
        Ok(record)
    }

    /// First into the journal, then into the file.
    fn write(&mut self, plan: &Plan, after: &[u8]) -> Result<(), String> {
        let folder = replace::folder_of(&plan.path);
        if self.tidied.insert(folder.to_owned()) {
            replace::remove_stale(folder);
        }
        replace::check_may_write(&plan.path, plan.seen.as_ref())?;
        self.journal.write(&Entry::new(plan, after)?)?;
        replace::replace(&plan.path, after, plan.seen.as_ref(), None)
    }
}

//! A checkpoint from a hub, with a bar or plain lines while it comes.

use crate::failure::Failure;
use crate::output::{json, say, size, wants_json};
use crate::small_files::SmallFiles;
use checkpoint::hub_config;
use clap::Args;
use hub::{Event, Hub, Reference, Settings};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A line where there is no terminal, so often at most.
const LINES_EVERY: Duration = Duration::from_secs(10);

#[derive(Args)]
pub struct Arguments {
    /// hf:OWNER/NAME or modelscope:OWNER/NAME (then /FILE and @REVISION if need be), or a path, which is left as it is
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// Print JSON even to a terminal
    #[arg(long)]
    json: bool,
}

/// Where a checkpoint is, as JSON.
#[derive(Serialize)]
struct Place {
    path: String,
}

/// Fetches a checkpoint, and what `convert` reads beside it.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let path = match fetch(&arguments.source)? {
        Some(Fetched { path, reference }) => {
            let files = SmallFiles::cached(&reference)?;
            for name in hub_config::FILES.into_iter().chain([hub_config::CARD]) {
                files.read(name)?;
            }
            path
        }
        None if arguments.source.exists() => arguments.source.clone(),
        None => return Err(Failure::Data(format!("there is no {}", arguments.source.display()))),
    };
    if wants_json(arguments.json) { json(&Place { path: path.display().to_string() }) } else { Ok(()) }
}

/// A checkpoint that was fetched, or was in the hub's cache.
pub struct Fetched {
    pub path: PathBuf,
    /// The file, of the very commit where the hub tells it.
    pub reference: Reference,
}

/// The model on a hub that `source` names; `None` if it names a file.
pub fn reference(source: &Path) -> Result<Option<Reference>, Failure> {
    let text = source.to_str().filter(|text| Reference::has_hub_prefix(text));
    text.map(|text| text.parse().map_err(Failure::from)).transpose()
}

/// Fetches the checkpoint that `source` names on a hub; `None` if it names a file.
pub fn fetch(source: &Path) -> Result<Option<Fetched>, Failure> {
    let Some(reference) = reference(source)? else { return Ok(None) };
    let settings = Settings::from_env()?;
    let download = displayed(&reference, |notify| hub::download(&reference, &settings, notify))?;
    let origin = match download.transferred {
        0 => "in the cache",
        _ => "fetched, its hash is the hub's",
    };
    say(&format!("{} ({}): {origin}", download.path.display(), size(download.bytes)));
    let reference = of_commit(&reference, &download.file, download.commit);
    Ok(Some(Fetched { path: download.path, reference }))
}

/// A repository's file, of the commit that was fetched. ModelScope tells the commit that last changed the file, which is
/// not one for the files beside it.
pub fn of_commit(reference: &Reference, file: &str, commit: Option<String>) -> Reference {
    let commit = commit.filter(|_| reference.hub == Hub::HuggingFace);
    let revision = commit.or_else(|| reference.revision.clone());
    Reference { file: Some(file.to_owned()), revision, ..reference.clone() }
}

/// Shows what a transfer reports.
pub fn displayed<T>(
    reference: &Reference,
    transfer: impl FnOnce(&dyn Fn(Event)) -> Result<T, hub::Error>,
) -> Result<T, hub::Error> {
    let display = RefCell::new(Display::default());
    let result = transfer(&|event| display.borrow_mut().show(event, reference));
    display.borrow_mut().end();
    result
}

/// What is on the screen.
#[derive(Default)]
struct Display {
    meter: Option<Meter>,
}

impl Display {
    fn show(&mut self, event: Event, reference: &Reference) {
        match event {
            Event::Checking { done, total } => self.advance("checking", done, total),
            Event::Transfer { done, total } => self.advance("fetching", done, total),
            _ => self.end(),
        }
        match event {
            Event::Chosen { file, others: [] } => say(&format!("{reference}: {file}")),
            Event::Chosen { file, others } => say(&format!(
                "{reference}: {file} is taken; it also has {} (add /FILE to the name to take another)",
                others.join(", ")
            )),
            Event::Part { file, number, of } => say(&format!("part {number} of {of}: {file}")),
            Event::Waiting => say("another process is fetching the same file: waiting for it"),
            Event::Retry { error, pause } if pause.is_zero() => {
                say(&format!("{}: trying again", error.brief()))
            }
            Event::Retry { error, pause } => {
                say(&format!("{}: going on in {} s", error.brief(), pause.as_secs_f32().ceil()));
            }
            Event::Restart => say("the bytes of an earlier run are of no use: fetching all of them"),
            Event::Stale { path } => {
                say(&format!("{} is not what the hub has now: fetching it again", path.display()));
            }
            Event::Unreachable { error, path } => {
                say(&format!("{}: taking the copy in the cache, {}", error.brief(), path.display()));
            }
            Event::Checking { .. } | Event::Transfer { .. } => {}
        }
    }

    fn advance(&mut self, what: &'static str, done: u64, total: u64) {
        if self.meter.as_ref().is_none_or(|meter| meter.what != what) {
            self.end();
            self.meter = Some(Meter::start(what, done, total));
        }
        if let Some(meter) = &mut self.meter {
            meter.advance(done);
        }
    }

    /// Removes the bar, so that what follows starts on a line of its own.
    fn end(&mut self) {
        if let Some(bar) = self.meter.take().and_then(|meter| meter.bar) {
            bar.finish_and_clear();
        }
    }
}

/// Bytes done of a total.
struct Meter {
    what: &'static str,
    total: u64,
    /// Done before this meter started: they say nothing about the rate.
    first: u64,
    started: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl Meter {
    fn start(what: &'static str, done: u64, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let template = "{msg} {bar:30} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(what);
            bar.set_position(done);
            bar.reset_eta();
            bar
        });
        if bar.is_none() && what == "fetching" {
            let already = if done > 0 { format!(", {} are here already", size(done)) } else { String::new() };
            say(&format!("fetching {}{already}", size(total)));
        }
        let now = Instant::now();
        Self { what, total, first: done, started: now, last_line: now, bar }
    }

    fn advance(&mut self, done: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.last_line.elapsed() >= LINES_EVERY => {
                self.last_line = Instant::now();
                let rate = done.saturating_sub(self.first) as f64 / self.started.elapsed().as_secs_f64();
                let left = self.total.saturating_sub(done) as f64 / rate.max(1.0);
                say(&format!(
                    "{} {} of {} ({} %), {}/s, {} left",
                    self.what,
                    size(done),
                    size(self.total),
                    done * 100 / self.total.max(1),
                    size(rate as u64),
                    indicatif::HumanDuration(Duration::from_secs(left as u64))
                ));
            }
            None => {}
        }
    }
}

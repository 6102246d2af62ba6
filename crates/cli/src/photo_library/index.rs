//! `beitscope index`: what is on all photos of a folder, kept in a file.

use super::listing::{Listed, list};
use super::look::{header, look, sha256};
use super::place::{Place, in_file};
use super::store::Store;
use crate::engine::{self, Engine};
use crate::failure::Failure;
use crate::output::{failure, json, say, wants_json};
use crate::progress_meter::Meter;
use crate::running::Running;
use clap::Args;
use evaluate::Shard;
use library::{Changes, Decision, Index, merge};
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use xxhash_rust::xxh3::xxh3_64;

#[derive(Args)]
pub struct Arguments {
    /// Folder of a converted model, or its manifest.json
    #[arg(long, value_name = "DIR", required_unless_present = "merge")]
    model: Option<PathBuf>,
    /// Where the index is kept; .beitscope-index in FOLDER if not given
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// Look at the K-th of N parts of the photos alone, and keep it in INDEX.K-of-N
    #[arg(long, value_name = "K/N", conflicts_with = "merge")]
    shard: Option<Shard>,
    /// Look at nothing: put these parts into the index, and take out what is in the folder no more
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "model")]
    merge: Vec<PathBuf>,
    /// Print JSON even to a terminal
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
    /// Photos, in folders in it too
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// What a run did.
#[derive(Default, Serialize)]
struct Summary {
    index: String,
    /// In the index now.
    photos: u64,
    /// Were looked at by the network.
    computed: u64,
    /// Have another path or time than before, or are copies: known by their hash.
    recognized: u64,
    /// Were in the index as they are.
    unchanged: u64,
    /// Are in the folder no more.
    removed: u64,
    /// Can't be read.
    failed: u64,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let place = Place::of_folder(&arguments.folder, arguments.index.as_deref());
    match &arguments.model {
        Some(model) => look_at_all(arguments, model, &place),
        None => merge_parts(arguments, &place),
    }
}

fn look_at_all(arguments: &Arguments, model: &Path, place: &Place) -> Result<(), Failure> {
    let (listed, unlisted) = list(&arguments.folder)?;
    let engine = Engine::load(model, arguments.running.backend)?;
    let (header, shard) = (header(&engine), arguments.shard.unwrap_or(Shard::WHOLE));
    let (file, base) = match arguments.shard {
        None => (place.file.clone(), None),
        // What the whole index knows already is taken over.
        Some(shard) if place.file.exists() => {
            let base = place.read()?.index;
            base.header().check_same_model(&header).map_err(|error| in_file(&place.file, &error))?;
            (place.shard(shard), Some(base))
        }
        Some(shard) => (place.shard(shard), None),
    };
    let mut store = Store::open(&file, &header)?;
    // By path, so that photos that come later change no other photo's part.
    let is_ours = |photo: &&Listed| shard.position(xxh3_64(photo.path.as_bytes())).is_some();
    let ours: Vec<&Listed> = listed.iter().filter(is_ours).collect();
    let (mut changes, mut todo, mut summary) = (Changes::new(), Vec::new(), Summary::default());
    for photo in ours.iter().copied() {
        let Listed { path, size, modified, .. } = photo;
        match changes.decide(&store.index, path, *size, *modified) {
            Decision::Unchanged => summary.unchanged += 1,
            Decision::Read => match base.as_ref().and_then(|base| taken_over(base, photo)) {
                Some((record, feature)) => {
                    store.add(record, &feature)?;
                    summary.unchanged += 1;
                }
                None => todo.push(photo),
            },
        }
    }
    if summary.unchanged > 0 {
        say(&format!("{} of {} photos are in the index already", summary.unchanged, ours.len()));
    }
    let run = Run { engine, base, store: Mutex::new(store), as_json: wants_json(arguments.json) };
    for (file, reason) in unlisted {
        summary.failed += 1;
        run.refuse(&file, reason)?;
    }
    run.over(&todo, ours.len(), arguments.running.threads(), &mut summary)?;
    let mut store = run.store.into_inner().map_err(|_| Failure::Data("a thread failed".into()))?;
    for path in changes.gone(&store.index) {
        store.remove(&path)?;
        summary.removed += 1;
    }
    let index = store.finish()?;
    conclude(arguments, &file, &index, summary)
}

/// The record of a photo that another index has as it is.
fn taken_over(base: &Index, listed: &Listed) -> Option<(library::Photo, library::Feature)> {
    let number = base.by_path(&listed.path)?;
    let photo = &base.photos()[number];
    let is_same = photo.size == listed.size && photo.modified == listed.modified;
    is_same.then(|| (photo.clone(), base.feature(number)))
}

/// How a photo got its record.
enum Done {
    Computed,
    Recognized,
}

/// What a run has.
struct Run {
    engine: Engine,
    base: Option<Index>,
    store: Mutex<Store>,
    as_json: bool,
}

impl Run {
    /// Looks at photos, one a thread.
    fn over(
        &self,
        todo: &[&Listed],
        all: usize,
        threads: NonZeroUsize,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        if todo.is_empty() {
            return Ok(());
        }
        self.engine.warm_up()?;
        let meter = Meter::resumed("photos", all as u64, (all - todo.len()) as u64);
        let next = AtomicUsize::new(0);
        // Each thread has a pool of its own: a photo's kernels never wait for another photo's.
        let pools = (0..threads.get()).map(|_| engine::pool(NonZeroUsize::MIN));
        let pools = pools.collect::<Result<Vec<_>, _>>()?;
        let counts = Mutex::new(summary);
        let work = || -> Result<(), Failure> {
            while let Some(photo) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                let done = self.one(photo)?;
                let mut counts = counts.lock().map_err(|_| Failure::Data("a thread failed".into()))?;
                match done {
                    Ok(Done::Computed) => counts.computed += 1,
                    Ok(Done::Recognized) => counts.recognized += 1,
                    Err(reason) => {
                        counts.failed += 1;
                        self.refuse(&photo.file, reason)?;
                    }
                }
                drop(counts);
                meter.step();
            }
            Ok(())
        };
        let results = std::thread::scope(|scope| {
            let threads: Vec<_> = pools.iter().map(|pool| scope.spawn(|| pool.install(work))).collect();
            threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
        });
        meter.finish();
        for result in results {
            result.unwrap_or_else(|_| Err(Failure::Data("a thread failed".into())))?;
        }
        Ok(())
    }

    /// One photo: a failure ends the run, a sentence is of this photo alone.
    fn one(&self, listed: &Listed) -> Result<Result<Done, String>, Failure> {
        let Listed { file, path, modified, .. } = listed;
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(format!("The file can't be read: {error}."))),
        };
        let (hash, size) = (sha256(&bytes), bytes.len() as u64);
        let known = |index: &Index| Changes::known(index, path, size, *modified, &hash);
        let recognized = known(&self.store()?.index).or_else(|| self.base.as_ref().and_then(known));
        let (record, done) = match recognized {
            Some(known) => (Ok(known), Done::Recognized),
            None => (look(&self.engine, &bytes, path, *modified, hash), Done::Computed),
        };
        let (photo, feature) = match record {
            Ok(record) => record,
            Err(reason) => return Ok(Err(reason)),
        };
        self.store()?.add(photo, &feature)?;
        Ok(Ok(done))
    }

    fn store(&self) -> Result<std::sync::MutexGuard<'_, Store>, Failure> {
        self.store.lock().map_err(|_| Failure::Data("a thread failed".into()))
    }

    fn refuse(&self, file: &Path, error: String) -> Result<(), Failure> {
        let file = file.display().to_string();
        match self.as_json {
            true => failure(&file, &error, true),
            false => {
                say(&format!("{file}: {error}"));
                Ok(())
            }
        }
    }
}

fn conclude(arguments: &Arguments, file: &Path, index: &Index, mut summary: Summary) -> Result<(), Failure> {
    summary.index = file.display().to_string();
    summary.photos = index.photos().len() as u64;
    let Summary { photos, computed, recognized, unchanged, removed, failed, .. } = summary;
    match wants_json(arguments.json) {
        true => json(&summary)?,
        false => say(&format!(
            "{}: {photos} photos; {computed} computed, {recognized} recognized, {unchanged} unchanged, {removed} removed, {failed} failed",
            summary.index
        )),
    }
    match failed {
        0 => Ok(()),
        n => Err(Failure::Data(format!("{n} photos could not be read and are not in the index"))),
    }
}

fn merge_parts(arguments: &Arguments, place: &Place) -> Result<(), Failure> {
    let (listed, _) = list(&arguments.folder)?;
    let mut parts = Vec::new();
    for file in &arguments.merge {
        parts.push((file, Place::of(file).index()?));
    }
    // clap lets no empty list through.
    let Some((_, first)) = parts.first() else { return Err(Failure::Usage("--merge: no file".into())) };
    let mut store = Store::open(&place.file, first.header())?;
    for (file, part) in &parts {
        merge(&mut store.index, part).map_err(|error| in_file(file, &error))?;
    }
    let mut changes = Changes::new();
    for Listed { path, size, modified, .. } in &listed {
        changes.decide(&store.index, path, *size, *modified);
    }
    let mut summary = Summary::default();
    for path in changes.gone(&store.index) {
        store.index.remove(&path);
        summary.removed += 1;
    }
    summary.unchanged = store.index.photos().len() as u64;
    let index = store.replace()?;
    let missing = listed.iter().filter(|photo| index.by_path(&photo.path).is_none()).count();
    if missing > 0 {
        say(&format!("note: {missing} photos of the folder are in none of the parts"));
    }
    conclude(arguments, &place.file, &index, summary)
}

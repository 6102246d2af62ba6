//! Photos → features, each photo once.

use super::cache::Cache;
use crate::engine;
use crate::failure::Failure;
use crate::output::say;
use crate::progress_meter::Meter;
use beit::backend::{Backend, Cpu};
use beit::model::Model;
use beit::preprocess::preprocess;
use beit::weights::sha256;
use codecs::decode_photo;
use evaluate::dataset::Sample;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// One photo of a set.
pub struct Featured {
    pub file: PathBuf,
    pub class: usize,
    /// The photo's bytes, hashed.
    pub sha256: String,
    /// Pooled and normed, `[width]`.
    pub features: Vec<f32>,
}

/// The features of a set of photos.
#[derive(Default)]
pub struct Set {
    /// In the order given.
    pub photos: Vec<Featured>,
    /// File and reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// How many features came from the cache.
    pub kept: usize,
}

impl Set {
    /// # Errors
    /// When photos of either set could not be read.
    pub fn check_all_read(&self, also: &Self) -> Result<(), Failure> {
        let all = self.photos.len() + also.photos.len();
        match self.unreadable.len() + also.unreadable.len() {
            0 => Ok(()),
            n => Err(Failure::Data(format!("{n} of {} photos could not be read and were left out", n + all))),
        }
    }

    /// Photos of this set that `other` has too, byte for byte.
    pub fn shared_with(&self, other: &Self) -> usize {
        let theirs: HashMap<&str, ()> = other.photos.iter().map(|p| (p.sha256.as_str(), ())).collect();
        self.photos.iter().filter(|photo| theirs.contains_key(photo.sha256.as_str())).count()
    }

    /// Says which photos stand in two classes: at most one of them can be right.
    pub fn say_contradictions(&self) {
        let mut seen: HashMap<&str, &Featured> = HashMap::new();
        for photo in &self.photos {
            let first = *seen.entry(&photo.sha256).or_insert(photo);
            if first.class != photo.class {
                let (one, two) = (first.file.display(), photo.file.display());
                say(&format!("note: {one} and {two} are the same photo in different classes"));
            }
        }
    }
}

/// Runs the network on every photo that the cache does not know, one photo a thread.
pub fn of(
    model: &Model<Cpu>,
    cache: &Cache,
    samples: &[Sample],
    threads: NonZeroUsize,
) -> Result<Set, Failure> {
    let meter = Meter::new("photos", samples.len());
    let (next, kept, results) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cache_works = AtomicBool::new(true);
    // Each thread has a pool of its own: a photo's kernels never wait for another photo's.
    let pools = (0..threads.get()).map(|_| engine::pool(NonZeroUsize::MIN)).collect::<Result<Vec<_>, _>>()?;
    let one = |sample: &Sample| -> Result<(String, Vec<f32>), String> {
        let bytes = std::fs::read(&sample.file).map_err(|e| format!("The file can't be read: {e}."))?;
        let hash = sha256(&bytes);
        if let Some(features) = cache.get(&hash) {
            kept.fetch_add(1, Ordering::Relaxed);
            return Ok((hash, features.to_vec()));
        }
        let photo = decode_photo(&bytes).map_err(|e| e.to_string())?;
        drop(bytes);
        let pixels = preprocess(&photo.rgb, &model.config().preprocessing);
        drop(photo);
        let features = model.tokens(&pixels, |_, _| ()).and_then(|tokens| model.pooled(&tokens));
        let features = features.and_then(|f| pollster::block_on(model.backend().read(&f)));
        let features = features.map_err(|e| e.to_string())?;
        if let Err(error) = cache.put(&hash, &features)
            && cache_works.swap(false, Ordering::Relaxed)
        {
            say(&format!("note: features can't be kept ({error}); the next run will make them again"));
        }
        Ok((hash, features))
    };
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(sample) = samples.get(i) else { break };
            done.push((i, one(sample)));
            meter.step();
        }
        if let Ok(mut results) = results.lock() {
            results.extend(done);
        }
    };
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| pool.install(work));
        }
    });
    meter.finish();
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|(i, _)| *i);
    let mut set = Set { kept: kept.into_inner(), ..Set::default() };
    for (i, result) in results {
        let Sample { file, class } = samples[i].clone();
        match result {
            Ok((sha256, features)) => set.photos.push(Featured { file, class, sha256, features }),
            Err(reason) => {
                say(&format!("{}: {reason}", file.display()));
                set.unreadable.push((file, reason));
            }
        }
    }
    Ok(set)
}

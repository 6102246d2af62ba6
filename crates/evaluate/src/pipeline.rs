//! Runs photos through decoder and network with every core busy: some threads read ahead, others decode and then run
//! the network on the CPU, or feed one thread that runs batches on a GPU.

use crate::calibration::KeptLogits;
use crate::dataset::{Dataset, Photo};
use crate::error::EvaluateError;
use crate::journal_format::Outcome;
use beit::preprocess::Pixels;
use beit::topk::top_k;
use beit::weights::sha256;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Classes that count as top-5.
const TOP: usize = 5;
/// Photos in one batch of a batched network.
const BATCH: usize = 8;
/// Threads that read files: more than this do not make a network file system faster.
const MOST_READERS: usize = 16;

/// A sample's index and outcome.
type Done = Result<(usize, Outcome), EvaluateError>;
/// A sample's index and its file, or why it could not be read.
type File = (usize, Result<Vec<u8>, String>);

/// What is evaluated. Errors are sentences.
pub trait Network: Sync {
    /// Whether it runs on a device of its own (a GPU), where batches are faster; else on the thread that calls it.
    fn is_batched(&self) -> bool;

    /// Runs once on nothing, where the first photo would take longer than the others.
    ///
    /// # Errors
    /// When the device fails.
    fn warm_up(&self) -> Result<(), String>;

    /// Decodes a photo and makes the network's input of it.
    ///
    /// # Errors
    /// When the photo can't be decoded.
    fn pixels(&self, file: Vec<u8>) -> Result<Pixels, String>;

    /// The logits of each photo, from one pass.
    ///
    /// # Errors
    /// When the device fails.
    fn logits(&self, photos: &[Pixels]) -> Result<Vec<Vec<f32>>, String>;
}

/// What runs on what.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub network: &'a dyn Network,
    pub dataset: &'a Dataset,
    /// Whether outcomes hold the photo's logits and hash, for a calibration.
    pub keeps_logits: bool,
}

/// A sample that is ready for the network.
struct Ready {
    at: usize,
    /// Of its file, where logits are kept.
    sha256: Option<String>,
    pixels: Pixels,
}

impl Run<'_> {
    /// Runs the network on every sample and hands over each outcome, in any order, on the calling thread.
    ///
    /// # Errors
    /// When the device fails, or `each` does: then no more photos are begun.
    pub fn over(
        self,
        samples: &[&Photo],
        threads: NonZeroUsize,
        mut each: impl FnMut(&Photo, Outcome) -> Result<(), EvaluateError>,
    ) -> Result<(), EvaluateError> {
        let pools = (0..threads.get()).map(|_| single_thread_pool()).collect::<Result<Vec<_>, _>>()?;
        self.network.warm_up().map_err(EvaluateError::Network)?;
        thread::scope(|scope| {
            let (to_decode, files) = sync_channel::<File>(2 * threads.get());
            let (done, outcomes) = channel::<Done>();
            // Owned by its receivers alone: when the last of them ends, a sender that waits gets an error and ends too.
            let files = Arc::new(Mutex::new(files));
            scope.spawn(move || {
                self.dataset.read(samples, threads.get().min(MOST_READERS), &|at, file| {
                    to_decode.send((at, file)).is_ok()
                });
            });
            let batches = self.network.is_batched().then(|| {
                let (ready, photos) = sync_channel(2 * BATCH);
                let done = done.clone();
                scope.spawn(move || self.run_batches(&photos, &done));
                ready
            });
            for pool in pools {
                let (files, done, batches) = (files.clone(), done.clone(), batches.clone());
                scope.spawn(move || match batches {
                    Some(ready) => self.decode_for(&files, &ready, &done),
                    None => pool.install(|| self.answer(&files, &done)),
                });
            }
            drop((files, done, batches));
            for outcome in outcomes {
                let (at, outcome) = outcome?;
                each(samples[at], outcome)?;
            }
            Ok(())
        })
    }

    /// Decodes photos and runs the network on them, one after another, on this thread.
    fn answer(self, files: &Mutex<Receiver<File>>, done: &Sender<Done>) {
        while let Some(file) = next(files) {
            let sent = match self.ready(file) {
                Ok(photo) => self.run_and_send(vec![photo], done),
                Err(unreadable) => done.send(Ok(unreadable)).is_ok(),
            };
            if !sent {
                return;
            }
        }
    }

    /// Decodes photos for a batched network.
    fn decode_for(self, files: &Mutex<Receiver<File>>, ready: &SyncSender<Ready>, done: &Sender<Done>) {
        while let Some(file) = next(files) {
            let sent = match self.ready(file) {
                Ok(photo) => ready.send(photo).is_ok(),
                Err(unreadable) => done.send(Ok(unreadable)).is_ok(),
            };
            if !sent {
                return;
            }
        }
    }

    /// Runs the network on as many photos at once as are ready.
    fn run_batches(self, photos: &Receiver<Ready>, done: &Sender<Done>) {
        while let Ok(first) = photos.recv() {
            let batch = std::iter::once(first).chain(photos.try_iter().take(BATCH - 1)).collect();
            if !self.run_and_send(batch, done) {
                return;
            }
        }
    }

    /// Runs the network and sends each photo's answer, or that the network failed. Returns whether to go on.
    fn run_and_send(self, photos: Vec<Ready>, done: &Sender<Done>) -> bool {
        let mut pixels = Vec::with_capacity(photos.len());
        let mut places = Vec::with_capacity(photos.len());
        for photo in photos {
            pixels.push(photo.pixels);
            places.push((photo.at, photo.sha256));
        }
        match self.network.logits(&pixels) {
            Ok(logits) => {
                let mut answers = places.into_iter().zip(logits);
                answers.all(|((at, sha256), logits)| done.send(Ok((at, outcome(logits, sha256)))).is_ok())
            }
            Err(sentence) => {
                // This thread ends, received or not.
                let _ = done.send(Err(EvaluateError::Network(sentence)));
                false
            }
        }
    }

    /// A sample's pixels, or that it can't be read. A photo at which a decoder panics must not stop the run.
    fn ready(self, (at, file): File) -> Result<Ready, (usize, Outcome)> {
        let read = file.and_then(|file| {
            let sha256 = self.keeps_logits.then(|| sha256(&file));
            let pixels = catch_unwind(AssertUnwindSafe(|| self.network.pixels(file)))
                .unwrap_or_else(|_| Err("The decoder failed on this photo.".into()))?;
            Ok(Ready { at, sha256, pixels })
        });
        read.map_err(|error| (at, Outcome::Unreadable { error }))
    }
}

/// Each thread runs its photos in a pool of its own: a photo's kernels never wait for another photo's.
fn single_thread_pool() -> Result<rayon::ThreadPool, EvaluateError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.map_err(|e| EvaluateError::Threads { threads: 1, reason: e.to_string() })
}

/// Takes the next file; nothing when all are taken.
fn next(files: &Mutex<Receiver<File>>) -> Option<File> {
    files.lock().ok()?.recv().ok()
}

/// The five likeliest classes; with the logits if there is a hash.
fn outcome(logits: Vec<f32>, sha256: Option<String>) -> Outcome {
    let best = top_k(&logits, TOP);
    let score = best.first().map_or(0.0, |(_, score)| *score);
    let top = best.into_iter().map(|(index, _)| index as u32).collect();
    Outcome::Answer { top, score, calibration: sha256.map(|sha256| KeptLogits { sha256, logits }) }
}

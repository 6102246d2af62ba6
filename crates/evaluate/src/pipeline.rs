//! Runs photos through decoder and network with every core busy: some threads read ahead, others decode and then run
//! the network on the CPU, or feed one thread that runs batches on a GPU.

use crate::dataset::{Dataset, Photo};
use crate::error::EvaluateError;
use crate::journal_format::Outcome;
use beit::preprocess::Pixels;
use beit::topk::top_k;
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

/// Runs the network on every sample and hands over each outcome, in any order, on the calling thread.
///
/// # Errors
/// When the device fails, or `each` does: then no more photos are begun.
pub fn run(
    network: &dyn Network,
    dataset: &Dataset,
    samples: &[&Photo],
    threads: NonZeroUsize,
    mut each: impl FnMut(&Photo, Outcome) -> Result<(), EvaluateError>,
) -> Result<(), EvaluateError> {
    let pools = (0..threads.get()).map(|_| single_thread_pool()).collect::<Result<Vec<_>, _>>()?;
    network.warm_up().map_err(EvaluateError::Network)?;
    thread::scope(|scope| {
        let (to_decode, files) = sync_channel::<File>(2 * threads.get());
        let (done, outcomes) = channel::<Done>();
        // Owned by its receivers alone: when the last of them ends, a sender that waits gets an error and ends too.
        let files = Arc::new(Mutex::new(files));
        scope.spawn(move || {
            dataset.read(samples, threads.get().min(MOST_READERS), &|at, file| {
                to_decode.send((at, file)).is_ok()
            });
        });
        let batches = network.is_batched().then(|| {
            let (ready, photos) = sync_channel(2 * BATCH);
            let done = done.clone();
            scope.spawn(move || run_batches(network, &photos, &done));
            ready
        });
        for pool in pools {
            let (files, done, batches) = (files.clone(), done.clone(), batches.clone());
            scope.spawn(move || match batches {
                Some(ready) => decode_for(network, &files, &ready, &done),
                None => pool.install(|| answer(network, &files, &done)),
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
fn answer(network: &dyn Network, files: &Mutex<Receiver<File>>, done: &Sender<Done>) {
    while let Some((at, file)) = next(files) {
        let sent = match pixels(network, file) {
            Ok(pixels) => send(network.logits(&[pixels]), &[at], done),
            Err(error) => done.send(Ok((at, Outcome::Unreadable { error }))).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// Decodes photos for a batched network.
fn decode_for(
    network: &dyn Network,
    files: &Mutex<Receiver<File>>,
    ready: &SyncSender<(usize, Pixels)>,
    done: &Sender<Done>,
) {
    while let Some((at, file)) = next(files) {
        let sent = match pixels(network, file) {
            Ok(pixels) => ready.send((at, pixels)).is_ok(),
            Err(error) => done.send(Ok((at, Outcome::Unreadable { error }))).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// Runs the network on as many photos at once as are ready.
fn run_batches(network: &dyn Network, photos: &Receiver<(usize, Pixels)>, done: &Sender<Done>) {
    while let Ok(first) = photos.recv() {
        let batch = std::iter::once(first).chain(photos.try_iter().take(BATCH - 1));
        let (places, pixels): (Vec<usize>, Vec<Pixels>) = batch.unzip();
        if !send(network.logits(&pixels), &places, done) {
            return;
        }
    }
}

/// Sends each photo's answer, or that the network failed. Returns whether to go on.
fn send(logits: Result<Vec<Vec<f32>>, String>, places: &[usize], done: &Sender<Done>) -> bool {
    match logits {
        Ok(logits) => {
            let mut answers = places.iter().zip(logits);
            answers.all(|(at, logits)| done.send(Ok((*at, top_5(&logits)))).is_ok())
        }
        Err(sentence) => {
            // This thread ends, received or not.
            let _ = done.send(Err(EvaluateError::Network(sentence)));
            false
        }
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

/// The network's input. A photo at which a decoder panics must not stop the run.
fn pixels(network: &dyn Network, file: Result<Vec<u8>, String>) -> Result<Pixels, String> {
    let file = file?;
    catch_unwind(AssertUnwindSafe(|| network.pixels(file)))
        .unwrap_or_else(|_| Err("The decoder failed on this photo.".into()))
}

fn top_5(logits: &[f32]) -> Outcome {
    let best = top_k(logits, TOP);
    let score = best.first().map_or(0.0, |(_, score)| *score);
    Outcome::Answer { top: best.into_iter().map(|(index, _)| index as u32).collect(), score }
}

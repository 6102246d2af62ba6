//! Photos through decoder and network, with every core busy: some threads read ahead, some decode, and the network
//! runs on a processor's cores beside the decoders, or on a GPU that is fed by all of them.

use crate::dataset::{Dataset, Photo};
use crate::engine::{self, Backend, Engine};
use crate::evaluate::journal::Verdict;
use crate::failure::Failure;
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
/// Photos in one pass of a GPU.
const GPU_BATCH: usize = 8;
/// Threads that read files: more of them wait for a network's disk, not for each other.
const MOST_READERS: usize = 16;

/// What came of one sample.
type Outcome = Result<(usize, Verdict), Failure>;
/// A sample's place and its file, or why it could not be read.
type File = (usize, Result<Vec<u8>, String>);

/// Runs the network on every sample and hands over what came of each, in whatever order, on the calling thread.
///
/// # Errors
/// When the device fails, or `each` does: then no more photos are begun.
pub fn run(
    engine: &Engine,
    dataset: &Dataset,
    samples: &[Photo],
    threads: NonZeroUsize,
    mut each: impl FnMut(&Photo, Verdict) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // Each thread has a pool of its own: a photo's kernels never wait for another photo's.
    let pools = (0..threads.get()).map(|_| engine::pool(NonZeroUsize::MIN)).collect::<Result<Vec<_>, _>>()?;
    engine.warm_up()?;
    thread::scope(|scope| {
        let (to_decode, files) = sync_channel::<File>(2 * threads.get());
        let (done, outcomes) = channel::<Outcome>();
        // Owned by those who take from it: when the last of them ends, whoever waits to send ends too.
        let files = Arc::new(Mutex::new(files));
        scope.spawn(move || {
            dataset.read(samples, threads.get().min(MOST_READERS), &|at, file| {
                to_decode.send((at, file)).is_ok()
            });
        });
        let to_gpu = match engine.backend() {
            Backend::Auto | Backend::Cpu => None,
            Backend::Gpu => {
                let (ready, photos) = sync_channel(2 * GPU_BATCH);
                let done = done.clone();
                scope.spawn(move || run_batches(engine, &photos, &done));
                Some(ready)
            }
        };
        for pool in pools {
            let (files, done, to_gpu) = (files.clone(), done.clone(), to_gpu.clone());
            scope.spawn(move || match to_gpu {
                Some(ready) => decode_for(engine, &files, &ready, &done),
                None => pool.install(|| answer(engine, &files, &done)),
            });
        }
        drop((files, done, to_gpu));
        for outcome in outcomes {
            let (at, verdict) = outcome?;
            each(&samples[at], verdict)?;
        }
        Ok(())
    })
}

/// Decodes photos and runs the network on them, one after another, on this thread.
fn answer(engine: &Engine, files: &Mutex<Receiver<File>>, done: &Sender<Outcome>) {
    while let Some((at, file)) = next(files) {
        let sent = match pixels(engine, file) {
            Ok(pixels) => send(engine.batch(&[pixels]), &[at], done),
            Err(error) => done.send(Ok((at, Verdict::Refusal { error }))).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// Decodes photos for a network that runs elsewhere.
fn decode_for(
    engine: &Engine,
    files: &Mutex<Receiver<File>>,
    ready: &SyncSender<(usize, Pixels)>,
    done: &Sender<Outcome>,
) {
    while let Some((at, file)) = next(files) {
        let sent = match pixels(engine, file) {
            Ok(pixels) => ready.send((at, pixels)).is_ok(),
            Err(error) => done.send(Ok((at, Verdict::Refusal { error }))).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// Runs the network on as many photos at once as are ready.
fn run_batches(engine: &Engine, photos: &Receiver<(usize, Pixels)>, done: &Sender<Outcome>) {
    while let Ok(first) = photos.recv() {
        let batch = std::iter::once(first).chain(photos.try_iter().take(GPU_BATCH - 1));
        let (places, pixels): (Vec<usize>, Vec<Pixels>) = batch.unzip();
        if !send(engine.batch(&pixels), &places, done) {
            return;
        }
    }
}

/// Sends what the network said of each photo, or that it failed: whether there is a point in going on.
fn send(logits: Result<Vec<Vec<f32>>, Failure>, places: &[usize], done: &Sender<Outcome>) -> bool {
    match logits {
        Ok(logits) => {
            let mut answers = places.iter().zip(logits);
            answers.all(|(at, logits)| done.send(Ok((*at, verdict(&logits)))).is_ok())
        }
        Err(failure) => {
            // Whether or not anybody still listens, this is the end.
            let _ = done.send(Err(failure));
            false
        }
    }
}

/// Takes the next file; nothing when all are taken.
fn next(files: &Mutex<Receiver<File>>) -> Option<File> {
    files.lock().ok()?.recv().ok()
}

/// The network's input. A photo that a decoder stumbles over must not stop a million others.
fn pixels(engine: &Engine, file: Result<Vec<u8>, String>) -> Result<Pixels, String> {
    let file = file?;
    catch_unwind(AssertUnwindSafe(|| engine.pixels(file)))
        .unwrap_or_else(|_| Err("The decoder failed on this photo.".into()))
}

fn verdict(logits: &[f32]) -> Verdict {
    let best = top_k(logits, TOP);
    let score = best.first().map_or(0.0, |(_, score)| *score);
    Verdict::Answer { top: best.into_iter().map(|(index, _)| index as u32).collect(), score }
}

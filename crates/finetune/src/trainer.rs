//! The training loop: steps, epochs, validation, and resuming from a checkpoint.

use crate::FinetuneError;
use crate::adamw::Parameter;
use crate::augment::augment;
use crate::epoch::Epoch;
use crate::loss::smoothed_cross_entropy;
use crate::network::Network;
use crate::random::Random;
use crate::schedule::{Schedule, decays, layer_scale};
use crate::settings::Settings;
use crate::training_checkpoint::{self, BestParameters, TrainingCheckpoint, floats};
use beit::decode::Rgb;
use beit::preprocess::{Pixels, preprocess};
use candle_core::{D, Device, Tensor};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

/// The streams of random numbers, by purpose.
const ORDER: u64 = 0;
const AUGMENT: u64 = 1;

/// One photo, decoded.
pub type Photo = Rgb;

/// A set of labelled photos, decoded when they are needed.
#[derive(Clone, Copy)]
pub struct Photos<'a> {
    /// The class of each photo.
    pub classes: &'a [usize],
    /// Reads and decodes a photo by its number; the error is a sentence.
    pub load: &'a (dyn Fn(usize) -> Result<Photo, String> + Sync),
}

/// How far training has come.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Progress<'a> {
    /// It resumes from a checkpoint with this many steps done.
    Resumed { step: usize },
    /// A step of how many is done; the epoch's mean loss so far.
    Step { step: usize, steps: usize, loss: f64 },
    /// An epoch is done; whether it is the best so far.
    Epoch { number: usize, epoch: &'a Epoch, best: bool },
}

/// The result of a training run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Every parameter of the network by name: those of the best epoch.
    pub tensors: HashMap<String, Vec<f32>>,
    /// The best epoch, the first being 0: of the most right answers on the validation photos, or the last one where
    /// there are none.
    pub best: usize,
    /// Every epoch, in order.
    pub history: Vec<Epoch>,
}

/// Trains. With a `state` file the run resumes from the checkpoint in it, if there is one, and saves its checkpoints
/// there. `identity` says what the run is of beside its settings, such as hashes of model and photos. `progress` may
/// break the run off: then there is no result, only the checkpoint.
///
/// # Errors
/// See [`FinetuneError`].
pub fn train(
    mut network: Network,
    photos: Photos,
    validation: Photos,
    settings: &Settings,
    state: Option<&Path>,
    identity: &str,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<Trained>, FinetuneError> {
    settings.check(photos.classes.len())?;
    let config = network.config().clone();
    let names = network.names_from(settings.first_layer);
    let parameters: Result<Vec<Parameter>, FinetuneError> = names
        .iter()
        .map(|name| {
            let decay = if decays(name) { settings.weight_decay } else { 0.0 };
            let scale = layer_scale(&config, name, settings.layer_decay);
            Parameter::new(name, network.tensor(name)?, scale, decay)
        })
        .collect();
    let parameters = parameters?;
    parameters.iter().for_each(|parameter| network.replace(&parameter.name, &parameter.value));

    let per_epoch = photos.classes.len().div_ceil(settings.batch);
    let steps = per_epoch * settings.epochs;
    let warmup = (settings.warmup * per_epoch as f64).round() as usize;
    let schedule = Schedule { peak: settings.rate, floor: 0.01 * settings.rate, warmup, steps };
    let identity = format!("{identity} {}", serde_json::to_string(settings).unwrap_or_default());
    let (mut checkpoint, mut best) = (TrainingCheckpoint::default(), BestParameters::new());
    if let Some(path) = state.filter(|path| path.exists()) {
        (checkpoint, best) = training_checkpoint::restore(path, &identity, &parameters)?;
        if progress(Progress::Resumed { step: checkpoint.step }).is_break() {
            return Ok(None);
        }
    }
    let save = |checkpoint: &TrainingCheckpoint, best: &BestParameters| match state {
        Some(path) => training_checkpoint::save(path, &identity, checkpoint, &parameters, best),
        None => Ok(()),
    };

    while checkpoint.step < steps {
        let (epoch, in_epoch) = (checkpoint.step / per_epoch, checkpoint.step % per_epoch);
        let mut order: Vec<usize> = (0..photos.classes.len()).collect();
        Random::at(settings.seed, [ORDER, epoch as u64]).shuffle(&mut order);
        for batch in order.chunks(settings.batch).skip(in_epoch) {
            let seen = |photo: usize| {
                let place = [AUGMENT, (epoch * order.len() + photo) as u64];
                let rgb = (photos.load)(photo)?;
                Ok(augment(&rgb, &config.preprocessing, &mut Random::at(settings.seed, place)))
            };
            let labels: Vec<usize> = batch.iter().map(|&photo| photos.classes[photo]).collect();
            let logits = network.logits(&pixels(batch, config.image_size, &seen)?)?;
            let loss = smoothed_cross_entropy(&logits, &labels, settings.smoothing)?;
            let value = f64::from(floats(&loss)?[0]);
            if !value.is_finite() {
                return Err(FinetuneError::Diverged { step: checkpoint.step });
            }
            let gradients = loss.backward()?;
            let rate = schedule.rate(checkpoint.step);
            checkpoint.step += 1;
            for parameter in &parameters {
                parameter.step(&gradients, rate, checkpoint.step)?;
            }
            checkpoint.loss += value * batch.len() as f64;
            checkpoint.right += count_right(&logits, &labels)?;
            checkpoint.seen += batch.len();
            let loss = checkpoint.loss / checkpoint.seen as f64;
            if checkpoint.step.is_multiple_of(settings.save_every)
                && !checkpoint.step.is_multiple_of(per_epoch)
            {
                save(&checkpoint, &best)?;
            }
            if progress(Progress::Step { step: checkpoint.step, steps, loss }).is_break() {
                return Ok(None);
            }
        }
        let measured = measure(&network, validation, settings.batch)?;
        let seen = checkpoint.seen.max(1) as f64;
        let done = Epoch {
            loss: checkpoint.loss / seen,
            accuracy: checkpoint.right as f64 / seen,
            validation: measured,
        };
        let better = match (checkpoint.best.and_then(|best| checkpoint.history[best].validation), measured) {
            (Some((loss, accuracy)), Some((new_loss, new_accuracy))) => {
                (new_accuracy, -new_loss) > (accuracy, -loss)
            }
            _ => true,
        };
        if better {
            checkpoint.best = Some(epoch);
            for parameter in &parameters {
                best.insert(parameter.name.clone(), floats(&parameter.value)?);
            }
        }
        checkpoint.history.push(done);
        (checkpoint.loss, checkpoint.right, checkpoint.seen) = (0.0, 0, 0);
        save(&checkpoint, &best)?;
        let event = Progress::Epoch { number: epoch, epoch: &checkpoint.history[epoch], best: better };
        if progress(event).is_break() {
            return Ok(None);
        }
    }
    let mut tensors = HashMap::new();
    for spec in config.tensors() {
        let values = match best.remove(&spec.name) {
            Some(values) => values,
            None => floats(network.tensor(&spec.name)?)?,
        };
        tensors.insert(spec.name, values);
    }
    let best = checkpoint.best.unwrap_or(settings.epochs.saturating_sub(1));
    Ok(Some(Trained { tensors, best, history: checkpoint.history }))
}

/// The photos' pixels together, `[photos, 3, size, size]`, made on all processors.
fn pixels(
    photos: &[usize],
    size: usize,
    one: &(dyn Fn(usize) -> Result<Pixels, String> + Sync),
) -> Result<Tensor, FinetuneError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = photos.len().div_ceil(threads).max(1);
    let part = |photos: &[usize]| -> Result<Vec<f32>, String> {
        let mut values = Vec::new();
        for &photo in photos {
            values.extend(one(photo)?.values);
        }
        Ok(values)
    };
    let part = &part;
    let made: Vec<Result<Vec<f32>, String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = photos.chunks(share).map(|photos| scope.spawn(move || part(photos))).collect();
        let join = |worker: std::thread::ScopedJoinHandle<_>| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        workers.into_iter().map(join).collect()
    });
    let mut values = Vec::with_capacity(photos.len() * 3 * size * size);
    for part in made {
        values.extend(part.map_err(FinetuneError::Photo)?);
    }
    Ok(Tensor::from_vec(values, (photos.len(), 3, size, size), &Device::Cpu)?)
}

fn count_right(logits: &Tensor, labels: &[usize]) -> Result<usize, FinetuneError> {
    let answers = logits.detach().argmax(D::Minus1)?.to_vec1::<u32>()?;
    Ok(answers.iter().zip(labels).filter(|(answer, label)| **answer as usize == **label).count())
}

/// The mean loss and the share of right answers on whole photos, preprocessed as `classify` does it; `None` of none.
fn measure(network: &Network, photos: Photos, batch: usize) -> Result<Option<(f64, f64)>, FinetuneError> {
    let config = network.config();
    let all: Vec<usize> = (0..photos.classes.len()).collect();
    let (mut loss, mut hits) = (0.0, 0);
    let seen = |photo: usize| Ok(preprocess(&(photos.load)(photo)?, &config.preprocessing));
    for batch in all.chunks(batch) {
        let labels: Vec<usize> = batch.iter().map(|&photo| photos.classes[photo]).collect();
        let logits = network.logits(&pixels(batch, config.image_size, &seen)?)?.detach();
        let mean = floats(&smoothed_cross_entropy(&logits, &labels, 0.0)?)?[0];
        loss += f64::from(mean) * batch.len() as f64;
        hits += count_right(&logits, &labels)?;
    }
    let n = all.len() as f64;
    Ok((!all.is_empty()).then(|| (loss / n, hits as f64 / n)))
}

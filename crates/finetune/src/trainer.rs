//! Epochs of steps.

use crate::FinetuneError;
use crate::adamw::Parameter;
use crate::augment::augment;
use crate::loss::smoothed_cross_entropy;
use crate::network::Network;
use crate::random::Random;
use crate::schedule::{Schedule, decays, layer_scale};
use crate::state::{self, Best, Standing, floats};
use beit::decode::Rgb;
use beit::preprocess::{Pixels, preprocess};
use candle_core::{D, Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

/// Streams of random numbers: what each is for.
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

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub epochs: usize,
    /// Photos a step.
    pub batch: usize,
    /// The head's highest learning rate.
    pub rate: f64,
    /// From each layer to the one below it the learning rate is multiplied by this.
    pub layer_decay: f64,
    pub weight_decay: f64,
    /// The share of each target that goes to all classes alike.
    pub smoothing: f64,
    /// Epochs, or a part of one, over which the learning rate rises.
    pub warmup: f64,
    /// Layers below this one stay as they are: 0 is the stem, i + 1 block i, depth + 1 the final norm and the head.
    pub first_layer: usize,
    pub seed: u64,
    /// The state is saved after this many steps, and after each epoch.
    pub save_every: usize,
}

/// How one epoch went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss, smoothing included, while learning.
    pub loss: f64,
    /// The share of right answers while learning, 0 to 1.
    pub accuracy: f64,
    /// On the validation photos: the mean loss without smoothing, and the share of right answers.
    pub validation: Option<(f64, f64)>,
}

/// Where training stands.
#[derive(Debug)]
pub enum Progress<'a> {
    /// It goes on from a state with this many steps done.
    Resumed { step: usize },
    /// A step of how many is done; the epoch's mean loss so far.
    Step { step: usize, steps: usize, loss: f64 },
    /// An epoch is done; whether it is the best so far.
    Epoch { number: usize, epoch: &'a Epoch, best: bool },
}

/// What training gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Every parameter of the network by name: those of the best epoch.
    pub tensors: HashMap<String, Vec<f32>>,
    /// The best epoch, the first being 0: of the most right answers on the validation photos, or the last one where
    /// there are none.
    pub best: usize,
    pub history: Vec<Epoch>,
}

/// Trains. With a `state` file, what is saved there is gone on with; `identity` says what the run is of beside its
/// settings, such as hashes of model and photos. `progress` may break the run off; then there is no result, but the state.
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
    check(settings, photos.classes.len())?;
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
    let (mut standing, mut best) = (Standing::default(), Best::new());
    if let Some(path) = state.filter(|path| path.exists()) {
        (standing, best) = state::restore(path, &identity, &parameters)?;
        if progress(Progress::Resumed { step: standing.step }).is_break() {
            return Ok(None);
        }
    }
    let save = |standing: &Standing, best: &Best| match state {
        Some(path) => state::save(path, &identity, standing, &parameters, best),
        None => Ok(()),
    };

    while standing.step < steps {
        let (epoch, in_epoch) = (standing.step / per_epoch, standing.step % per_epoch);
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
                return Err(FinetuneError::Diverged { step: standing.step });
            }
            let gradients = loss.backward()?;
            let rate = schedule.rate(standing.step);
            standing.step += 1;
            for parameter in &parameters {
                parameter.step(&gradients, rate, standing.step)?;
            }
            standing.loss += value * batch.len() as f64;
            standing.right += right(&logits, &labels)?;
            standing.seen += batch.len();
            let loss = standing.loss / standing.seen as f64;
            if standing.step.is_multiple_of(settings.save_every) && !standing.step.is_multiple_of(per_epoch) {
                save(&standing, &best)?;
            }
            if progress(Progress::Step { step: standing.step, steps, loss }).is_break() {
                return Ok(None);
            }
        }
        let measured = measure(&network, validation, settings.batch)?;
        let seen = standing.seen.max(1) as f64;
        let done = Epoch {
            loss: standing.loss / seen,
            accuracy: standing.right as f64 / seen,
            validation: measured,
        };
        let better = match (standing.best.and_then(|best| standing.history[best].validation), measured) {
            (Some((loss, accuracy)), Some((new_loss, new_accuracy))) => {
                (new_accuracy, -new_loss) > (accuracy, -loss)
            }
            _ => true,
        };
        if better {
            standing.best = Some(epoch);
            for parameter in &parameters {
                best.insert(parameter.name.clone(), floats(&parameter.value)?);
            }
        }
        standing.history.push(done);
        (standing.loss, standing.right, standing.seen) = (0.0, 0, 0);
        save(&standing, &best)?;
        let told = Progress::Epoch { number: epoch, epoch: &standing.history[epoch], best: better };
        if progress(told).is_break() {
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
    let best = standing.best.unwrap_or(settings.epochs.saturating_sub(1));
    Ok(Some(Trained { tensors, best, history: standing.history }))
}

fn check(settings: &Settings, photos: usize) -> Result<(), FinetuneError> {
    let ratio = |x: f64| x > 0.0 && x <= 1.0;
    let rules = [
        ("photos", "at least one", photos > 0, photos.to_string()),
        ("--epochs", "at least 1", settings.epochs > 0, settings.epochs.to_string()),
        ("--batch", "at least 1", settings.batch > 0, settings.batch.to_string()),
        (
            "--lr",
            "a positive number",
            settings.rate > 0.0 && settings.rate.is_finite(),
            settings.rate.to_string(),
        ),
        (
            "--layer-decay",
            "above 0, at most 1",
            ratio(settings.layer_decay),
            settings.layer_decay.to_string(),
        ),
        (
            "--smoothing",
            "0 to below 1",
            (0.0..1.0).contains(&settings.smoothing),
            settings.smoothing.to_string(),
        ),
    ];
    match rules.into_iter().find(|(_, _, holds, _)| !holds) {
        Some((name, expected, _, got)) => Err(FinetuneError::Setting { name, expected, got }),
        None => Ok(()),
    }
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

fn right(logits: &Tensor, labels: &[usize]) -> Result<usize, FinetuneError> {
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
        hits += right(&logits, &labels)?;
    }
    let n = all.len() as f64;
    Ok((!all.is_empty()).then(|| (loss / n, hits as f64 / n)))
}

//! `--method full`: a linear head to begin with, then backpropagation through the last blocks or all of them.

use super::card::Card;
use super::features::{Featured, Set};
use super::linear::learn;
use super::prepare::{Prepared, counts};
use super::report::{Answer, Epoch, Epochs, Seconds, Val};
use super::{Arguments, Blocks};
use crate::failure::Failure;
use crate::output::{json, say, wants_json};
use ::finetune::{FinetuneError, Network, Photos, Progress, Settings, Trained, train};
use beit::config::Config;
use beit::decode::Rgb;
use beit::labels::Label;
use beit::weights::sha256;
use checkpoint::ModelFolder;
use checkpoint::retrained::{NewModel, NewWeights};
use codecs::decode_photo;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

const EPOCHS: usize = 10;
const BATCH: usize = 16;
const RATE: f64 = 1e-4;
const BLOCKS: usize = 4;
const LAYER_DECAY: f64 = 0.75;
const SMOOTHING: f64 = 0.1;
const WEIGHT_DECAY: f64 = 0.05;
/// Steps between two saves.
const SAVE_EVERY: usize = 100;
/// Without `--val`, one photo in so many is held out of each class.
const HELD_OUT: usize = 10;
/// Lines of progress an epoch.
const LINES: usize = 10;

pub fn run(arguments: &Arguments, threads: NonZeroUsize) -> Result<(), Failure> {
    let Prepared { base, name, labels, width, mut train, mut val, seconds: features } =
        Prepared::new(arguments, threads)?;
    if arguments.val.is_none() {
        val = hold_out(&mut train, labels.len());
        say(&format!("{} photos are held out to tell the best epoch by", val.photos.len()));
    }
    let begun = Instant::now();
    let trained = learn_all(arguments, &base, &labels, &train, &val, width, threads)?;
    let training = begun.elapsed().as_secs_f64();

    let what = if arguments.val.is_some() { "validation photos" } else { "photos held out" };
    let measured = trained.history.get(trained.best).and_then(|epoch| epoch.validation);
    let card = Card {
        name: &name,
        base: &base.manifest().name,
        base_sha256: &base.manifest().sha256,
        how: how(arguments, &trained),
        classes: labels.iter().map(|label| label.en.as_str()).zip(counts(&labels, &train)).collect(),
        measured: measured.iter().map(|(_, accuracy)| (what, *accuracy, val.photos.len())).collect(),
    };
    let epoch = |epoch: &::finetune::Epoch| Epoch {
        loss: epoch.loss,
        top_1: 100.0 * epoch.accuracy,
        val_loss: epoch.validation.map(|(loss, _)| loss),
        val_top_1: epoch.validation.map(|(_, accuracy)| 100.0 * accuracy),
    };
    let epochs = Epochs { best: trained.best + 1, history: trained.history.iter().map(epoch).collect() };
    let new = NewModel {
        out: arguments.out.clone(),
        name: name.clone(),
        labels: labels.clone(),
        weights: NewWeights::All(trained.tensors),
        card: card.markdown(),
    };
    new.write(&base)?;
    let state = state_file(&arguments.out);
    if state.exists() {
        std::fs::remove_file(&state)
            .map_err(|e| Failure::Data(format!("cannot remove {}: {e}", state.display())))?;
    }
    let answer = Answer {
        out: arguments.out.display().to_string(),
        name: &name,
        method: "full",
        classes: labels.len(),
        photos: train.photos.len(),
        unreadable: train.unreadable.len() + val.unreadable.len(),
        kept: train.kept + val.kept,
        c: None,
        epochs: Some(epochs),
        held_out: None,
        val: measured.map(|(_, accuracy)| Val {
            top_1: 100.0 * accuracy,
            top_5: None,
            images: val.photos.len(),
            also_in_train: val.shared_with(&train),
            most_confused: Vec::new(),
        }),
        seconds: Seconds { features, training },
    };
    if let Some(v) = &answer.val {
        say(&format!("top-1 {:.2} % of {} {what}", v.top_1, v.images));
        if v.also_in_train > 0 {
            say(&format!("note: {} of them were learnt from too, so this flatters", v.also_in_train));
        }
    }
    say(&format!("{name} is in {}", answer.out));
    if wants_json(arguments.json) {
        json(&answer)?;
    }
    train.check_all_read(&val)
}

/// Every tenth photo of each class that has so many, else the last of one that has five.
fn hold_out(train: &mut Set, classes: usize) -> Set {
    let mut of_class = vec![0; classes];
    train.photos.iter().for_each(|photo| of_class[photo.class] += 1);
    let mut seen = vec![0; classes];
    let (held, kept): (Vec<Featured>, Vec<Featured>) =
        std::mem::take(&mut train.photos).into_iter().partition(|photo| {
            let all = of_class[photo.class];
            seen[photo.class] += 1;
            let place: usize = seen[photo.class];
            if all >= HELD_OUT { place.is_multiple_of(HELD_OUT) } else { all >= HELD_OUT / 2 && place == all }
        });
    train.photos = kept;
    Set { photos: held, ..Set::default() }
}

fn learn_all(
    arguments: &Arguments,
    base: &ModelFolder,
    labels: &[Label],
    train_set: &Set,
    val: &Set,
    width: usize,
    threads: NonZeroUsize,
) -> Result<Trained, Failure> {
    say("a linear head to begin with");
    let lesson = learn(arguments.c, labels, train_set, width, threads)?;
    let (header, mut values) = base.values()?;
    let config = Config { classes: labels.len(), ..header.config };
    let settings = settings(arguments, &config)?;
    values.insert("head.weight".into(), lesson.weights);
    values.insert("head.bias".into(), lesson.bias);
    let network = Network::new(config, &values).map_err(refused)?;
    drop(values);

    let state = state_file(&arguments.out);
    if arguments.restart && state.exists() {
        std::fs::remove_file(&state)
            .map_err(|e| Failure::Data(format!("cannot remove {}: {e}", state.display())))?;
    }
    let classes = |set: &Set| set.photos.iter().map(|photo| photo.class).collect::<Vec<_>>();
    let (train_classes, val_classes) = (classes(train_set), classes(val));
    let (load, load_val) = (|i: usize| read(&train_set.photos[i]), |i: usize| read(&val.photos[i]));
    let steps_an_epoch = train_classes.len().div_ceil(settings.batch);
    let line_every = steps_an_epoch.div_ceil(LINES).max(1);
    let mut tell = |progress: Progress| {
        match progress {
            Progress::Resumed { step } => say(&format!("going on after step {step} ({})", state.display())),
            Progress::Step { step, steps, loss } if step.is_multiple_of(line_every) => {
                say(&format!("step {step} of {steps}: loss {loss:.4}"));
            }
            Progress::Step { .. } => {}
            Progress::Epoch { number, epoch, best } => {
                let val = epoch.validation.map_or(String::new(), |(loss, accuracy)| {
                    format!("; validation: loss {loss:.4}, {:.2} % right", 100.0 * accuracy)
                });
                let best = if best { ", the best so far" } else { "" };
                let (n, loss, right) = (number + 1, epoch.loss, 100.0 * epoch.accuracy);
                say(&format!(
                    "epoch {n} of {}: loss {loss:.4}, {right:.2} % right{val}{best}",
                    settings.epochs
                ));
            }
        }
        ControlFlow::Continue(())
    };
    let identity = identity(base, labels, train_set, val, arguments.c);
    let trained = train(
        network,
        Photos { classes: &train_classes, load: &load },
        Photos { classes: &val_classes, load: &load_val },
        &settings,
        Some(&state),
        &identity,
        &mut tell,
    );
    let trained = trained.map_err(refused)?;
    trained.ok_or_else(|| Failure::Data("training was broken off".into()))
}

fn settings(arguments: &Arguments, config: &Config) -> Result<Settings, Failure> {
    let first_layer = match arguments.blocks.unwrap_or(Blocks::Last(BLOCKS.min(config.depth))) {
        Blocks::All => 0,
        Blocks::Last(n) if n <= config.depth => config.depth + 1 - n,
        Blocks::Last(n) => {
            let depth = config.depth;
            return Err(Failure::Usage(format!(
                "--blocks: expected at most {depth}, the network's, or \"all\", got {n}"
            )));
        }
    };
    let epochs = arguments.epochs.map_or(EPOCHS, usize::from);
    Ok(Settings {
        epochs,
        batch: arguments.batch.map_or(BATCH, usize::from),
        rate: arguments.lr.unwrap_or(RATE),
        layer_decay: arguments.layer_decay.unwrap_or(LAYER_DECAY),
        weight_decay: WEIGHT_DECAY,
        smoothing: arguments.smoothing.unwrap_or(SMOOTHING),
        warmup: (epochs as f64 / 10.0).min(1.0),
        first_layer,
        seed: arguments.seed.unwrap_or(0),
        save_every: SAVE_EVERY,
    })
}

/// What a run is of: model, classes and photos.
fn identity(base: &ModelFolder, labels: &[Label], train: &Set, val: &Set, c: Option<f64>) -> String {
    let mut text = base.manifest().sha256.clone();
    labels.iter().for_each(|label| text.extend(["\0", label.wnid.as_str(), "\0", label.en.as_str()]));
    for photo in train.photos.iter().chain(&val.photos) {
        text.push_str(&format!("\0{}\0{}", photo.sha256, photo.class));
    }
    text.push_str(&format!("\0{} {c:?}", train.photos.len()));
    sha256(text.as_bytes())
}

/// Where a run is saved while it lasts: beside the folder that it will write.
fn state_file(out: &Path) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    out.with_file_name(format!("{name}.training.safetensors"))
}

fn read(photo: &Featured) -> Result<Rgb, String> {
    let fault = |e: String| format!("{}: {e}", photo.file.display());
    let bytes =
        std::fs::read(&photo.file).map_err(|e| fault(format!("the file can't be read any more: {e}")))?;
    decode_photo(&bytes).map(|photo| photo.rgb).map_err(|e| fault(e.to_string()))
}

fn how(arguments: &Arguments, trained: &Trained) -> String {
    let what = match arguments.blocks.unwrap_or(Blocks::Last(BLOCKS)) {
        Blocks::All => "The whole network".to_owned(),
        Blocks::Last(0) => "The head".to_owned(),
        Blocks::Last(n) => format!("The head and the last {n} blocks"),
    };
    let (best, epochs) = (trained.best + 1, trained.history.len());
    format!("{what} learnt by backpropagation (AdamW); these weights are those of epoch {best} of {epochs}.")
}

fn refused(error: FinetuneError) -> Failure {
    match error {
        FinetuneError::Setting { .. } => Failure::Usage(error.to_string()),
        FinetuneError::State { .. } => {
            Failure::Usage(format!("{error}; begin anew with --restart, or choose another --out"))
        }
        _ => Failure::Data(error.to_string()),
    }
}

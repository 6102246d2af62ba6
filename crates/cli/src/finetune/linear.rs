//! `--method linear`: features, then a head on them.

use super::Arguments;
use super::card::Card;
use super::features::Set;
use super::prepare::{Prepared, counts, refused, write};
use super::report::{Answer, HeldOut, Report, Seconds, Table, Val, most_confused};
use crate::engine;
use crate::failure::Failure;
use crate::output::{json, say, wants_json};
use beit::labels::Label;
use beit::topk::top_k;
use checkpoint::retrained::{NewModel, NewWeights};
use head::{Confusion, Examples, Head, HeadError, Lesson, Options, Progress, teach};
use kernels::Isa;
use std::num::NonZeroUsize;
use std::time::Instant;

pub fn run(arguments: &Arguments, threads: NonZeroUsize) -> Result<(), Failure> {
    let Prepared { base, name, labels, width, train, val, seconds: features_seconds } =
        Prepared::new(arguments, threads)?;
    let has_val = arguments.val.is_some();
    let (sha256, identity) = (base.manifest().sha256.clone(), base.manifest().identity());
    let begun = Instant::now();
    let lesson = learn(arguments.c, &labels, &train, width, threads)?;
    let training_seconds = begun.elapsed().as_secs_f64();
    let head = Head::of(&lesson, labels.clone(), &base.manifest().name, &identity).map_err(refused)?;
    let measured = has_val.then(|| measure(&head, &val)).transpose()?;

    let counts = counts(&labels, &train);
    let mut rows = Vec::new();
    if let Some(validation) = &lesson.validation {
        let what = "training photos, held out in turn";
        rows.push((what, validation.confusion.accuracy(), validation.confusion.all() as usize));
    }
    if let Some(measured) = &measured {
        rows.push(("validation photos", measured.confusion.accuracy(), val.photos.len()));
    }
    let card = Card {
        name: &name,
        base: &base.manifest().name,
        base_sha256: &sha256,
        how: format!("The network is unchanged; the head is logistic regression with C = {:.4}.", lesson.c),
        classes: labels.iter().map(|label| label.en.as_str()).zip(counts).collect(),
        measured: rows,
    };
    let new = NewModel {
        out: arguments.out.clone(),
        name: name.clone(),
        labels: labels.clone(),
        weights: NewWeights::Head { weight: lesson.weights.clone(), bias: lesson.bias.clone() },
        card: card.markdown(),
    };
    new.write(&base)?;
    if let Some(path) = &arguments.head {
        write(path, &head.to_bytes().map_err(refused)?)?;
    }
    if let Some(path) = &arguments.report {
        let held_out = lesson.validation.as_ref();
        let report = Report {
            classes: labels.iter().map(|label| label.en.as_str()).collect(),
            held_out: held_out.map(|v| Table::new(&v.confusion, &labels, &train.photos, &v.answers)),
            val: measured.as_ref().map(|m| Table::new(&m.confusion, &labels, &val.photos, &m.answers)),
        };
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        write(path, text.as_bytes())?;
    }
    let answer = Answer {
        out: arguments.out.display().to_string(),
        name: &name,
        method: "linear",
        classes: labels.len(),
        photos: train.photos.len(),
        unreadable: train.unreadable.len() + val.unreadable.len(),
        kept: train.kept + val.kept,
        c: Some(lesson.c),
        epochs: None,
        held_out: lesson.validation.as_ref().map(|v| HeldOut {
            top_1: 100.0 * v.confusion.accuracy(),
            images: v.confusion.all(),
            folds: v.folds,
            most_confused: most_confused(&v.confusion, &labels),
        }),
        val: measured.as_ref().map(|m| Val {
            top_1: 100.0 * m.confusion.accuracy(),
            top_5: Some(100.0 * m.top_5 as f64 / val.photos.len().max(1) as f64),
            images: val.photos.len(),
            also_in_train: val.shared_with(&train),
            most_confused: most_confused(&m.confusion, &labels),
        }),
        seconds: Seconds { features: features_seconds, training: training_seconds },
    };
    say_summary(&answer);
    if wants_json(arguments.json) {
        json(&answer)?;
    }
    train.check_all_read(&val)
}

/// Below this many products a pass over the examples is done by one thread: others take longer to wake.
const SMALL: usize = 4_000_000;

/// Trains on the photos that could be read.
pub fn learn(
    c: Option<f64>,
    labels: &[Label],
    train: &Set,
    width: usize,
    threads: NonZeroUsize,
) -> Result<Lesson, Failure> {
    let features = train.photos.iter().flat_map(|photo| photo.features.iter().copied()).collect();
    let classes = train.photos.iter().map(|photo| photo.class).collect();
    let examples = Examples::new(width, labels.len(), features, classes).map_err(|error| match error {
        HeadError::NoExample { class } => {
            Failure::Data(format!("no photo of the class {:?} could be read", labels[class].en))
        }
        other => refused(other),
    })?;
    let options = Options { c, ..Options::default() };
    let progress = |progress| match progress {
        Progress::Tried(t) => say(&format!(
            "C = {:.4}: {:.2} % right on photos held out, loss {:.4}",
            t.c,
            100.0 * t.accuracy,
            t.loss
        )),
        Progress::HeldOut { .. } => {}
    };
    let work = examples.len() * width * labels.len();
    let threads = if work < SMALL { NonZeroUsize::MIN } else { threads };
    engine::pool(threads)?.install(|| teach(Isa::best(), &examples, &options, progress)).map_err(refused)
}

/// The head's answers to photos it was not trained on.
struct Measured {
    answers: Vec<Option<usize>>,
    confusion: Confusion,
    top_5: usize,
}

fn measure(head: &Head, val: &Set) -> Result<Measured, Failure> {
    let mut measured =
        Measured { answers: Vec::new(), confusion: Confusion::new(head.classes().len()), top_5: 0 };
    for photo in &val.photos {
        let best = top_k(&head.logits(&photo.features).map_err(refused)?, 5);
        let answer = best.first().map(|(class, _)| *class);
        if let Some(answer) = answer {
            measured.confusion.add(photo.class, answer);
        }
        measured.answers.push(answer);
        measured.top_5 += usize::from(best.iter().any(|(class, _)| *class == photo.class));
    }
    Ok(measured)
}

fn say_summary(answer: &Answer) {
    let Answer { held_out, val, seconds, .. } = answer;
    match held_out {
        Some(h) => say(&format!("top-1 {:.2} % of {} training photos, held out in turn", h.top_1, h.images)),
        None => say("with one photo a class there is none to hold out; --val FOLDER measures the head"),
    }
    if let Some(v) = val {
        let top_5 = v.top_5.map_or(String::new(), |top_5| format!(", top-5 {top_5:.2} %"));
        say(&format!("top-1 {:.2} %{top_5} of {} validation photos", v.top_1, v.images));
        if v.also_in_train > 0 {
            say(&format!("note: {} of them were learnt from too, so this flatters", v.also_in_train));
        }
    }
    let (features, training) = (seconds.features, seconds.training);
    say(&format!("{features:.1} s for features ({} kept), {training:.1} s for training", answer.kept));
    say(&format!("{} is in {}", answer.name, answer.out));
}

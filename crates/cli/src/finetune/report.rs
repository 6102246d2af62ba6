//! What was learnt, as JSON.

use super::features::Featured;
use beit::labels::Label;
use head::Confusion;
use serde::Serialize;

/// Pairs named in the answer; the rest is in the report's file.
const WORST: usize = 10;

/// The answer on stdout.
#[derive(Serialize)]
pub struct Answer<'a> {
    pub out: String,
    pub name: &'a str,
    pub method: &'static str,
    pub classes: usize,
    /// Photos learnt from.
    pub photos: usize,
    pub unreadable: usize,
    /// Photos whose features were kept from an earlier run.
    pub kept: usize,
    /// Inverse strength of the penalty, of a linear head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c: Option<f64>,
    /// Of a network trained too: how each epoch went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<Epochs>,
    /// On photos held out of the training set in turn; `null` with one photo a class.
    pub held_out: Option<HeldOut>,
    /// On the photos of `--val`.
    pub val: Option<Val>,
    pub seconds: Seconds,
}

#[derive(Serialize)]
pub struct Epochs {
    /// The one whose weights were written, the first being 1.
    pub best: usize,
    pub history: Vec<Epoch>,
}

#[derive(Serialize)]
pub struct Epoch {
    pub loss: f64,
    /// While learning, on parts of photos.
    #[serde(rename = "accuracytop-1")]
    pub top_1: f64,
    pub val_loss: Option<f64>,
    #[serde(rename = "val_accuracytop-1")]
    pub val_top_1: Option<f64>,
}

#[derive(Serialize)]
pub struct HeldOut {
    #[serde(rename = "accuracytop-1")]
    pub top_1: f64,
    pub images: u32,
    /// As many as images where each was held out alone.
    pub folds: usize,
    pub most_confused: Vec<Mistaken>,
}

#[derive(Serialize)]
pub struct Mistaken {
    pub class: String,
    pub answered: String,
    pub times: u32,
}

#[derive(Serialize)]
pub struct Val {
    #[serde(rename = "accuracytop-1")]
    pub top_1: f64,
    #[serde(rename = "accuracytop-5", skip_serializing_if = "Option::is_none")]
    pub top_5: Option<f64>,
    pub images: usize,
    /// Photos that were learnt from too, byte for byte: they flatter.
    pub also_in_train: usize,
    pub most_confused: Vec<Mistaken>,
}

#[derive(Serialize)]
pub struct Seconds {
    pub features: f64,
    pub training: f64,
}

/// The pairs that were mistaken most often.
pub fn most_confused(confusion: &Confusion, labels: &[Label]) -> Vec<Mistaken> {
    let name = |class: usize| labels[class].en.clone();
    let pairs = confusion.mistakes().into_iter().take(WORST);
    pairs
        .map(|(class, answered, times)| Mistaken { class: name(class), answered: name(answered), times })
        .collect()
}

/// The file that `--report` names.
#[derive(Serialize)]
pub struct Report<'a> {
    pub classes: Vec<&'a str>,
    pub held_out: Option<Table<'a>>,
    pub val: Option<Table<'a>>,
}

/// Answers to one set of photos.
#[derive(Serialize)]
pub struct Table<'a> {
    /// `[right class][answered class]`
    pub confusion: Vec<Vec<u32>>,
    pub mistakes: Vec<Mistake<'a>>,
}

#[derive(Serialize)]
pub struct Mistake<'a> {
    pub file: String,
    pub class: &'a str,
    pub answered: &'a str,
}

impl<'a> Table<'a> {
    /// `answers[i]` is what `photos[i]` was taken for.
    pub fn new(
        confusion: &Confusion,
        labels: &'a [Label],
        photos: &[Featured],
        answers: &[Option<usize>],
    ) -> Self {
        let mistake = |(photo, answer): (&Featured, &Option<usize>)| {
            let answer = answer.filter(|answer| *answer != photo.class)?;
            let file = photo.file.display().to_string();
            Some(Mistake { file, class: &labels[photo.class].en, answered: &labels[answer].en })
        };
        Self {
            confusion: (0..labels.len()).map(|class| confusion.row(class).to_vec()).collect(),
            mistakes: photos.iter().zip(answers).filter_map(mistake).collect(),
        }
    }
}

//! A visitor's own classes: features of their photos, and a head trained on them. Nothing here depends on the device, so
//! it outlives a change of device.

use crate::error::TeachError;
use crate::platform::{Clock, Platform};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use beit::labels::Label;
use head::{Examples, Head, HeadError, Options, Progress, train_head};
use kernels::Isa;
use protocol::Reply;
use protocol::teach::{OwnHead, TaughtClass, TeachReply, TrainingReport};
use std::collections::HashMap;

/// The longest name of a class.
const LONGEST_NAME: usize = 100;

/// What is remembered between messages.
#[derive(Default)]
pub struct OwnClasses {
    features: HashMap<u64, Vec<f32>>,
    /// The head in the place of the model's own.
    pub head: Option<Head>,
}

impl OwnClasses {
    /// Keeps a photo's features.
    pub fn keep(&mut self, photo: u64, features: Vec<f32>) {
        self.features.insert(photo, features);
    }

    pub fn forget(&mut self, photos: &[u64]) {
        for photo in photos {
            self.features.remove(photo);
        }
    }

    /// Trains a head for the model with this name and hash on the processor, telling the page how it goes.
    pub fn train(
        &self,
        platform: &impl Platform,
        classes: &[TaughtClass],
        model: &str,
        sha256: &str,
    ) -> Result<(Head, TrainingReport), TeachError> {
        let names = class_names(classes)?;
        let (mut features, mut labels, mut photos) = (Vec::new(), Vec::new(), Vec::new());
        for (number, class) in classes.iter().enumerate() {
            for photo in &class.photos {
                features.extend(self.features.get(photo).ok_or(TeachError::NoFeatures)?);
                labels.push(number);
                photos.push(*photo);
            }
        }
        let width = features.len() / labels.len().max(1);
        let examples = Examples::new(width, classes.len(), features, labels);
        let examples = examples.map_err(|error| match error {
            HeadError::TooFewClasses { .. } | HeadError::NoExample { .. } => TeachError::TooFew,
            other => TeachError::Head(other),
        })?;
        let begun = platform.clock().now();
        let trained = train_head(Isa::best(), &examples, &Options::default(), |progress| {
            if let Progress::Tried(tried) = progress {
                platform.post(&Reply::Teach(TeachReply::Tried { accuracy: tried.accuracy }));
            }
        })?;
        let ms = platform.clock().now() - begun;
        let wrong = |answers: &[Option<usize>]| -> Vec<(u64, usize)> {
            let answered = photos.iter().zip(answers).zip(examples.labels());
            answered
                .filter_map(|((photo, answer), label)| Some((*photo, answer.filter(|a| a != label)?)))
                .collect()
        };
        let mut report = TrainingReport {
            classes: names.clone(),
            held_out: 0,
            right: 0,
            folds: 0,
            confusion: Vec::new(),
            mistakes: Vec::new(),
            ms,
        };
        if let Some(validation) = &trained.validation {
            report.held_out = validation.confusion.all();
            report.right = validation.confusion.right();
            report.folds = validation.folds;
            report.confusion =
                (0..names.len()).map(|class| validation.confusion.row(class).to_vec()).collect();
            report.mistakes = wrong(&validation.answers);
        }
        let label = |name: &String| Label { wnid: String::new(), en: name.clone(), zh: name.clone() };
        let head = Head::of(&trained, names.iter().map(label).collect(), model, sha256)?;
        Ok((head, report))
    }
}

/// The head as the page keeps it.
pub fn own_head(head: &Head) -> Result<OwnHead, TeachError> {
    let classes = head.classes().iter().map(|label| label.en.clone()).collect();
    Ok(OwnHead { classes, file: STANDARD.encode(head.to_bytes()?) })
}

/// The head in a file, if it was made for the model of this name and identity.
pub fn read_head(bytes: &[u8], model: &str, sha256: &str) -> Result<Head, TeachError> {
    let head = Head::from_bytes(bytes)?;
    head.check_model(model, sha256)?;
    Ok(head)
}

/// The bytes behind base64 text.
pub fn decode_base64(text: &str) -> Result<Vec<u8>, TeachError> {
    STANDARD.decode(text).map_err(|_| TeachError::Text)
}

/// The classes' names, trimmed, if none is empty or stands twice.
fn class_names(classes: &[TaughtClass]) -> Result<Vec<String>, TeachError> {
    let names: Vec<String> =
        classes.iter().map(|class| class.name.trim().chars().take(LONGEST_NAME).collect()).collect();
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    if sorted.len() < names.len() || names.iter().any(String::is_empty) {
        return Err(TeachError::Names);
    }
    Ok(names)
}

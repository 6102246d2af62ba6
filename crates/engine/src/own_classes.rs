//! A visitor's own classes: features kept, a head trained on them and put in the model's head's place.

use crate::error::TeachError;
use crate::platform::{Clock, Platform};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use beit::backend::{Backend, Linear};
use beit::labels::Label;
use beit::model::Model;
use beit::weights::TensorData;
use head::{Examples, Head, HeadError, Options, Progress, teach};
use kernels::Isa;
use protocol::Reply;
use protocol::teach::{Lesson, OwnHead, TaughtClass, TeachReply};
use std::collections::HashMap;

/// The longest name of a class.
const LONGEST_NAME: usize = 100;

/// What was taught, without the device it was taught on.
#[derive(Default)]
pub struct Taught {
    pub features: HashMap<u64, Vec<f32>>,
    /// In the place of the model's own.
    pub head: Option<Head>,
}

/// What is remembered between messages.
pub struct OwnClasses<B: Backend> {
    features: HashMap<u64, Vec<f32>>,
    /// The head in the place of the model's own.
    head: Option<Head>,
    /// The model's own head and labels while another is in its place.
    models: Option<(usize, Linear<B>, Vec<Label>)>,
}

impl<B: Backend> Default for OwnClasses<B> {
    fn default() -> Self {
        Self { features: HashMap::new(), head: None, models: None }
    }
}

impl<B: Backend> OwnClasses<B> {
    /// Keeps a photo's features.
    pub fn keep(&mut self, photo: u64, features: Vec<f32>) {
        self.features.insert(photo, features);
    }

    pub fn taught(self) -> Taught {
        Taught { features: self.features, head: self.head }
    }

    pub fn take_over(&mut self, features: HashMap<u64, Vec<f32>>) {
        self.features = features;
    }

    pub fn forget(&mut self, photos: &[u64]) {
        for photo in photos {
            self.features.remove(photo);
        }
    }

    /// Trains a head for the model with this name and hash, telling the page how it goes.
    pub fn train(
        &self,
        platform: &impl Platform,
        isa: Isa,
        classes: &[TaughtClass],
        model: &str,
        sha256: &str,
    ) -> Result<(Head, Lesson), TeachError> {
        let names = named(classes)?;
        let (mut features, mut labels, mut photos) = (Vec::new(), Vec::new(), Vec::new());
        for (number, class) in classes.iter().enumerate() {
            for photo in &class.photos {
                features.extend(self.features.get(photo).ok_or(TeachError::NotSeen)?);
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
        let taught = teach(isa, &examples, &Options::default(), |progress| {
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
        let lesson = match &taught.validation {
            None => Lesson {
                classes: names.clone(),
                held_out: 0,
                right: 0,
                folds: 0,
                confusion: Vec::new(),
                mistakes: Vec::new(),
                ms,
            },
            Some(validation) => Lesson {
                classes: names.clone(),
                held_out: validation.confusion.all(),
                right: validation.confusion.right(),
                folds: validation.folds,
                confusion: (0..names.len()).map(|class| validation.confusion.row(class).to_vec()).collect(),
                mistakes: wrong(&validation.answers),
                ms,
            },
        };
        let label = |name: &String| Label { wnid: String::new(), en: name.clone(), zh: name.clone() };
        let head = Head::of(&taught, names.iter().map(label).collect(), model, sha256)?;
        Ok((head, lesson))
    }

    /// Puts a head in the place of the model's own.
    pub fn set_head(
        &mut self,
        head: &Head,
        model: &mut Model<B>,
        labels: &mut Vec<Label>,
    ) -> Result<OwnHead, TeachError> {
        // A file may claim the right model and hold another width.
        let width = model.config().width;
        if head.width() != width {
            return Err(HeadError::Shape {
                what: "features of the head",
                expected: width,
                got: head.width(),
            }
            .into());
        }
        let classes = head.classes().len();
        let weight = TensorData::Dense(head.weights().to_vec());
        let linear = Linear {
            weight: model.backend().matrix(classes, head.width(), weight)?,
            bias: model.backend().vector(head.bias().to_vec())?,
        };
        let file = STANDARD.encode(head.to_bytes()?);
        let (old_classes, old) = model.replace_head(classes, linear);
        let old_labels = std::mem::replace(labels, head.classes().to_vec());
        self.models.get_or_insert((old_classes, old, old_labels));
        self.head = Some(head.clone());
        Ok(OwnHead { classes: head.classes().iter().map(|label| label.en.clone()).collect(), file })
    }

    /// Puts the model's own head back.
    pub fn restore_head(&mut self, model: &mut Model<B>, labels: &mut Vec<Label>) {
        self.head = None;
        if let Some((classes, head, own)) = self.models.take() {
            model.replace_head(classes, head);
            *labels = own;
        }
    }
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

/// The classes' names without blanks around them, each there and unlike the others.
fn named(classes: &[TaughtClass]) -> Result<Vec<String>, TeachError> {
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

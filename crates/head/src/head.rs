//! A trained head.

use crate::fit::Weights;
use crate::{HeadError, TrainedHead};
use beit::labels::Label;

/// One row of weights a class, on the features of one certain model.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    classes: Vec<Label>,
    width: usize,
    weights: Weights,
    model: String,
    model_sha256: String,
}

impl Head {
    /// `weights` is `[classes, width]`, `bias` `[classes]`. `model` is the name of the model whose features these
    /// weights read, `model_sha256` its identity: the hash of its shards' hashes.
    ///
    /// # Errors
    /// When the shapes don't match, there are fewer than two classes, or a weight is not finite.
    pub fn new(
        classes: Vec<Label>,
        weights: Vec<f32>,
        bias: Vec<f32>,
        model: &str,
        model_sha256: &str,
    ) -> Result<Self, HeadError> {
        if classes.len() < 2 {
            return Err(HeadError::TooFewClasses { got: classes.len() });
        }
        HeadError::expect("biases", classes.len(), bias.len())?;
        let width = weights.len() / classes.len();
        HeadError::expect("weights", classes.len() * width.max(1), weights.len())?;
        if !weights.iter().chain(&bias).all(|value| value.is_finite()) {
            return Err(HeadError::file("it holds values that are not finite"));
        }
        let (model, model_sha256) = (model.to_owned(), model_sha256.to_owned());
        Ok(Self { classes, width, weights: Weights { weights, bias }, model, model_sha256 })
    }

    /// A head that was trained.
    ///
    /// # Errors
    /// As [`Head::new`].
    pub fn of(
        trained: &TrainedHead,
        classes: Vec<Label>,
        model: &str,
        model_sha256: &str,
    ) -> Result<Self, HeadError> {
        Self::new(classes, trained.weights.clone(), trained.bias.clone(), model, model_sha256)
    }

    /// One logit for each class.
    ///
    /// # Errors
    /// When the features are of another length than those it was trained on.
    pub fn logits(&self, features: &[f32]) -> Result<Vec<f32>, HeadError> {
        HeadError::expect("features", self.width, features.len())?;
        Ok(self.weights.logits(features))
    }

    /// The classes' names, in the order of the logits.
    pub fn classes(&self) -> &[Label] {
        &self.classes
    }

    /// Length of the features it reads.
    pub fn width(&self) -> usize {
        self.width
    }

    /// `[classes, width]`, row-major.
    pub fn weights(&self) -> &[f32] {
        &self.weights.weights
    }

    /// `[classes]`
    pub fn bias(&self) -> &[f32] {
        &self.weights.bias
    }

    /// Name of the model it belongs to.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// SHA-256 of the model it belongs to.
    pub fn model_sha256(&self) -> &str {
        &self.model_sha256
    }
}

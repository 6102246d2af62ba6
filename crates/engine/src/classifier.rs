//! A loaded model and what it computes of photos, whatever backend it runs on.

use crate::error::{PhotoError, TeachError};
use beit::backend::{Backend, Linear, Stage};
use beit::calibration::Calibration;
use beit::classes::Classes;
use beit::config::Config;
use beit::labels::Label;
use beit::model::Model;
use beit::preprocess::Pixels;
use beit::weights::TensorData;
use futures_util::future::LocalBoxFuture;
use head::{Head, HeadError};
use protocol::{Area, HeatMap};

/// What a classifier computes asynchronously: on a GPU, results have to be waited for.
pub type Computed<'a, T> = LocalBoxFuture<'a, Result<T, PhotoError>>;

/// A model that answers, with the type of its backend erased.
pub trait Classifier {
    fn config(&self) -> &Config;

    /// The classes' names, in the order of the logits, and their kinds.
    fn classes(&self) -> &Classes;

    fn labels(&self) -> &[Label] {
        &self.classes().labels
    }

    /// How to read the logits of the head in use, where that was measured.
    fn calibration(&self) -> Option<&Calibration>;

    /// Sets what was measured for the model's own head; it counts for no other one.
    fn set_calibration(&mut self, calibration: Option<Calibration>);

    /// pixels → logits, of all photos in one pass. `block_done` is called with each block's number.
    fn logits<'a>(
        &'a self,
        photos: &'a [Pixels],
        block_done: &'a mut dyn FnMut(usize),
    ) -> Computed<'a, Vec<Vec<f32>>>;

    /// Milliseconds of each stage since this was last asked.
    fn take_times(&self) -> Vec<(Stage, f64)>;

    /// Whether this photo was explained last: it can be explained again without its pixels.
    fn remembers(&self, photo: u64) -> bool;

    /// pixels → last tokens → heat map of one class. `seen` is where the pixels lie on the photo.
    fn explain<'a>(
        &'a mut self,
        photo: u64,
        pixels: Option<(Pixels, Area)>,
        class: usize,
    ) -> Computed<'a, HeatMap>;

    /// pixels → pooled features, the input of the head.
    fn features<'a>(&'a self, pixels: &'a Pixels) -> Computed<'a, Vec<f32>>;

    /// Replaces the head, and the labels with it.
    fn set_head(&mut self, head: &Head) -> Result<(), TeachError>;

    /// Puts the model's own head back.
    fn restore_head(&mut self);
}

/// A [`Classifier`] on one backend.
pub struct BackendClassifier<B: Backend> {
    model: Model<B>,
    classes: Classes,
    /// Of the model's own head.
    calibration: Option<Calibration>,
    /// The model's own head, with its number of classes and what they are, while another is in its place.
    original: Option<(usize, Linear<B>, Classes)>,
    /// The photo explained last.
    explained: Option<Explained<B>>,
}

/// A photo's last tokens, kept so that its other classes can be explained at once.
struct Explained<B: Backend> {
    photo: u64,
    tokens: B::Tokens,
    seen: Area,
}

impl<B: Backend> BackendClassifier<B> {
    pub fn new(model: Model<B>, classes: Classes) -> Self {
        Self { model, classes, calibration: None, original: None, explained: None }
    }

    /// The heads differ in what they explain.
    fn clear_explanation(&mut self) {
        self.explained = None;
    }
}

impl<B: Backend + 'static> Classifier for BackendClassifier<B> {
    fn config(&self) -> &Config {
        self.model.config()
    }

    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref().filter(|_| self.original.is_none())
    }

    fn set_calibration(&mut self, calibration: Option<Calibration>) {
        self.calibration = calibration;
    }

    fn logits<'a>(
        &'a self,
        photos: &'a [Pixels],
        block_done: &'a mut dyn FnMut(usize),
    ) -> Computed<'a, Vec<Vec<f32>>> {
        Box::pin(async move { Ok(self.model.logits_with_progress(photos, block_done).await?) })
    }

    fn take_times(&self) -> Vec<(Stage, f64)> {
        self.model.backend().take_times()
    }

    fn remembers(&self, photo: u64) -> bool {
        self.explained.as_ref().is_some_and(|explained| explained.photo == photo)
    }

    fn explain<'a>(
        &'a mut self,
        photo: u64,
        pixels: Option<(Pixels, Area)>,
        class: usize,
    ) -> Computed<'a, HeatMap> {
        Box::pin(async move {
            let explained = match self.explained.take().filter(|explained| explained.photo == photo) {
                Some(explained) => explained,
                None => {
                    let (pixels, seen) = pixels.ok_or(PhotoError::Unreadable)?;
                    Explained { photo, tokens: self.model.tokens(&pixels, |_, _| ())?, seen }
                }
            };
            let map = self.model.heat_map(&explained.tokens, class).await?;
            let seen = explained.seen;
            self.explained = Some(explained);
            let beit::heatmap::HeatMap { grid, contributions, constant, logit } = map;
            Ok(HeatMap { grid, contributions, constant, logit, seen })
        })
    }

    fn features<'a>(&'a self, pixels: &'a Pixels) -> Computed<'a, Vec<f32>> {
        Box::pin(async move {
            let tokens = self.model.tokens(pixels, |_, _| ())?;
            Ok(self.model.backend().read(&self.model.pooled(&tokens)?).await?)
        })
    }

    fn set_head(&mut self, head: &Head) -> Result<(), TeachError> {
        self.clear_explanation();
        // A file may claim the right model and hold another width.
        let width = self.model.config().width;
        if head.width() != width {
            let what = "features of the head";
            return Err(HeadError::Shape { what, expected: width, got: head.width() }.into());
        }
        let classes = head.classes().len();
        let backend = self.model.backend();
        let weight = backend.matrix(classes, width, TensorData::Dense(head.weights().to_vec()))?;
        let linear = Linear { weight, bias: backend.vector(head.bias().to_vec())? };
        let (count, old) = self.model.replace_head(classes, linear);
        let classes = Classes { labels: head.classes().to_vec(), kinds: Vec::new() };
        let replaced = std::mem::replace(&mut self.classes, classes);
        self.original.get_or_insert((count, old, replaced));
        Ok(())
    }

    fn restore_head(&mut self) {
        self.clear_explanation();
        if let Some((count, head, classes)) = self.original.take() {
            self.model.replace_head(count, head);
            self.classes = classes;
        }
    }
}

//! What a loaded model does with photos, on whichever device it runs.

use crate::error::{PhotoError, TeachError};
use crate::own_classes::OwnClasses;
use crate::photo::{self, PhotoDecoder};
use crate::platform::{Bytes, Clock, Platform};
use beit::backend::{Backend, Stage};
use beit::decode::Rgb;
use beit::kinds;
use beit::labels::Label;
use beit::model::Model;
use beit::preprocess::{Pixels, preprocess, resize_and_crop, seen};
use beit::topk::{softmax, top_k};
use protocol::{Answer, Area, HeatMap, Kind, Prediction, Reading, StageTime};

/// A model that answers, its classes, and what it remembers between photos.
pub struct Classifier<B: Backend> {
    pub model: Model<B>,
    pub labels: Vec<Label>,
    pub own_classes: OwnClasses<B>,
    /// The photo explained last.
    explained: Option<Explained<B>>,
}

/// A photo that is decoded: what an answer tells of it beside what is on it.
pub struct Decoded<B> {
    /// Its file.
    bytes: B,
    width: u32,
    height: u32,
    decode_ms: f64,
    reading: Reading,
}

/// A photo's last tokens, kept so that its other classes can be explained at once.
struct Explained<B: Backend> {
    id: u64,
    tokens: B::Tokens,
    seen: Area,
}

impl<B: Backend> Classifier<B> {
    pub fn new(model: Model<B>, labels: Vec<Label>) -> Self {
        Self { model, labels, own_classes: OwnClasses::default(), explained: None }
    }

    /// photo → RGB → pixels
    pub async fn prepare<P: Platform>(
        &self,
        decoder: &PhotoDecoder<'_, P>,
        photo: Option<&P::Photo>,
    ) -> Result<(Decoded<P::Bytes>, Pixels), PhotoError> {
        let clock = decoder.platform.clock();
        let (photo, bytes) = photo::read(photo).await?;
        let begun = clock.now();
        let (rgb, reading) = decoder.decode(photo, &bytes).await?;
        let pixels = self.pixels(&rgb);
        let (width, height) = (rgb.width, rgb.height);
        Ok((Decoded { bytes, width, height, decode_ms: clock.now() - begun, reading }, pixels))
    }

    fn pixels(&self, rgb: &Rgb) -> Pixels {
        preprocess(rgb, &self.model.config().preprocessing)
    }

    /// pixels → logits → top-k, of each photo: all in one pass. `watch` hears of each block, by its number.
    pub async fn classify<F: Bytes>(
        &self,
        clock: &impl Clock,
        photos: &[Decoded<F>],
        pixels: &[Pixels],
        k: usize,
        watch: impl FnMut(usize),
    ) -> Result<Vec<Answer>, PhotoError> {
        let begun = clock.now();
        // What went before, such as the warm-up, is not these photos'.
        self.model.backend().take_times();
        let logits = self.model.watched_logits(pixels, watch).await?;
        let share = 1.0 / logits.len().max(1) as f64;
        let ms = (clock.now() - begun) * share;
        let times = self.model.backend().take_times().into_iter();
        let stage = |(stage, ms): (Stage, f64)| StageTime { name: stage.name().into(), ms: ms * share };
        let stages: Vec<_> = times.map(stage).collect();
        let mut answers = Vec::with_capacity(logits.len());
        for (photo, logits) in photos.iter().zip(logits) {
            if logits.iter().any(|logit| logit.is_nan()) {
                return Err(PhotoError::NotANumber);
            }
            answers.push(Answer { ms, stages: stages.clone(), ..self.answer(photo, &logits, k).await });
        }
        Ok(answers)
    }

    /// The answer but for the network's times.
    async fn answer<F: Bytes>(&self, photo: &Decoded<F>, logits: &[f32], k: usize) -> Answer {
        let labels = &self.labels;
        let prediction = |(index, score): (usize, f32)| {
            let label = labels[index].clone();
            Prediction { index, wnid: label.wnid, label: label.en, label_zh: label.zh, score }
        };
        let kind = kinds::most_specific(labels, &softmax(logits)).map(|(kind, score)| {
            let label = kind.label.clone();
            Kind { wnid: label.wnid, label: label.en, label_zh: label.zh, score }
        });
        Answer {
            predictions: top_k(logits, k).into_iter().map(prediction).collect(),
            width: photo.width,
            height: photo.height,
            decode_ms: photo.decode_ms,
            ms: 0.0,
            stages: Vec::new(),
            kind,
            bytes: photo.bytes.length(),
            sha256: photo.bytes.sha256().await,
            reading: photo.reading.clone(),
        }
    }

    /// Whether this photo can be explained without its picture.
    pub fn remembers(&self, id: u64) -> bool {
        self.explained.as_ref().is_some_and(|explained| explained.id == id)
    }

    /// RGB → … → last tokens → heat map. A photo that it [remembers](Self::remembers) needs no picture.
    pub async fn explain(
        &mut self,
        id: u64,
        photo: Option<&Rgb>,
        class: usize,
    ) -> Result<HeatMap, PhotoError> {
        let explained = match self.explained.take().filter(|explained| explained.id == id) {
            Some(explained) => explained,
            None => self.tokens(id, photo.ok_or(PhotoError::Unreadable)?)?,
        };
        let map = self.model.heat_map(&explained.tokens, class).await?;
        let seen = explained.seen;
        self.explained = Some(explained);
        let beit::heatmap::HeatMap { grid, contributions, constant, logit } = map;
        Ok(HeatMap { grid, contributions, constant, logit, seen })
    }

    fn tokens(&self, id: u64, photo: &Rgb) -> Result<Explained<B>, PhotoError> {
        let how = &self.model.config().preprocessing;
        let (x, y, width, height) = seen(photo.width, photo.height, how);
        let tokens = self.model.tokens(&self.pixels(photo), |_, _| ())?;
        Ok(Explained { id, tokens, seen: Area { x, y, width, height } })
    }

    /// The square that the network sees of the photo.
    pub fn input(&self, photo: &Rgb) -> Rgb {
        resize_and_crop(photo, &self.model.config().preprocessing)
    }

    /// RGB → pixels → tokens → pooled, kept for a head to be trained on.
    pub async fn learn(&mut self, id: u64, photo: &Rgb) -> Result<(), PhotoError> {
        let pixels = self.pixels(photo);
        let tokens = self.model.tokens(&pixels, |_, _| ())?;
        let features = self.model.backend().read(&self.model.pooled(&tokens)?).await?;
        self.own_classes.keep(id, features);
        Ok(())
    }

    /// Puts a head in the place of the model's own.
    pub fn set_head(&mut self, head: &head::Head) -> Result<protocol::teach::OwnHead, TeachError> {
        self.explained = None;
        self.own_classes.set_head(head, &mut self.model, &mut self.labels)
    }

    /// Puts the model's own head back.
    pub fn restore_head(&mut self) {
        self.explained = None;
        self.own_classes.restore_head(&mut self.model, &mut self.labels);
    }
}

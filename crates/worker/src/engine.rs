//! What a loaded model does with photos, on whichever device it runs.

use crate::digest::sha256;
use crate::load::LoadError;
use crate::picture;
use crate::port;
use crate::teach::{TeachError, Teacher};
use beit::backend::{Backend, BackendError, Stage};
use beit::decode::{DecodeError, MAX_FILE_BYTES, Rgb};
use beit::kinds;
use beit::labels::Label;
use beit::model::Model;
use beit::preprocess::{Pixels, preprocess, resize_and_crop, seen};
use beit::topk::{softmax, top_k};
use js_sys::Uint8Array;
use protocol::{Answer, Area, HeatMap, Kind, Prediction, StageTime};
use thiserror::Error;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// A model that answers, its classes, and what it remembers between photos.
pub struct Engine<B: Backend> {
    pub model: Model<B>,
    pub labels: Vec<Label>,
    pub teacher: Teacher<B>,
    /// The photo explained last.
    explained: Option<Explained<B>>,
}

/// What an answer tells of a photo beside what is on it.
pub struct Photo {
    /// Its file, outside wasm's memory.
    bytes: Uint8Array,
    width: u32,
    height: u32,
    decode_ms: f64,
}

/// A photo's last tokens, kept so that its other classes can be explained at once.
struct Explained<B: Backend> {
    id: u64,
    tokens: B::Tokens,
    seen: Area,
}

/// Why a photo could not be answered.
#[derive(Debug, Error)]
pub enum PhotoError {
    #[error("no model is loaded yet")]
    NoModel,
    #[error("the browser does not read the file")]
    Unreadable,
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("the network failed: {0}")]
    Network(#[from] BackendError),
    #[error("the network could not be moved to the processor: {0}")]
    Moving(#[from] LoadError),
}

impl<B: Backend> Engine<B> {
    pub fn new(model: Model<B>, labels: Vec<Label>) -> Self {
        Self { model, labels, teacher: Teacher::default(), explained: None }
    }

    /// photo → RGB → pixels
    pub async fn prepare(&self, photo: Option<Blob>) -> Result<(Photo, Pixels), PhotoError> {
        let (photo, outside) = read(photo).await?;
        let begun = port::now();
        let bytes = outside.to_vec();
        let rgb = picture::decode(&photo, &bytes).await?;
        drop(bytes);
        let pixels = preprocess(&rgb, &self.model.config().preprocessing);
        let (width, height) = (rgb.width, rgb.height);
        Ok((Photo { bytes: outside, width, height, decode_ms: port::now() - begun }, pixels))
    }

    /// pixels → logits → top-k, of each photo: all in one pass. `watch` hears of each block, by its number.
    pub async fn classify(
        &self,
        photos: &[Photo],
        pixels: &[Pixels],
        k: usize,
        watch: impl FnMut(usize),
    ) -> Result<Vec<Answer>, PhotoError> {
        let begun = port::now();
        // What went before, such as the warm-up, is not these photos'.
        self.model.backend().take_times();
        let logits = self.model.watched_logits(pixels, watch).await?;
        let share = 1.0 / logits.len().max(1) as f64;
        let ms = (port::now() - begun) * share;
        let times = self.model.backend().take_times().into_iter();
        let stage = |(stage, ms): (Stage, f64)| StageTime { name: stage.name().into(), ms: ms * share };
        let stages: Vec<_> = times.map(stage).collect();
        let mut answers = Vec::with_capacity(logits.len());
        for (photo, logits) in photos.iter().zip(logits) {
            answers.push(Answer { ms, stages: stages.clone(), ..self.answer(photo, &logits, k).await });
        }
        Ok(answers)
    }

    /// The answer but for the network's times.
    async fn answer(&self, photo: &Photo, logits: &[f32], k: usize) -> Answer {
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
            bytes: u64::from(photo.bytes.length()),
            sha256: sha256(&photo.bytes).await,
        }
    }

    /// photo → … → last tokens → heat map
    pub async fn explain(
        &mut self,
        id: u64,
        photo: Option<Blob>,
        class: usize,
    ) -> Result<HeatMap, PhotoError> {
        let explained = match self.explained.take().filter(|explained| explained.id == id) {
            Some(explained) => explained,
            None => {
                let (photo, bytes) = read(photo).await?;
                let rgb = picture::decode(&photo, &bytes.to_vec()).await?;
                self.tokens(id, &rgb)?
            }
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
        let tokens = self.model.tokens(&preprocess(photo, how), |_, _| ())?;
        Ok(Explained { id, tokens, seen: Area { x, y, width, height } })
    }

    /// The square that the network sees of the photo.
    pub async fn input(&self, photo: Option<Blob>) -> Result<Rgb, PhotoError> {
        let (photo, bytes) = read(photo).await?;
        let rgb = picture::decode(&photo, &bytes.to_vec()).await?;
        Ok(resize_and_crop(&rgb, &self.model.config().preprocessing))
    }

    /// photo → RGB → pixels → tokens → pooled, kept for a head to be trained on.
    pub async fn learn(&mut self, id: u64, photo: Option<Blob>) -> Result<(), PhotoError> {
        let (photo, bytes) = read(photo).await?;
        let rgb = picture::decode(&photo, &bytes.to_vec()).await?;
        let pixels = preprocess(&rgb, &self.model.config().preprocessing);
        drop(rgb);
        let tokens = self.model.tokens(&pixels, |_, _| ())?;
        let features = self.model.backend().read(&self.model.pooled(&tokens)?).await?;
        self.teacher.keep(id, features);
        Ok(())
    }

    /// Puts a head in the place of the model's own.
    pub fn put(&mut self, head: &head::Head) -> Result<protocol::teach::OwnHead, TeachError> {
        self.explained = None;
        self.teacher.put(head, &mut self.model, &mut self.labels)
    }

    /// Puts the model's own head back.
    pub fn put_back(&mut self) {
        self.explained = None;
        self.teacher.put_back(&mut self.model, &mut self.labels);
    }
}

/// The photo and its bytes, outside wasm's memory.
pub async fn read(photo: Option<Blob>) -> Result<(Blob, Uint8Array), PhotoError> {
    let photo = photo.ok_or(PhotoError::Unreadable)?;
    // More than is decoded is not even read; the decoder says so of the length alone.
    if photo.size() > MAX_FILE_BYTES as f64 {
        return Err(DecodeError::FileTooLarge { bytes: photo.size() as u64 }.into());
    }
    let buffer = JsFuture::from(photo.array_buffer()).await.map_err(|_| PhotoError::Unreadable)?;
    let bytes = Uint8Array::new(&buffer);
    Ok((photo, bytes))
}

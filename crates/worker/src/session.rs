//! What the worker does with each message.

use crate::digest::sha256;
use crate::load::{self, Loaded};
use crate::picture;
use crate::port::{self, Message};
use crate::teach::{self, TeachError, Teacher};
use beit::backend::{Backend, BackendError, Cpu, CpuTokens};
use beit::decode::{DecodeError, MAX_FILE_BYTES, Rgb};
use beit::kinds;
use beit::model::Model;
use beit::preprocess::{preprocess, resize_and_crop, seen};
use beit::topk::{softmax, top_k};
use js_sys::Uint8Array;
use kernels::Isa;
use protocol::teach::{OwnHead, TaughtClass, TeachReply, TeachRequest};
use protocol::{Answer, Area, BackendInfo, HeatMap, Kind, Prediction, Reply, Request};
use thiserror::Error;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// The worker's memory between messages: the model, once it is loaded, and the photo explained last.
#[derive(Default)]
pub struct Session {
    loaded: Option<Loaded>,
    teacher: Teacher<Cpu>,
    explained: Option<Explained>,
}

/// A photo's last tokens, kept so that its other classes can be explained at once.
struct Explained {
    id: u64,
    tokens: CpuTokens,
    seen: Area,
}

/// Why a photo could not be answered; the text stands on its card.
#[derive(Debug, Error)]
enum PhotoError {
    #[error("No model is loaded yet.")]
    NoModel,
    #[error("This file could not be read. It may have been moved or deleted since it was dropped.")]
    Unreadable,
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("The network failed on this photo: {0}.")]
    Network(#[from] BackendError),
}

impl Session {
    /// Does what the message asks and replies to the page.
    pub async fn handle(&mut self, message: Message) {
        match message.request {
            Request::Teach(request) => self.teach(request, message.photo).await,
            Request::Load { manifest } => self.load(&manifest).await,
            Request::Classify { id, top_k } => {
                port::post(&Reply::Started { id });
                port::post(&match self.classify(message.photo, top_k).await {
                    Ok(answer) => Reply::Done { id, answer },
                    Err(error) => Reply::Failed { id, message: error.to_string() },
                });
            }
            Request::Explain { id, class } => {
                port::post(&match self.explain(id, message.photo, class).await {
                    Ok(heat_map) => Reply::Explained { id, class, heat_map },
                    Err(error) => Reply::NotShown { id, message: error.to_string() },
                });
            }
            Request::ShowInput { id } => match self.input(message.photo).await {
                Ok(square) => {
                    let rgba: Vec<u8> = square
                        .pixels
                        .as_chunks::<3>()
                        .0
                        .iter()
                        .flat_map(|&[r, g, b]| [r, g, b, 255])
                        .collect();
                    port::post_with(&Reply::Input { id, side: square.width as usize }, &rgba);
                }
                Err(error) => port::post(&Reply::NotShown { id, message: error.to_string() }),
            },
        }
    }

    /// What the page asks about a visitor's own classes.
    async fn teach(&mut self, request: TeachRequest, file: Option<Blob>) {
        let reply = match request {
            TeachRequest::See { photo } => match self.features(file).await {
                Ok(features) => {
                    self.teacher.keep(photo, features);
                    TeachReply::Seen { photo }
                }
                Err(error) => TeachReply::NotSeen { photo, message: error.to_string() },
            },
            TeachRequest::Forget { photos } => return self.teacher.forget(&photos),
            TeachRequest::Train { classes } => match self.train(&classes) {
                Ok(head) => TeachReply::OwnClasses { head },
                Err(error) => TeachReply::NotTaught { message: error.to_string() },
            },
            TeachRequest::Use { file } => own(teach::decode(&file).and_then(|bytes| self.put(&bytes))),
            TeachRequest::Import => own(match read(file).await {
                Ok((_, bytes)) => self.put(&bytes.to_vec()),
                Err(_) => Err(TeachError::Unreadable),
            }),
            TeachRequest::UseModels => {
                if let Some(loaded) = &mut self.loaded {
                    self.teacher.put_back(&mut loaded.model, &mut loaded.labels);
                }
                TeachReply::ModelsClasses
            }
        };
        port::post(&Reply::Teach(reply));
    }

    /// photo → RGB → pixels → tokens → pooled
    async fn features(&self, photo: Option<Blob>) -> Result<Vec<f32>, PhotoError> {
        let Loaded { model, .. } = self.loaded.as_ref().ok_or(PhotoError::NoModel)?;
        let (photo, bytes) = read(photo).await?;
        let rgb = picture::decode(&photo, &bytes.to_vec()).await?;
        let pixels = preprocess(&rgb, &model.config().preprocessing);
        drop(rgb);
        let tokens = model.tokens(&pixels, |_, _| ())?;
        Ok(model.backend().read(&model.pooled(&tokens)?).await?)
    }

    /// Trains a head and puts it in the model's place.
    fn train(&mut self, classes: &[TaughtClass]) -> Result<OwnHead, TeachError> {
        let loaded = self.loaded.as_mut().ok_or(TeachError::NoModel)?;
        let (name, sha256) = (&loaded.info.name, &loaded.info.sha256);
        let isa = loaded.model.backend().isa();
        let (head, lesson) = self.teacher.train(isa, classes, name, sha256)?;
        let own = self.teacher.put(&head, &mut loaded.model, &mut loaded.labels)?;
        port::post(&Reply::Teach(TeachReply::Taught { lesson }));
        Ok(own)
    }

    /// Puts the head in a file in the model's place.
    fn put(&mut self, file: &[u8]) -> Result<OwnHead, TeachError> {
        let loaded = self.loaded.as_mut().ok_or(TeachError::NoModel)?;
        let head = teach::read(file, loaded)?;
        self.teacher.put(&head, &mut loaded.model, &mut loaded.labels)
    }

    async fn load(&mut self, manifest_url: &str) {
        let isa = Isa::best();
        match load::load(manifest_url, isa).await {
            Ok(loaded) => {
                let backend = BackendInfo {
                    kind: "cpu".into(),
                    detail: isa.name().into(),
                    threads: 1,
                    reason: "The network runs on the processor, on one thread.".into(),
                };
                port::post(&Reply::Ready { model: loaded.info.clone(), backend, kept: loaded.kept });
                self.loaded = Some(loaded);
            }
            Err(error) => port::post(&Reply::LoadFailed { message: error.to_string() }),
        }
    }

    /// photo → RGB → pixels → logits → top-k
    async fn classify(&self, photo: Option<Blob>, k: usize) -> Result<Answer, PhotoError> {
        let Loaded { model, labels, .. } = self.loaded.as_ref().ok_or(PhotoError::NoModel)?;
        let (photo, outside) = read(photo).await?;
        let begun = port::now();
        let bytes = outside.to_vec();
        let rgb = picture::decode(&photo, &bytes).await?;
        drop(bytes);
        let pixels = preprocess(&rgb, &model.config().preprocessing);
        let (width, height) = (rgb.width, rgb.height);
        drop(rgb);
        let prepared = port::now();
        let logits = model.logits(&pixels).await?;
        let done = port::now();
        let prediction = |(index, score): (usize, f32)| {
            let label = labels[index].clone();
            Prediction { index, wnid: label.wnid, label: label.en, label_zh: label.zh, score }
        };
        let kind = kinds::most_specific(labels, &softmax(&logits)).map(|(kind, score)| {
            let label = kind.label.clone();
            Kind { wnid: label.wnid, label: label.en, label_zh: label.zh, score }
        });
        Ok(Answer {
            predictions: top_k(&logits, k).into_iter().map(prediction).collect(),
            width,
            height,
            decode_ms: prepared - begun,
            ms: done - prepared,
            kind,
            bytes: u64::from(outside.length()),
            sha256: sha256(&outside).await,
        })
    }

    /// photo → … → last tokens → heat map
    async fn explain(&mut self, id: u64, photo: Option<Blob>, class: usize) -> Result<HeatMap, PhotoError> {
        let Loaded { model, .. } = self.loaded.as_ref().ok_or(PhotoError::NoModel)?;
        let explained = match self.explained.take().filter(|explained| explained.id == id) {
            Some(explained) => explained,
            None => {
                let (photo, bytes) = read(photo).await?;
                let rgb = picture::decode(&photo, &bytes.to_vec()).await?;
                tokens(model, id, &rgb)?
            }
        };
        let map = model.heat_map(&explained.tokens, class).await?;
        let seen = explained.seen;
        self.explained = Some(explained);
        let beit::heatmap::HeatMap { grid, contributions, constant, logit } = map;
        Ok(HeatMap { grid, contributions, constant, logit, seen })
    }

    /// The square that the network sees of the photo.
    async fn input(&self, photo: Option<Blob>) -> Result<Rgb, PhotoError> {
        let Loaded { model, .. } = self.loaded.as_ref().ok_or(PhotoError::NoModel)?;
        let (photo, bytes) = read(photo).await?;
        let rgb = picture::decode(&photo, &bytes.to_vec()).await?;
        Ok(resize_and_crop(&rgb, &model.config().preprocessing))
    }
}

fn tokens(model: &Model<Cpu>, id: u64, photo: &Rgb) -> Result<Explained, PhotoError> {
    let how = &model.config().preprocessing;
    let (x, y, width, height) = seen(photo.width, photo.height, how);
    let tokens = model.tokens(&preprocess(photo, how), |_, _| ())?;
    Ok(Explained { id, tokens, seen: Area { x, y, width, height } })
}

/// The photo and its bytes, outside wasm's memory.
async fn read(photo: Option<Blob>) -> Result<(Blob, Uint8Array), PhotoError> {
    let photo = photo.ok_or(PhotoError::Unreadable)?;
    // More than is decoded is not even read; the decoder says so of the length alone.
    if photo.size() > MAX_FILE_BYTES as f64 {
        return Err(DecodeError::FileTooLarge { bytes: photo.size() as usize }.into());
    }
    let buffer = JsFuture::from(photo.array_buffer()).await.map_err(|_| PhotoError::Unreadable)?;
    let bytes = Uint8Array::new(&buffer);
    Ok((photo, bytes))
}

fn own(head: Result<OwnHead, TeachError>) -> TeachReply {
    match head {
        Ok(head) => TeachReply::OwnClasses { head },
        Err(error) => TeachReply::Refused { message: error.to_string() },
    }
}

//! What the worker does with each message.

use crate::load::{self, Loaded};
use crate::port::{self, Message};
use beit::backend::BackendError;
use beit::decode::{DecodeError, decode};
use beit::preprocess::preprocess;
use beit::topk::top_k;
use kernels::Isa;
use protocol::{Answer, BackendInfo, Prediction, Reply, Request};
use thiserror::Error;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// The worker's memory between messages: the model, once it is loaded.
#[derive(Default)]
pub struct Session {
    loaded: Option<Loaded>,
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
            Request::Load { manifest } => self.load(&manifest).await,
            Request::Classify { id, top_k } => {
                port::post(&Reply::Started { id });
                port::post(&match self.classify(message.photo, top_k).await {
                    Ok(answer) => Reply::Done { id, answer },
                    Err(error) => Reply::Failed { id, message: error.to_string() },
                });
            }
        }
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
        let bytes = read(photo).await?;
        let begun = port::now();
        let rgb = decode(&bytes)?;
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
        let predictions = top_k(&logits, k).into_iter().map(prediction).collect();
        Ok(Answer { predictions, width, height, decode_ms: prepared - begun, ms: done - prepared })
    }
}

/// The photo's bytes, in the worker's memory.
async fn read(photo: Option<Blob>) -> Result<Vec<u8>, PhotoError> {
    let photo = photo.ok_or(PhotoError::Unreadable)?;
    let buffer = JsFuture::from(photo.array_buffer()).await.map_err(|_| PhotoError::Unreadable)?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

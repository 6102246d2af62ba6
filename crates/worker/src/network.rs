//! The engine on whichever device it runs.

use crate::engine::{Engine, Photo, PhotoError};
use crate::graphics::MOST_PHOTOS;
use crate::teach::{Memory, TeachError};
use crate::through::Through;
use beit::backend::Cpu;
use beit::config::Config;
use beit::decode::Rgb;
use beit::preprocess::Pixels;
use gpu::Gpu;
use head::Head;
use kernels::Isa;
use protocol::teach::{Lesson, OwnHead, TaughtClass};
use protocol::{Answer, HeatMap};
use web_sys::Blob;

/// A model that answers.
pub enum Network {
    Cpu(Box<Engine<Cpu>>),
    Gpu(Box<Engine<Gpu>>),
}

/// The same call on either device.
macro_rules! on_either {
    ($network:expr, $engine:ident => $call:expr) => {
        match $network {
            Network::Cpu($engine) => $call,
            Network::Gpu($engine) => $call,
        }
    };
}

impl Network {
    pub fn config(&self) -> &Config {
        on_either!(self, engine => engine.model.config())
    }

    pub fn classes(&self) -> usize {
        on_either!(self, engine => engine.labels.len())
    }

    /// The most photos to classify in one pass: on the processor one photo keeps all threads busy.
    pub fn batch(&self) -> usize {
        match self {
            Self::Cpu(_) => 1,
            Self::Gpu(engine) => engine.model.backend().most_photos(engine.model.config()).min(MOST_PHOTOS),
        }
    }

    pub async fn prepare(&self, photo: Option<Blob>) -> Result<(Photo, Pixels), PhotoError> {
        on_either!(self, engine => engine.prepare(photo).await)
    }

    pub async fn classify(
        &self,
        ids: &[u64],
        photos: &[Photo],
        pixels: &[Pixels],
        k: usize,
    ) -> Result<Vec<Answer>, PhotoError> {
        match self {
            Self::Cpu(engine) => {
                let mut through = Through::new(ids, engine.model.config().depth);
                engine.classify(photos, pixels, k, |block| through.note(block)).await
            }
            // How far it is nobody knows.
            Self::Gpu(engine) => engine.classify(photos, pixels, k, |_| ()).await,
        }
    }

    pub async fn explain(
        &mut self,
        id: u64,
        photo: Option<Blob>,
        class: usize,
    ) -> Result<HeatMap, PhotoError> {
        on_either!(self, engine => engine.explain(id, photo, class).await)
    }

    pub async fn input(&self, photo: Option<Blob>) -> Result<Rgb, PhotoError> {
        on_either!(self, engine => engine.input(photo).await)
    }

    pub async fn learn(&mut self, id: u64, photo: Option<Blob>) -> Result<(), PhotoError> {
        on_either!(self, engine => engine.learn(id, photo).await)
    }

    pub fn forget(&mut self, photos: &[u64]) {
        on_either!(self, engine => engine.teacher.forget(photos));
    }

    /// Trains a head on the features that are kept. That is done on the processor, wherever the network runs.
    pub fn train(
        &self,
        classes: &[TaughtClass],
        model: &str,
        sha256: &str,
    ) -> Result<(Head, Lesson), TeachError> {
        on_either!(self, engine => engine.teacher.train(Isa::best(), classes, model, sha256))
    }

    pub fn put(&mut self, head: &Head) -> Result<OwnHead, TeachError> {
        on_either!(self, engine => engine.put(head))
    }

    pub fn put_back(&mut self) {
        on_either!(self, engine => engine.put_back());
    }

    /// What was taught, for the same model elsewhere.
    pub fn memory(self) -> Memory {
        on_either!(self, engine => engine.teacher.memory())
    }

    /// Takes over what was taught elsewhere.
    pub fn remember(&mut self, memory: Memory) -> Result<(), TeachError> {
        let Memory { features, head } = memory;
        on_either!(self, engine => engine.teacher.remember(features));
        head.map_or(Ok(()), |head| self.put(&head).map(drop))
    }
}

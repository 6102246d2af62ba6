//! The classifier on whichever device it runs.

use crate::classifier::{Classifier, Decoded};
use crate::error::{PhotoError, TeachError};
use crate::forward_progress::ForwardProgress;
use crate::gpu_setup::{MOST_PHOTOS, in_time};
use crate::own_classes::Taught;
use crate::photo::PhotoDecoder;
use crate::platform::{Clock, Devices, Platform};
use beit::backend::GpuBackend;
use beit::config::Config;
use beit::decode::Rgb;
use beit::preprocess::Pixels;
use head::Head;
use kernels::Isa;
use protocol::teach::{Lesson, OwnHead, TaughtClass};
use protocol::{Answer, HeatMap};

/// A model that answers.
pub enum OnDevice<D: Devices> {
    Cpu(Box<Classifier<D::Cpu>>, Isa),
    Gpu(Box<Classifier<D::Gpu>>),
}

/// The same call on either device.
macro_rules! on_either {
    ($network:expr, $classifier:ident => $call:expr) => {
        match $network {
            OnDevice::Cpu($classifier, _) => $call,
            OnDevice::Gpu($classifier) => $call,
        }
    };
}

/// The same call on either device, where a GPU is not waited for endlessly.
macro_rules! in_time_on_either {
    ($network:expr, $clock:expr, $classifier:ident => $call:expr) => {
        match $network {
            OnDevice::Cpu($classifier, _) => $call.await,
            OnDevice::Gpu($classifier) => {
                let gpu = $classifier.model.backend().clone();
                in_time($clock, &gpu, $call).await
            }
        }
    };
}

impl<D: Devices> OnDevice<D> {
    pub fn config(&self) -> &Config {
        on_either!(self, classifier => classifier.model.config())
    }

    pub fn classes(&self) -> usize {
        on_either!(self, classifier => classifier.labels.len())
    }

    pub fn is_on_gpu(&self) -> bool {
        matches!(self, Self::Gpu(_))
    }

    /// What the network computes with, in short: an instruction set, or a GPU and its arithmetic.
    pub fn detail(&self) -> String {
        match self {
            Self::Cpu(_, isa) => isa.name().into(),
            Self::Gpu(classifier) => {
                let gpu = classifier.model.backend();
                format!("{}, {}", gpu.name(), gpu.arithmetic().name())
            }
        }
    }

    /// The most photos to classify in one pass: on the processor one photo keeps all threads busy.
    pub fn batch(&self) -> usize {
        match self {
            Self::Cpu(..) => 1,
            Self::Gpu(classifier) => {
                classifier.model.backend().most_photos(classifier.model.config()).min(MOST_PHOTOS)
            }
        }
    }

    pub async fn prepare<P: Platform>(
        &self,
        decoder: &PhotoDecoder<'_, P>,
        photo: Option<&P::Photo>,
    ) -> Result<(Decoded<P::Bytes>, Pixels), PhotoError> {
        on_either!(self, classifier => classifier.prepare(decoder, photo).await)
    }

    pub async fn classify<P: Platform<Devices = D>>(
        &self,
        platform: &P,
        ids: &[u64],
        photos: &[Decoded<P::Bytes>],
        pixels: &[Pixels],
        k: usize,
    ) -> Result<Vec<Answer>, PhotoError> {
        let clock = platform.clock();
        match self {
            Self::Cpu(classifier, _) => {
                let depth = classifier.model.config().depth;
                let mut progress = ForwardProgress::new(platform, ids, depth);
                classifier.classify(clock, photos, pixels, k, |block| progress.block_done(block)).await
            }
            // How far it is nobody knows.
            Self::Gpu(classifier) => {
                let answers = classifier.classify(clock, photos, pixels, k, |_| ());
                in_time(clock, classifier.model.backend(), answers).await
            }
        }
    }

    pub async fn explain<P: Platform>(
        &mut self,
        decoder: &PhotoDecoder<'_, P>,
        id: u64,
        photo: Option<&P::Photo>,
        class: usize,
    ) -> Result<HeatMap, PhotoError> {
        // Before a GPU's time begins to count.
        let remembered = on_either!(self, classifier => classifier.remembers(id));
        let rgb = if remembered { None } else { Some(decoder.read_and_decode(photo).await?) };
        let clock = decoder.platform.clock();
        in_time_on_either!(self, clock, classifier => classifier.explain(id, rgb.as_ref(), class))
    }

    /// The square that the network sees of the photo.
    pub fn input(&self, photo: &Rgb) -> Rgb {
        on_either!(self, classifier => classifier.input(photo))
    }

    pub async fn learn(&mut self, clock: &impl Clock, id: u64, photo: &Rgb) -> Result<(), PhotoError> {
        in_time_on_either!(self, clock, classifier => classifier.learn(id, photo))
    }

    pub fn forget(&mut self, photos: &[u64]) {
        on_either!(self, classifier => classifier.own_classes.forget(photos));
    }

    /// Trains a head on the features that are kept. That is done on the processor, wherever the network runs.
    pub fn train(
        &self,
        platform: &impl Platform,
        classes: &[TaughtClass],
        model: &str,
        sha256: &str,
    ) -> Result<(Head, Lesson), TeachError> {
        on_either!(self, classifier => classifier.own_classes.train(platform, Isa::best(), classes, model, sha256))
    }

    pub fn set_head(&mut self, head: &Head) -> Result<OwnHead, TeachError> {
        on_either!(self, classifier => classifier.set_head(head))
    }

    pub fn restore_head(&mut self) {
        on_either!(self, classifier => classifier.restore_head());
    }

    /// What was taught, for the same model elsewhere.
    pub fn taught(self) -> Taught {
        on_either!(self, classifier => classifier.own_classes.taught())
    }

    /// Takes over what was taught elsewhere.
    pub fn take_over(&mut self, taught: Taught) -> Result<(), TeachError> {
        let Taught { features, head } = taught;
        on_either!(self, classifier => classifier.own_classes.take_over(features));
        head.map_or(Ok(()), |head| self.set_head(&head).map(drop))
    }
}

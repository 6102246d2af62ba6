//! The classifier and the device it runs on.

use crate::answer::{Measured, answer};
use crate::classifier::{BackendClassifier, Classifier};
use crate::error::PhotoError;
use crate::forward_progress::ForwardProgress;
use crate::gpu_setup::{MOST_PHOTOS, in_time};
use crate::photo::PhotoInfo;
use crate::platform::{Bytes, Clock, Platform};
use beit::backend::{Backend, GpuBackend, Stage};
use beit::classes::Classes;
use beit::model::Model;
use beit::preprocess::Pixels;
use futures_util::future::{join, join_all};
use kernels::Isa;
use protocol::{Answer, StageTime};

/// A model that answers.
pub struct OnDevice {
    pub classifier: Box<dyn Classifier>,
    pub device: RunsOn,
}

/// What the network runs on.
pub enum RunsOn {
    Cpu(Isa),
    Gpu {
        /// Its name and arithmetic.
        detail: String,
        /// The most photos to classify in one pass.
        batch: usize,
        is_software: bool,
    },
}

impl OnDevice {
    pub fn cpu<B: Backend + 'static>(model: Model<B>, classes: Classes, isa: Isa) -> Self {
        Self { classifier: Box::new(BackendClassifier::new(model, classes)), device: RunsOn::Cpu(isa) }
    }

    /// In the arithmetic that the GPU is set to now.
    pub fn gpu<B: GpuBackend + 'static>(model: Model<B>, classes: Classes) -> Self {
        let gpu = model.backend();
        let device = RunsOn::Gpu {
            detail: format!("{}, {}", gpu.name(), gpu.arithmetic().name()),
            batch: gpu.most_photos(model.config()).min(MOST_PHOTOS),
            is_software: gpu.is_software(),
        };
        Self { classifier: Box::new(BackendClassifier::new(model, classes)), device }
    }

    pub fn is_on_gpu(&self) -> bool {
        matches!(self.device, RunsOn::Gpu { .. })
    }

    /// pixels → logits → answers, in one pass. The photos' hashes are computed beside it, where the machine can.
    pub async fn classify<P: Platform>(
        &self,
        platform: &P,
        ids: &[u64],
        photos: &[PhotoInfo<P::Bytes>],
        pixels: &[Pixels],
        k: usize,
    ) -> Result<Vec<Answer>, PhotoError> {
        let (classifier, clock) = (&self.classifier, platform.clock());
        let mut progress = ForwardProgress::new(platform, ids, classifier.config().depth);
        let mut block_done = |block| {
            // On a GPU this is when the block is recorded, not when it is computed.
            if !self.is_on_gpu() {
                progress.block_done(block);
            }
        };
        let forward = async {
            let begun = clock.now();
            // Those of earlier passes, such as the warm-up.
            classifier.take_times();
            let logits = self.device.in_time(clock, classifier.logits(pixels, &mut block_done)).await?;
            Ok::<_, PhotoError>((logits, clock.now() - begun))
        };
        // Polled first: a browser then hashes on another thread while the network computes on this one.
        let hashes = join_all(photos.iter().map(|photo| photo.file.sha256()));
        let (hashes, forward) = join(hashes, forward).await;
        let (logits, ms) = forward?;
        if logits.iter().flatten().any(|logit| logit.is_nan()) {
            return Err(PhotoError::NotANumber);
        }
        let share = 1.0 / logits.len().max(1) as f64;
        let stage = |(stage, ms): (Stage, f64)| StageTime { name: stage.name().into(), ms: ms * share };
        let stages: Vec<_> = classifier.take_times().into_iter().map(stage).collect();
        let answers = photos.iter().zip(&logits).zip(hashes).map(|((photo, logits), sha256)| {
            let measured = Measured { sha256, ms: ms * share, stages: stages.clone() };
            answer(classifier.classes(), classifier.calibration(), photo, logits, k, measured)
        });
        Ok(answers.collect())
    }
}

impl RunsOn {
    /// What the network computes with, in short: an instruction set, or a GPU and its arithmetic.
    pub fn detail(&self) -> String {
        match self {
            Self::Cpu(isa) => isa.name().into(),
            Self::Gpu { detail, .. } => detail.clone(),
        }
    }

    /// The most photos to classify in one pass: on the processor one photo keeps all threads busy.
    pub fn batch(&self) -> usize {
        match self {
            Self::Cpu(_) => 1,
            Self::Gpu { batch, .. } => *batch,
        }
    }

    /// Waits for what a classifier computes, for a GPU's only until a limit.
    pub async fn in_time<T>(
        &self,
        clock: &impl Clock,
        computed: impl Future<Output = Result<T, PhotoError>>,
    ) -> Result<T, PhotoError> {
        match self {
            Self::Cpu(_) => computed.await,
            Self::Gpu { is_software, .. } => in_time(clock, *is_software, computed).await,
        }
    }
}

//! Sets a GPU up while the weights are loaded: checks it against the processor, compiles its kernels, times a photo.

use crate::error::LoadError;
use crate::isa_choice::weight_format;
use crate::platform::{Clock, Platform};
use crate::progress::CompileProgress;
use crate::shards::Shards;
use crate::timeout::timeout;
use beit::backend::{Agreement, Arithmetic, BackendError, GpuBackend};
use beit::classes::Classes;
use beit::config::Config;
use beit::model::Model;
use beit::preprocess::Pixels;
use futures_channel::oneshot;
use futures_util::future::try_join;
use kernels::WeightFormat;

/// The most photos that go through the network in one pass.
pub const MOST_PHOTOS: usize = 8;

/// In a network of larger activations than the one it was checked with, F16 may overflow or drift.
const LEAST_COSINE: f64 = 0.999;

/// Longer than any GPU takes for a pass, or to compile a network's kernels: one that does not answer for so long is lost.
const TIMEOUT_MS: u32 = 60_000;
/// The same for a software implementation on the processor.
const SOFTWARE_TIMEOUT_MS: u32 = 900_000;

/// A network on a GPU, whose programs are compiled.
pub struct ReadyGpu<G: GpuBackend> {
    pub model: Model<G>,
    pub classes: Classes,
    /// What passed the check, where there was one.
    pub arithmetics: Vec<Arithmetic>,
}

/// Why a GPU could not be set up.
pub enum GpuSetupError {
    /// Its answers are wrong: the cosine to the processor's is this.
    Wrong(f64),
    Failed(LoadError),
}

impl<E: Into<LoadError>> From<E> for GpuSetupError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Waits for a GPU, but not endlessly.
pub async fn in_time<T, E: From<BackendError>>(
    clock: &impl Clock,
    is_software: bool,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let ms = if is_software { SOFTWARE_TIMEOUT_MS } else { TIMEOUT_MS };
    let silent = || BackendError::Device(format!("it said nothing for {} seconds", ms / 1_000));
    timeout(clock, ms, future).await.unwrap_or_else(|| Err(silent().into()))
}

/// Builds the network on the GPU as its weights come, and meanwhile checks the GPU and compiles what the network
/// runs in each arithmetic that passed; in `arithmetic` without a check, where it passed one before.
pub async fn build<P: Platform, G: GpuBackend>(
    shards: &Shards<'_, P>,
    gpu: &G,
    arithmetic: Option<Arithmetic>,
) -> Result<ReadyGpu<G>, GpuSetupError> {
    let clock = shards.platform.clock();
    let quantization = &shards.manifest.quantization;
    let compiling = CompileProgress::new(shards.platform);
    let (tell, shape) = oneshot::channel::<Config>();
    let ready = async {
        let arithmetics = match arithmetic {
            Some(arithmetic) => vec![arithmetic],
            None => check(clock, gpu, weight_format(quantization)).await?,
        };
        // Without a shape there will be no network either.
        if let Ok(config) = shape.await {
            let count = |ready, total| compiling.count(ready, total);
            let compile = gpu.compile(&config, quantization, &arithmetics, MOST_PHOTOS, &count);
            in_time(clock, gpu.is_software(), compile).await?;
        }
        Ok::<_, GpuSetupError>(arithmetics)
    };
    let built = async {
        let begin = |config: &Config| {
            // Not received where the check has failed.
            tell.send(config.clone()).ok();
            gpu.clone()
        };
        let built = shards.build(begin).await?;
        compiling.wait(shards.manifest.bytes);
        Ok::<_, GpuSetupError>(built)
    };
    let (arithmetics, (model, classes)) = try_join(ready, built).await?;
    Ok(ReadyGpu { model, classes, arithmetics })
}

/// Which arithmetic of the GPU gives right answers on a small network of weights in `format`.
async fn check<G: GpuBackend>(
    clock: &impl Clock,
    gpu: &G,
    format: WeightFormat,
) -> Result<Vec<Arithmetic>, GpuSetupError> {
    let mut passed = Vec::new();
    let mut cosine = f64::NAN;
    for arithmetic in candidates(gpu) {
        gpu.set_arithmetic(arithmetic);
        let agreement = in_time(clock, gpu.is_software(), async {
            gpu.self_check(format).await.map_err(LoadError::from)
        });
        let agreement = agreement.await?;
        cosine = agreement.cosine;
        if agreement.holds(arithmetic) {
            passed.push(arithmetic);
        }
    }
    if passed.is_empty() { Err(GpuSetupError::Wrong(cosine)) } else { Ok(passed) }
}

/// On a hardware GPU all arithmetic it offers, since the fastest is found by measuring; on a software one only
/// 8-bit, where a photo in F32 takes several times as long.
fn candidates(gpu: &impl GpuBackend) -> Vec<Arithmetic> {
    let offered = gpu.offered();
    if gpu.is_software() && offered.contains(&Arithmetic::Int8) {
        return vec![Arithmetic::Int8];
    }
    [Arithmetic::F16, Arithmetic::Int8, Arithmetic::F32].into_iter().filter(|a| offered.contains(a)).collect()
}

/// Chooses the variants of the network's kernels by timing, and gives their names. Comes after the weights, whose packing
/// would delay what is timed. None on a software GPU, where each product takes seconds.
///
/// # Errors
/// When the GPU fails.
pub async fn tune<G: GpuBackend>(
    clock: &impl Clock,
    model: &Model<G>,
    quantization: &str,
    arithmetics: &[Arithmetic],
) -> Result<Option<String>, BackendError> {
    let gpu = model.backend();
    if gpu.is_software() {
        return Ok(None);
    }
    let now = || clock.now();
    let photos = MOST_PHOTOS.min(gpu.most_photos(model.config()));
    let tuned = in_time(clock, false, gpu.tune(model.config(), quantization, arithmetics, photos, &now));
    tuned.await.map(Some)
}

/// Runs the network once on a black photo, in the arithmetic that was chosen on an earlier visit.
///
/// # Errors
/// When the GPU fails.
pub async fn warm_up<G: GpuBackend>(clock: &impl Clock, model: &Model<G>) -> Result<(), BackendError> {
    in_time(clock, model.backend().is_software(), model.logits(&Pixels::zeros(model.config().image_size)))
        .await
        .map(drop)
}

/// Leaves the GPU with the fastest of these and gives the milliseconds of a photo with it; none where each
/// strays from the GPU's own F32. The first photo in each compiles its kernels and is not timed.
///
/// # Errors
/// When the GPU fails.
pub async fn time_photo<G: GpuBackend>(
    clock: &impl Clock,
    model: &Model<G>,
    candidates: &[Arithmetic],
) -> Result<Option<f64>, BackendError> {
    let gpu = model.backend();
    let run = |pixels| in_time(clock, gpu.is_software(), model.logits(pixels));
    if gpu.is_software() {
        // A software GPU takes seconds, and has one candidate: there is nothing to compare.
        gpu.set_arithmetic(candidates.first().copied().unwrap_or_default());
        let pixels = Pixels::zeros(model.config().image_size);
        run(&pixels).await?;
        let begun = clock.now();
        run(&pixels).await?;
        return Ok(Some(clock.now() - begun));
    }
    let pixels = gradient(model.config());
    gpu.set_arithmetic(Arithmetic::F32);
    let exact = run(&pixels).await?;
    let mut best: Option<(f64, Arithmetic)> = None;
    for &arithmetic in candidates {
        gpu.set_arithmetic(arithmetic);
        let cosine = Agreement::between(&run(&pixels).await?, &exact).cosine;
        // An overflow gives NaN.
        if cosine.is_nan() || cosine < LEAST_COSINE {
            continue;
        }
        for _ in 0..2 {
            let begun = clock.now();
            run(&pixels).await?;
            let ms = clock.now() - begun;
            if best.is_none_or(|(least, _)| ms < least) {
                best = Some((ms, arithmetic));
            }
        }
    }
    gpu.set_arithmetic(best.map_or(Arithmetic::F32, |(_, arithmetic)| arithmetic));
    Ok(best.map(|(ms, _)| ms))
}

/// A photo that shades from one corner to the other, for `config`.
fn gradient(config: &Config) -> Pixels {
    let size = config.image_size;
    let value = |i: usize| (i / size % size + i % size) as f32 / size as f32 - 1.0;
    Pixels { size, values: (0..3 * size * size).map(value).collect() }
}

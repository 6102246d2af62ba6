//! A GPU made ready while the weights come: checked against the processor, its programs compiled.

use crate::instructions;
use crate::load::LoadError;
use crate::progress::Compiling;
use crate::shards::Shards;
use beit::backend::BackendError;
use beit::config::Config;
use beit::labels::Label;
use beit::model::Model;
use futures_channel::oneshot;
use futures_util::future::try_join;
use gpu::{Arithmetic, Format, Gpu, self_check};
use kernels::WeightFormat;

/// The most photos that go through the network in one pass.
pub const MOST_PHOTOS: usize = 8;

/// A network on a GPU, whose programs are compiled.
pub struct Ready {
    pub model: Model<Gpu>,
    pub labels: Vec<Label>,
    /// What passed the check, where there was one.
    pub arithmetics: Vec<Arithmetic>,
}

/// Why a GPU does not get ready.
pub enum Hindrance {
    /// Its answers are wrong: the cosine to the processor's is this.
    Wrong(f64),
    Failed(LoadError),
}

impl<E: Into<LoadError>> From<E> for Hindrance {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Builds the network on the GPU as its weights come, and meanwhile checks the GPU and compiles what the network
/// runs in each arithmetic that passed; in `arithmetic` without a check, where it passed one before.
pub async fn build(
    shards: &Shards<'_>,
    gpu: &Gpu,
    arithmetic: Option<Arithmetic>,
) -> Result<Ready, Hindrance> {
    let compiling = Compiling::default();
    let (tell, shape) = oneshot::channel();
    let ready = async {
        let arithmetics = match arithmetic {
            Some(arithmetic) => vec![arithmetic],
            None => check(gpu, instructions::format(shards.quantization())).await?,
        };
        // Without a shape there will be no network either.
        if let Ok(config) = shape.await {
            compile(gpu, &config, shards.quantization(), &arithmetics, &compiling).await?;
        }
        Ok::<_, Hindrance>(arithmetics)
    };
    let built = async {
        let begin = |config: &Config| {
            // Nobody listens any more where the GPU computes wrongly.
            tell.send(config.clone()).ok();
            gpu.clone()
        };
        let built = shards.build(begin).await?;
        compiling.wait(shards.bytes());
        Ok::<_, Hindrance>(built)
    };
    let (arithmetics, (model, labels)) = try_join(ready, built).await?;
    Ok(Ready { model, labels, arithmetics })
}

/// Compiles all programs that the network runs in these arithmetics, for one photo first, then for more in one pass.
async fn compile(
    gpu: &Gpu,
    config: &Config,
    quantization: &str,
    arithmetics: &[Arithmetic],
    compiling: &Compiling,
) -> Result<(), BackendError> {
    let format = match quantization {
        "q8_0" => Format::Q8_0,
        "q4_0" => Format::Q4_0,
        _ => Format::F32,
    };
    let mut kernels = Vec::new();
    for photos in 1..=MOST_PHOTOS {
        for &arithmetic in arithmetics {
            for kernel in gpu.kernels_for(config, format, arithmetic, photos) {
                if !kernels.contains(&kernel) {
                    kernels.push(kernel);
                }
            }
        }
    }
    gpu.prepare(&kernels, |ready| compiling.count(ready, kernels.len())).await
}

/// Which arithmetic of the GPU gives right answers on a small network of weights in `format`.
async fn check(gpu: &Gpu, format: WeightFormat) -> Result<Vec<Arithmetic>, Hindrance> {
    let mut passed = Vec::new();
    let mut cosine = f64::NAN;
    for arithmetic in candidates(gpu) {
        gpu.set_arithmetic(arithmetic);
        let agreement = self_check(gpu, format).await?;
        cosine = agreement.cosine;
        if agreement.holds(arithmetic) {
            passed.push(arithmetic);
        }
    }
    if passed.is_empty() { Err(Hindrance::Wrong(cosine)) } else { Ok(passed) }
}

/// On a GPU of silicon all arithmetic it offers, since which is fastest is measured; on an imitated one only
/// 8-bit, where a photo in F32 takes several times as long.
fn candidates(gpu: &Gpu) -> Vec<Arithmetic> {
    let offered = gpu.offered();
    if gpu.is_software() && offered.contains(&Arithmetic::Int8) {
        return vec![Arithmetic::Int8];
    }
    [Arithmetic::F16, Arithmetic::Int8, Arithmetic::F32].into_iter().filter(|a| offered.contains(a)).collect()
}

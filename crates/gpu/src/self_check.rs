//! Checks a GPU against the CPU on a small network before it is used: drivers have bugs, and low-precision arithmetic
//! has limits.

use crate::gpu::Gpu;
use crate::random::Random;
use beit::backend::{Agreement, Arithmetic, Backend, Cpu};
use beit::builder::{BuildError, ModelBuilder};
use beit::config::{Config, Position};
use beit::model::Model;
use beit::preprocess::{Pixels, Preprocessing};
use beit::weights::schema::{Role, TensorSpec};
use beit::weights::{Tensor, TensorData};
use kernels::{Isa, PackedWeights, WeightFormat};

/// Runs a small network of random weights in `format` on the GPU in its present [`Gpu::arithmetic`] and on
/// the processor in the same one (F16's in F32), and compares their logits. The network has 197 tokens, heads of 64
/// and a position bias, and passes through every kernel that a model in this format does.
///
/// # Errors
/// When the device fails.
pub async fn self_check(gpu: &Gpu, format: WeightFormat) -> Result<Agreement, BuildError> {
    let config = config();
    gpu.prepare(&gpu.kernels_for(&config, format.into(), gpu.arithmetic(), 1), |_| ()).await?;
    let widened = gpu.arithmetic() != Arithmetic::Int8;
    let on_gpu = build(&config, gpu.clone(), format, false)?;
    let on_cpu = build(&config, Cpu::new(Isa::best()), format, widened)?;
    let mut random = Random(0xBE17);
    let size = config.image_size;
    let pixels = Pixels { size, values: (0..3 * size * size).map(|_| random.spread(1.0)).collect() };
    let expected = on_cpu.logits(&pixels).await?;
    Ok(Agreement::between(&on_gpu.logits(&pixels).await?, &expected))
}

fn config() -> Config {
    Config {
        name: "self-check".into(),
        image_size: 112,
        patch_size: 8,
        width: 128,
        depth: 2,
        heads: 2,
        mlp_width: 512,
        classes: 100,
        position: Position::RelativeBias,
        layer_norm_eps: 1e-6,
        preprocessing: Preprocessing { short_side: 112, crop: 112, mean: [0.5; 3], std: [0.5; 3] },
    }
}

/// The network with the same weights on any backend; `widened` to F32, for a processor that shall not
/// quantise activations.
fn build<B: Backend>(
    config: &Config,
    backend: B,
    format: WeightFormat,
    widened: bool,
) -> Result<Model<B>, BuildError> {
    let mut builder = ModelBuilder::new(config.clone(), backend);
    let mut random = Random(1);
    for spec in config.tensors() {
        let data = match spec.role {
            Role::Linear => blocks(&spec, format, widened, &mut random)?,
            Role::PatchEmbedding | Role::Small => TensorData::Dense(values(&spec, &mut random)),
        };
        builder.add(Tensor { spec, data })?;
    }
    builder.finish()
}

/// F32 values spread so that activations keep their size from block to block.
fn values(spec: &TensorSpec, random: &mut Random) -> Vec<f32> {
    let (mean, spread) = match spec.name.rsplit('.').next() {
        Some("weight") if spec.role == Role::Small => (1.0, 0.2),
        Some("weight") => (0.0, 0.1),
        Some("gamma_1" | "gamma_2") => (0.4, 0.2),
        _ => (0.0, 0.5),
    };
    (0..spec.shape.iter().product()).map(|_| mean + random.spread(spread)).collect()
}

/// Quantised weights `[n, k]`.
fn blocks(
    spec: &TensorSpec,
    format: WeightFormat,
    widened: bool,
    random: &mut Random,
) -> Result<TensorData, BuildError> {
    let (n, k) = (spec.shape[0], spec.shape[1]);
    let bytes = random.blocks(format, n, k);
    if !widened {
        return Ok(TensorData::Blocks { format, bytes });
    }
    let weights = PackedWeights::pack(format, n, k, bytes).map_err(beit::backend::BackendError::from)?;
    Ok(TensorData::Dense(weights.dequantize()))
}

//! Where the network runs: on the GPU if there is one, it is right and it is faster, else on the processor.

use crate::engine::Engine;
use crate::graphics::{self, Hindrance, Ready};
use crate::instructions::{self, Choice};
use crate::load::LoadError;
use crate::network::Network;
use crate::shards::Shards;
use crate::verdict::Verdict;
use crate::{fault, port, timing};
use ::engine::device_selection::is_gpu_faster;
use beit::backend::{BackendError, Cpu};
use beit::builder::BuildError;
use beit::labels::Label;
use beit::model::Model;
use gpu::{Arithmetic, Gpu, GpuOptions};
use kernels::Isa;
use protocol::Device;
use protocol::fault::Reason;

/// A network in its place.
pub struct Placed {
    pub network: Network,
    /// Why it is not on the other device, or that it was asked for, where there is something to say.
    pub reason: Option<Reason>,
}

/// Builds the network on `device`.
///
/// # Errors
/// When the shards can't be had or are no network; a GPU's failure leads to the processor.
pub async fn place(shards: &Shards<'_>, device: Device) -> Result<Placed, LoadError> {
    if device == Device::Cpu {
        return on_processor(shards, None).await;
    }
    let options = GpuOptions { allow_software: device == Device::Webgpu, ..GpuOptions::default() };
    let gpu = match Gpu::request(options).await {
        Ok(gpu) => gpu,
        Err(error) => return on_processor(shards, Some(fault::of_asking_for_a_gpu(error))).await,
    };
    match on_graphics(shards, &gpu, device).await {
        Ok(Ok(placed)) => Ok(placed),
        Ok(Err(reason)) => on_processor(shards, Some(reason)).await,
        Err(error) => match failure(&error) {
            Some(failure) => {
                let reason = Reason::GpuFailed { name: gpu.name(), reason: failure.to_string() };
                on_processor(shards, Some(reason)).await
            }
            None => Err(error),
        },
    }
}

async fn on_processor(shards: &Shards<'_>, reason: Option<Reason>) -> Result<Placed, LoadError> {
    let mut choice = Choice::recall(shards.store(), shards.quantization()).await;
    // Measured once the first shard is here, since meanwhile the next are on their way.
    let (model, labels) = shards.build(|_| Cpu::with_clock(choice.make(), port::now)).await?;
    choice.keep(shards.store()).await;
    shards.warming_up();
    model.warm_up().await?;
    Ok(Placed { network: Network::Cpu(Box::new(Engine::new(model, labels))), reason })
}

/// The network on the GPU, or why the processor is the better choice.
async fn on_graphics(
    shards: &Shards<'_>,
    gpu: &Gpu,
    device: Device,
) -> Result<Result<Placed, Reason>, LoadError> {
    let kept = Verdict::kept(shards.store(), gpu, shards.sha256()).await;
    let arithmetic = kept.as_ref().and_then(|verdict| verdict.arithmetic(gpu));
    if let Some(verdict) = &kept
        && arithmetic.is_none()
        && device == Device::Auto
    {
        return Ok(Err(verdict.reason.clone()));
    }
    let Ready { model, labels, arithmetics } = match graphics::build(shards, gpu, arithmetic).await {
        Ok(ready) => ready,
        Err(Hindrance::Failed(error)) => return Err(error),
        Err(Hindrance::Wrong(cosine)) => {
            let cosine = cosine.is_finite().then_some(cosine);
            let reason = Reason::GpuWrong { name: gpu.name(), cosine };
            Verdict::new(None, reason.clone()).keep(shards.store(), gpu, shards.sha256()).await;
            return Ok(Err(reason));
        }
    };
    shards.warming_up();
    if let (Some(verdict), Some(arithmetic)) = (kept, arithmetic) {
        gpu.set_arithmetic(arithmetic);
        model.logits(&timing::blank(model.config())).await?;
        let reason = Some(verdict.reason);
        return Ok(Ok(Placed { network: graphic(model, labels), reason }));
    }
    let Some(gpu_ms) = timing::graphics(&model, &arithmetics).await? else {
        let reason = Reason::GpuWrongHere { name: gpu.name() };
        Verdict::new(None, reason.clone()).keep(shards.store(), gpu, shards.sha256()).await;
        return Ok(Err(reason));
    };
    let mut choice = Choice::recall(shards.store(), shards.quantization()).await;
    let isa = choice.make();
    choice.keep(shards.store()).await;
    let format = instructions::format(shards.quantization());
    let cpu_ms = timing::processor(model.config(), isa, format);
    let faster = is_gpu_faster(gpu_ms, cpu_ms);
    let reason = Reason::Compared { name: gpu.name(), gpu_ms, cpu_ms };
    let arithmetic = faster.then(|| gpu.arithmetic());
    Verdict::new(arithmetic, reason.clone()).keep(shards.store(), gpu, shards.sha256()).await;
    if faster || device == Device::Webgpu {
        return Ok(Ok(Placed { network: graphic(model, labels), reason: Some(reason) }));
    }
    Ok(Err(reason))
}

fn graphic(model: Model<Gpu>, labels: Vec<Label>) -> Network {
    Network::Gpu(Box::new(Engine::new(model, labels)))
}

/// What the GPU said, where it was the GPU that failed.
fn failure(error: &LoadError) -> Option<&BackendError> {
    match error {
        LoadError::Build(BuildError::Backend(error)) => Some(error),
        _ => None,
    }
}

/// What the network computes with, in short: an instruction set, or a GPU and its arithmetic.
pub fn detail(network: &Network) -> String {
    match network {
        Network::Cpu(engine) => Isa::name(engine.model.backend().isa()).into(),
        Network::Gpu(engine) => {
            let gpu = engine.model.backend();
            let arithmetic: Arithmetic = gpu.arithmetic();
            format!("{}, {}", gpu.name(), arithmetic.name())
        }
    }
}

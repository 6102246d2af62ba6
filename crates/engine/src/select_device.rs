//! Builds the network where it runs best: on the GPU if there is one, its results are right and it is faster, else on
//! the processor.

use crate::device_selection::{Times, photo_ms_on_cpu};
use crate::error::LoadError;
use crate::gpu_setup::{self, GpuSetupError, ReadyGpu};
use crate::isa_choice::{IsaChoice, weight_format};
use crate::note_names;
use crate::on_device::OnDevice;
use crate::platform::{Devices, Platform};
use crate::shards::Shards;
use crate::store::Store;
use crate::timeout::timeout;
use beit::backend::{Arithmetic, GpuBackend};
use protocol::Device;
use protocol::fault::Reason;
use serde::{Deserialize, Serialize};

/// Longer than a browser takes to give or refuse an adapter.
const ADAPTER_TIMEOUT_MS: u32 = 30_000;

/// What a network is to run on.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeviceRequest {
    pub device: Device,
    /// Fail rather than build on the processor: there is a network on it already.
    pub gpu_or_nothing: bool,
    /// Milliseconds of a photo on the processor, where they were measured: no estimate is needed then.
    pub cpu_ms: Option<f64>,
}

/// A network on its device.
pub struct Selected {
    pub network: OnDevice,
    /// Why it is not on the other device, or that it was asked for, where there is something to say.
    pub reason: Option<Reason>,
    pub choice: Option<DeviceChoice>,
}

/// The decision between the devices, and the name under which it is stored.
#[derive(Clone, Debug)]
pub struct DeviceChoice {
    pub times: Times,
    pub arithmetic: Option<String>,
    /// The variants of the GPU's kernels.
    tuned: Option<String>,
    note: String,
}

/// A [`DeviceChoice`], or why there was none, as it is stored for the next visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    /// What the GPU computes in; none where the processor is the better choice.
    arithmetic: Option<String>,
    /// The variants of its kernels that were fastest, where they were timed.
    tuned: Option<String>,
    times: Option<Times>,
    reason: Reason,
}

/// Builds the network where `wanted` says.
///
/// # Errors
/// When the shards can't be had or are no network; a GPU's failure leads to the processor, if that will do.
pub async fn select_device<P: Platform>(
    shards: &Shards<'_, P>,
    wanted: DeviceRequest,
) -> Result<Selected, LoadError> {
    if wanted.device == Device::Cpu {
        return on_cpu(shards, None, None).await;
    }
    let otherwise = async |reason: Reason, choice: Option<DeviceChoice>| match wanted.gpu_or_nothing {
        true => Err(LoadError::NoGpu),
        false => on_cpu(shards, Some(reason), choice).await,
    };
    let platform = shards.platform;
    let asked = platform.devices().gpu(wanted.device == Device::Webgpu);
    let timed_out = || Err(Reason::NoGpu { reason: "the browser does not say whether there is one".into() });
    let gpu = match timeout(platform.clock(), ADAPTER_TIMEOUT_MS, asked).await.unwrap_or_else(timed_out) {
        Ok(gpu) => gpu,
        Err(reason) => return otherwise(reason, None).await,
    };
    match on_gpu(shards, &gpu, wanted).await {
        Ok(Ok(selected)) => Ok(selected),
        Ok(Err((reason, choice))) => otherwise(reason, choice).await,
        Err(error) => match error.device_failure() {
            Some(failure) => {
                otherwise(Reason::GpuFailed { name: gpu.name(), reason: failure.to_string() }, None).await
            }
            None => Err(error),
        },
    }
}

async fn on_cpu<P: Platform>(
    shards: &Shards<'_, P>,
    reason: Option<Reason>,
    choice: Option<DeviceChoice>,
) -> Result<Selected, LoadError> {
    let devices = shards.platform.devices();
    let mut isa_choice = IsaChoice::load(shards.platform, shards.store, &shards.manifest.quantization).await;
    let mut isa = None;
    // Measured once the first shard is here, since meanwhile the next are on their way.
    let backend = |_: &_| devices.cpu(*isa.insert(isa_choice.resolve(devices)));
    let (model, classes) = shards.build(backend).await?;
    isa_choice.store(shards.store).await;
    shards.warming_up();
    model.warm_up().await?;
    let isa = isa.unwrap_or_else(kernels::Isa::best);
    Ok(Selected { network: OnDevice::cpu(model, classes, isa), reason, choice })
}

type OnGpu = Result<Selected, (Reason, Option<DeviceChoice>)>;

/// The network on the GPU, or why the processor is the better choice.
async fn on_gpu<P: Platform>(
    shards: &Shards<'_, P>,
    gpu: &<P::Devices as Devices>::Gpu,
    wanted: DeviceRequest,
) -> Result<OnGpu, LoadError> {
    let (platform, store) = (shards.platform, shards.store);
    let devices = platform.devices();
    let note = note_names::device(&shards.manifest.identity(), &gpu.identity(), &devices.driver());
    // Measured photos contradict the stored choice.
    let kept = if wanted.cpu_ms.is_some() { None } else { Note::load(store, &note).await };
    let arithmetic = kept.as_ref().and_then(|kept| kept.arithmetic(gpu));
    if let Some(kept) = &kept
        && arithmetic.is_none()
        && wanted.device == Device::Auto
    {
        let choice = kept.times.map(|times| DeviceChoice { times, arithmetic: None, tuned: None, note });
        return Ok(Err((kept.reason.clone(), choice)));
    }
    let refused = async |reason: Reason| {
        let refusal = Note { arithmetic: None, tuned: None, times: None, reason: reason.clone() };
        refusal.store(store, &note).await;
        Ok(Err((reason, None)))
    };
    // Before its kernels are compiled.
    let known = kept.as_ref().and_then(|kept| kept.tuned.clone()).filter(|tuned| gpu.recall(tuned));
    let ReadyGpu { model, classes, arithmetics } = match gpu_setup::build(shards, gpu, arithmetic).await {
        Ok(ready) => ready,
        Err(GpuSetupError::Failed(error)) => return Err(error),
        Err(GpuSetupError::Wrong(cosine)) => {
            let cosine = cosine.is_finite().then_some(cosine);
            return refused(Reason::GpuWrong { name: gpu.name(), cosine }).await;
        }
    };
    shards.warming_up();
    if let (Some(kept), Some(arithmetic)) = (kept, arithmetic) {
        gpu.set_arithmetic(arithmetic);
        gpu_setup::warm_up(platform.clock(), &model).await?;
        let choice =
            kept.times.map(|times| DeviceChoice { times, arithmetic: kept.arithmetic, tuned: known, note });
        let network = OnDevice::gpu(model, classes);
        return Ok(Ok(Selected { network, reason: Some(kept.reason), choice }));
    }
    let tuned = match known {
        Some(known) => Some(known),
        None => {
            let quantization = &shards.manifest.quantization;
            gpu_setup::tune(platform.clock(), &model, quantization, &arithmetics).await?
        }
    };
    let Some(gpu_ms) = gpu_setup::time_photo(platform.clock(), &model, &arithmetics).await? else {
        return refused(Reason::GpuWrongOnModel { name: gpu.name() }).await;
    };
    let cpu_ms = match wanted.cpu_ms {
        Some(measured) => measured,
        None => {
            let quantization = &shards.manifest.quantization;
            let mut isa_choice = IsaChoice::load(platform, store, quantization).await;
            let isa = isa_choice.resolve(devices);
            isa_choice.store(store).await;
            let product_ms = devices.product_ms(model.config(), isa, weight_format(quantization));
            photo_ms_on_cpu(model.config(), product_ms)
        }
    };
    let times = Times { gpu_ms, cpu_ms };
    let reason = Reason::Compared { name: gpu.name(), gpu_ms, cpu_ms };
    let faster = times.is_gpu_faster();
    let arithmetic = faster.then(|| gpu.arithmetic().name().to_owned());
    let choice = DeviceChoice { times, arithmetic, tuned, note };
    choice.store(store, &reason).await;
    if faster || wanted.device == Device::Webgpu {
        let network = OnDevice::gpu(model, classes);
        return Ok(Ok(Selected { network, reason: Some(reason), choice: Some(choice) }));
    }
    Ok(Err((reason, Some(choice))))
}

impl DeviceChoice {
    /// Keeps it for the next visit.
    pub async fn store<P: Platform>(&self, store: &Store<'_, P>, reason: &Reason) {
        let Self { times, arithmetic, tuned, note } = self;
        let (arithmetic, tuned) = (arithmetic.clone(), tuned.clone());
        let text = Note { arithmetic, tuned, times: Some(*times), reason: reason.clone() };
        text.store(store, note).await;
    }

    /// Removes it: the next visit measures again.
    pub async fn forget<P: Platform>(&self, store: &Store<'_, P>) {
        store.remove_note(&self.note).await;
    }
}

impl Note {
    async fn load<P: Platform>(store: &Store<'_, P>, note: &str) -> Option<Self> {
        serde_json::from_slice(&store.note(note).await?).ok()
    }

    async fn store<P: Platform>(&self, store: &Store<'_, P>, note: &str) {
        if let Ok(json) = serde_json::to_vec(self) {
            store.keep_note(note, &json).await;
        }
    }

    /// None where the processor is the better choice, or the arithmetic is not offered any more.
    fn arithmetic(&self, gpu: &impl GpuBackend) -> Option<Arithmetic> {
        let named = |arithmetic: &Arithmetic| Some(arithmetic.name()) == self.arithmetic.as_deref();
        gpu.offered().into_iter().find(named)
    }
}

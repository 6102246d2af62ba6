//! Requests an adapter and its device, and holds what all operations share.

use crate::buffers::Pool;
use crate::fault::{Fault, Faults};
use crate::kernel::{Kernel, Tile};
use crate::recorder::Recorder;
use crate::tiles::Tiles;
use crate::weights::Format;
use beit::backend::Arithmetic;
use beit::backend::BackendError;
use std::sync::{Arc, Mutex, MutexGuard};
use thiserror::Error;
use wgpu::{AdapterInfo, DeviceType, Features, Limits};

/// Which adapters will do.
#[derive(Clone, Copy, Debug, Default)]
pub struct GpuOptions {
    /// Accepts a software adapter, which runs on the processor: right, but slow.
    pub allow_software: bool,
    /// Asks for the adapter that saves power rather than the fastest.
    pub low_power: bool,
    /// The tile of every matrix product, to measure and test it; chosen by timing or the product's size if none.
    pub tile: Option<Tile>,
    /// Leaves operations of subgroups aside, to measure and test what goes without them.
    pub no_subgroups: bool,
    /// Asks for the device's timestamps, where it has them, to measure by them ([`Gpu::time`]).
    pub timestamps: bool,
}

/// Why there is no GPU to use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum GpuError {
    #[error("no GPU can be used here ({reason})")]
    NoAdapter { reason: String },
    #[error("the only GPU here is {name}, which imitates one on the processor")]
    Software { name: String },
    #[error("{name} refused to be used ({reason})")]
    Device { name: String, reason: String },
}

/// A GPU, ready for a network's weights: a [`beit::backend::Backend`].
///
/// Calls only record what is to be done; the GPU begins when results are read. A clone is the same GPU.
#[derive(Clone)]
pub struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) pool: Arc<Mutex<Pool>>,
    info: AdapterInfo,
    pub(crate) faults: Faults,
    recorder: Arc<Mutex<Recorder>>,
    /// What the device can compute products in.
    offered: Vec<Arithmetic>,
    arithmetic: Arc<Mutex<Arithmetic>>,
    tile: Option<Tile>,
    tiles: Arc<Mutex<Tiles>>,
    subgroups: bool,
}

impl Gpu {
    /// Finds an adapter and acquires its device, with WebGPU's default limits, or the adapter's own where
    /// buffers may be larger.
    ///
    /// # Errors
    /// When there is no adapter, only a software one that `options` don't allow, or it gives no device.
    pub async fn request(options: GpuOptions) -> Result<Self, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            flags: wgpu::InstanceFlags::empty(),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let power_preference = match options.low_power {
            true => wgpu::PowerPreference::LowPower,
            false => wgpu::PowerPreference::HighPerformance,
        };
        let wanted = wgpu::RequestAdapterOptions { power_preference, ..Default::default() };
        let adapter = instance.request_adapter(&wanted).await;
        let adapter = adapter.map_err(|e| GpuError::NoAdapter { reason: e.to_string() })?;
        let info = adapter.get_info();
        if info.device_type == DeviceType::Cpu && !options.allow_software {
            return Err(GpuError::Software { name: display_name(&info) });
        }
        let limits = adapter.limits();
        let f16 = adapter.features().contains(Features::SHADER_F16);
        // wgpu does not ask a browser for them yet: there, its adapters never have them.
        let subgroups = adapter.features().contains(Features::SUBGROUP) && !options.no_subgroups;
        let int8 = instance
            .wgsl_language_features()
            .contains(wgpu::WgslLanguageFeatures::Packed4x8IntegerDotProduct);
        let mut offered = vec![Arithmetic::F32];
        offered.extend(f16.then_some(Arithmetic::F16));
        offered.extend(int8.then_some(Arithmetic::Int8));
        let mut features = Features::SHADER_F16 | Features::SUBGROUP;
        features.set(Features::TIMESTAMP_QUERY, options.timestamps);
        let device = adapter.request_device(&wgpu::DeviceDescriptor {
            required_features: adapter.features() & features,
            required_limits: Limits {
                max_buffer_size: limits.max_buffer_size,
                max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
                ..Limits::defaults()
            },
            ..Default::default()
        });
        let (device, queue) = device
            .await
            .map_err(|e| GpuError::Device { name: display_name(&info), reason: e.to_string() })?;
        let faults = Faults::default();
        let uncaptured = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| uncaptured.note(error.into())));
        let lost = faults.clone();
        device.set_device_lost_callback(move |_, message| lost.note(Fault::Lost(message)));
        let recorder = Mutex::new(Recorder::new(device.clone(), queue.clone()));
        let pool = Mutex::new(Pool::new(device.clone()));
        // In a browser, where wgpu's handles stay on their thread, they only count owners.
        #[cfg_attr(target_arch = "wasm32", expect(clippy::arc_with_non_send_sync))]
        let (recorder, pool) = (Arc::new(recorder), Arc::new(pool));
        let arithmetic = Arc::default();
        Ok(Self {
            device,
            queue,
            pool,
            info,
            faults,
            recorder,
            offered,
            arithmetic,
            tile: options.tile,
            tiles: Arc::default(),
            subgroups,
        })
    }

    /// The adapter's name, kind and driver.
    pub fn info(&self) -> &AdapterInfo {
        &self.info
    }

    /// The adapter's name for a person to read.
    pub fn name(&self) -> String {
        display_name(&self.info)
    }

    /// Whether this is a software adapter, which runs on the processor.
    pub fn is_software(&self) -> bool {
        self.info.device_type == DeviceType::Cpu
    }

    /// The device and its queue, for measurements beside the network's.
    pub fn device(&self) -> (&wgpu::Device, &wgpu::Queue) {
        (&self.device, &self.queue)
    }

    /// The limits the device was acquired with.
    pub fn limits(&self) -> Limits {
        self.device.limits()
    }

    /// What this GPU can compute products in: always in F32, the first.
    pub fn offered(&self) -> &[Arithmetic] {
        &self.offered
    }

    /// What products are computed in.
    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic.lock().map(|arithmetic| *arithmetic).unwrap_or_default()
    }

    /// Computes products in `arithmetic` from now on; the weights stay as they are. Gives false and changes
    /// nothing where this GPU doesn't offer it.
    pub fn set_arithmetic(&self, arithmetic: Arithmetic) -> bool {
        let offered = self.offered.contains(&arithmetic);
        if let (true, Ok(mut current)) = (offered, self.arithmetic.lock()) {
            *current = arithmetic;
        }
        offered
    }

    /// The first fault that the device reported; no answer after it counts.
    pub fn fault(&self) -> Option<Fault> {
        self.faults.first()
    }

    /// Calls `listener` when the device reports its first fault, such as having been lost.
    pub fn on_fault(&self, listener: impl Fn(&Fault) + Send + 'static) {
        self.faults.listen(Box::new(listener));
    }

    /// Gives the device up: whatever is asked of it from now on fails as if the GPU had been unplugged.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Whether sums are made by operations of subgroups, where that is a gain.
    pub fn has_subgroups(&self) -> bool {
        self.subgroups
    }

    /// The layer norm of this device.
    pub(crate) fn norm(&self) -> Kernel {
        Kernel::LayerNorm { subgroups: self.subgroups }
    }

    /// The tile for a product of so many rows and panels of columns: as it was set or timed, else by its size.
    pub(crate) fn tile(&self, format: Format, arithmetic: Arithmetic, rows: usize, panels: usize) -> Tile {
        let timed = || self.tiles.lock().ok()?.get(format, arithmetic, rows, panels);
        // Workgroups to have at the least: a processor is busy with few.
        let enough = if self.is_software() { 8 } else { 160 };
        self.tile.or_else(timed).unwrap_or_else(|| Tile::choose(rows, panels, enough))
    }

    /// The tiles that were chosen by timing.
    pub fn tiles(&self) -> Tiles {
        self.tiles.lock().map(|tiles| tiles.clone()).unwrap_or_default()
    }

    /// Uses these tiles from now on: those that [`Gpu::tune`] chose for this adapter before.
    pub fn set_tiles(&self, tiles: Tiles) {
        if let Ok(mut current) = self.tiles.lock() {
            *current = tiles;
        }
    }

    /// An error once the device has reported a fault.
    pub(crate) fn check(&self) -> Result<(), BackendError> {
        if self.fault().is_none() {
            return Ok(());
        }
        // Natively a lost device is only reported on polling.
        let _ = self.device.poll(wgpu::PollType::Poll);
        self.fault().map_or(Ok(()), |fault| Err(BackendError::Device(fault.to_string())))
    }

    pub(crate) fn recorder(&self) -> Result<MutexGuard<'_, Recorder>, BackendError> {
        self.recorder.lock().map_err(|_| BackendError::Device("a thread that used the GPU panicked".into()))
    }
}

/// Browsers often hide the adapter's name; then its driver or kind must do.
fn display_name(info: &AdapterInfo) -> String {
    let names = [&info.name, &info.driver, &info.driver_info];
    names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_else(|| "an unnamed GPU".into())
}

//! The processor's threads and kernels, and WebGPU.

use crate::pool;
use crate::worker_scope;
use beit::backend::Cpu;
use beit::config::Config;
use engine::platform::{Devices, Threads};
use gpu::{Gpu, GpuError, GpuOptions};
use kernels::{Isa, WeightFormat};
use protocol::fault::Reason;

#[derive(Default)]
pub struct BrowserDevices;

impl Devices for BrowserDevices {
    type Cpu = Cpu;
    type Gpu = Gpu;

    fn cpu(&self, isa: Isa) -> Cpu {
        Cpu::with_clock(isa, worker_scope::now)
    }

    fn fastest_isa(&self, format: WeightFormat) -> (Isa, f64) {
        Isa::fastest(format, worker_scope::now)
    }

    fn product_ms(&self, config: &Config, isa: Isa, format: WeightFormat) -> f64 {
        engine::product_ms(config, isa, format, worker_scope::now)
    }

    async fn start_threads(&self, threads: usize) -> Threads {
        pool::start(threads).await
    }

    async fn gpu(&self, allow_software: bool) -> Result<Gpu, Reason> {
        let options = GpuOptions { allow_software, ..GpuOptions::default() };
        Gpu::request(options).await.map_err(|error| match error {
            // Of each way to a GPU it says how it went; the browser's is the last.
            GpuError::NoAdapter { reason } => {
                let reason = reason.rsplit(", ").next().unwrap_or_default().to_owned();
                Reason::NoGpu { reason }
            }
            GpuError::Software { name } => Reason::SoftwareGpu { name },
            GpuError::Device { name, reason } => Reason::GpuRefused { name, reason },
        })
    }

    fn driver(&self) -> String {
        worker_scope::scope().navigator().user_agent().unwrap_or_default()
    }
}

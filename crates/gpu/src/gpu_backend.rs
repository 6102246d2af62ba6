//! The GPU as device selection sees it: what it is, what it offers, whether it computes correctly.

use crate::gpu::Gpu;
use crate::kernel::{Kernel, Tile};
use crate::self_check::self_check;
use crate::weights::Format;
use beit::backend::{Agreement, Arithmetic, BackendError, GpuBackend};
use beit::builder::BuildError;
use beit::config::Config;
use kernels::WeightFormat;

impl GpuBackend for Gpu {
    fn name(&self) -> String {
        Self::name(self)
    }

    fn identity(&self) -> String {
        format!("{} {:?}", self.name(), self.info().driver_info)
    }

    fn is_software(&self) -> bool {
        Self::is_software(self)
    }

    fn offered(&self) -> Vec<Arithmetic> {
        Self::offered(self).to_vec()
    }

    fn arithmetic(&self) -> Arithmetic {
        Self::arithmetic(self)
    }

    fn set_arithmetic(&self, arithmetic: Arithmetic) {
        Self::set_arithmetic(self, arithmetic);
    }

    async fn self_check(&self, format: WeightFormat) -> Result<Agreement, BuildError> {
        self_check(self, format).await
    }

    async fn tune(
        &self,
        config: &Config,
        quantization: &str,
        arithmetics: &[Arithmetic],
        most_photos: usize,
        now: &dyn Fn() -> f64,
    ) -> Result<String, BackendError> {
        if !times_tiles(self) {
            return Ok(self.tiles().to_string());
        }
        Ok(Self::tune(self, config, format(quantization), arithmetics, most_photos, now).await?.to_string())
    }

    fn recall(&self, tuned: &str) -> bool {
        let tiles = tuned.parse();
        let is_known = tiles.is_ok();
        if let Ok(tiles) = tiles {
            self.set_tiles(tiles);
        }
        is_known
    }

    /// For one photo first, then for more in one pass; every tile of the products, where one is yet to be chosen by timing.
    async fn compile(
        &self,
        config: &Config,
        quantization: &str,
        arithmetics: &[Arithmetic],
        most_photos: usize,
        ready: &dyn Fn(usize, usize),
    ) -> Result<(), BackendError> {
        let format = format(quantization);
        let mut kernels = Vec::new();
        for photos in 1..=most_photos {
            for &arithmetic in arithmetics {
                for kernel in self.kernels_for(config, format, arithmetic, photos) {
                    if !kernels.contains(&kernel) {
                        kernels.push(kernel);
                    }
                }
            }
        }
        if times_tiles(self) && self.tiles().is_empty() {
            for &arithmetic in arithmetics {
                for tile in Tile::ALL {
                    let kernel = Kernel::product(format, arithmetic, tile);
                    if !kernels.contains(&kernel) {
                        kernels.push(kernel);
                    }
                }
            }
        }
        self.prepare(&kernels, |done| ready(done, kernels.len())).await
    }

    fn most_photos(&self, config: &Config) -> usize {
        Self::most_photos(self, config)
    }
}

/// Of the linear layers' weights.
fn format(quantization: &str) -> Format {
    match quantization {
        "q8_0" => Format::Q8_0,
        "q4_0" => Format::Q4_0,
        _ => Format::F32,
    }
}

/// Whether products' tiles are chosen by timing here. Not on software, nor yet in browsers: compiling every tile there takes
/// a simulated adapter minutes, and no real one has been measured.
fn times_tiles(gpu: &Gpu) -> bool {
    cfg!(not(target_arch = "wasm32")) && !gpu.is_software()
}

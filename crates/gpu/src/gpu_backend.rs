//! The GPU as device selection sees it: what it is, what it offers, whether it computes correctly.

use crate::gpu::Gpu;
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

    /// For one photo first, then for more in one pass.
    async fn compile(
        &self,
        config: &Config,
        quantization: &str,
        arithmetics: &[Arithmetic],
        most_photos: usize,
        ready: &dyn Fn(usize, usize),
    ) -> Result<(), BackendError> {
        let format = match quantization {
            "q8_0" => Format::Q8_0,
            "q4_0" => Format::Q4_0,
            _ => Format::F32,
        };
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
        self.prepare(&kernels, |done| ready(done, kernels.len())).await
    }

    fn most_photos(&self, config: &Config) -> usize {
        Self::most_photos(self, config)
    }
}

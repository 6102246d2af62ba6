//! Compiling kernels before the first photo needs them.

use crate::fault::Fault;
use crate::gpu::Gpu;
use crate::kernel::Kernel;
use beit::backend::BackendError;

impl Gpu {
    /// Compiles these kernels, one after another, so that no photo waits for it; those that are compiled already cost
    /// nothing. `progress` is called with the number that are ready, first with 0.
    ///
    /// In a browser each is compiled by `createComputePipelineAsync`, on a thread of the browser's own: nothing stands
    /// still meanwhile, such as weights that come in. Natively it is done when this returns.
    ///
    /// # Errors
    /// When a kernel is refused, or the device is lost.
    pub async fn prepare(&self, kernels: &[Kernel], progress: impl Fn(usize)) -> Result<(), BackendError> {
        progress(0);
        for (ready, &kernel) in kernels.iter().enumerate() {
            self.prepare_one(kernel).await?;
            progress(ready + 1);
        }
        // Natively a lost device is only reported on polling.
        let _ = self.device.poll(wgpu::PollType::Poll);
        self.check()
    }

    async fn prepare_one(&self, kernel: Kernel) -> Result<(), BackendError> {
        if self.recorder()?.pipelines.has(kernel) {
            return Ok(());
        }
        #[cfg(target_arch = "wasm32")]
        let _compiled = crate::compile_async::compile(&self.device, kernel).await.map_err(|reason| {
            BackendError::Device(format!("its kernel {} is refused: {reason}", kernel.name()))
        })?;
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        self.recorder()?.pipelines.get(kernel);
        match scope.pop().await {
            None => Ok(()),
            Some(error) => {
                // What is refused once would be used without a word the next time.
                self.faults.note(Fault::from(error));
                self.check()
            }
        }
    }

    /// The kernels that have been compiled.
    pub fn compiled(&self) -> Result<Vec<Kernel>, BackendError> {
        Ok(self.recorder()?.pipelines.kernels().collect())
    }

    /// How many different bindings of buffers to kernels there have been.
    pub fn bound(&self) -> Result<usize, BackendError> {
        Ok(self.recorder()?.bound())
    }
}

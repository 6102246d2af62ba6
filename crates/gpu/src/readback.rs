//! Results brought back from the GPU.

use crate::buffers::Numbered;
use crate::gpu::Gpu;
use beit::backend::BackendError;
use futures_channel::oneshot;

impl Gpu {
    /// The first `len` values of a buffer, after everything recorded so far: one submission, one wait.
    pub(crate) async fn read_back(&self, from: &Numbered, len: usize) -> Result<Vec<f32>, BackendError> {
        if len == 0 {
            return Ok(Vec::new());
        }
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: len as u64 * 4,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let submission = self.recorder()?.copy_out(from, &staging);
        let (done, mapped) = oneshot::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // Nobody waits any more if the reader was dropped.
            let _ = done.send(result);
        });
        let mapped = self.wait(submission, mapped).await;
        self.check()?;
        let failed = |what: String| BackendError::Device(format!("its results can't be read: {what}"));
        match mapped {
            Some(Ok(())) => {
                let view = staging.get_mapped_range(..).map_err(|e| failed(e.to_string()))?;
                Ok(view.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect())
            }
            Some(Err(error)) => Err(failed(error.to_string())),
            None => Err(failed("the device stopped answering".into())),
        }
    }

    /// Natively somebody has to wait for the GPU; the callback has then been called.
    #[cfg(not(target_arch = "wasm32"))]
    async fn wait<T>(
        &self,
        submission: wgpu::SubmissionIndex,
        mut callback: oneshot::Receiver<T>,
    ) -> Option<T> {
        let all = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
        // An error here is a lost device, which is noted as a fault.
        let _ = self.device.poll(all);
        callback.try_recv().ok().flatten()
    }

    #[cfg(target_arch = "wasm32")]
    async fn wait<T>(&self, _: wgpu::SubmissionIndex, callback: oneshot::Receiver<T>) -> Option<T> {
        callback.await.ok()
    }
}

//! How long the GPU itself takes, by its timestamps: without the time in which commands are recorded and submitted.

use crate::gpu::Gpu;
use beit::backend::BackendError;
use futures_channel::oneshot;

/// What a time was measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimedBy {
    /// The device's timestamps at the beginning and the end of a pass.
    Timestamps,
    /// The host's clock, from the submission to the end of its work.
    HostClock,
}

/// A time, and what it was measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// At least 0.
    pub seconds: f64,
    /// Decides what else is in `seconds`.
    pub by: TimedBy,
}

/// The two timestamps of a pass, in the order in which they are resolved.
const TIMESTAMPS: u32 = 2;
const BYTES: u64 = TIMESTAMPS as u64 * 8;

impl Gpu {
    /// The time that the device takes for what `record` records, and nothing recorded before. `record` may neither
    /// upload nor read, which would submit its part before its end.
    ///
    /// Timestamps are used where the device was requested with them
    /// ([`GpuOptions::timestamps`](crate::GpuOptions::timestamps)) and has them.
    ///
    /// # Errors
    /// What `record` says, or when the device fails.
    pub fn time(&self, record: impl FnOnce() -> Result<(), BackendError>) -> Result<Timed, BackendError> {
        self.recorder()?.flush();
        self.wait_for_all();
        let queries = self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| {
            self.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: TIMESTAMPS,
            })
        });
        self.recorder()?.set_timestamps(queries.clone());
        let recorded = record();
        // The clock starts once everything is recorded.
        let begun = std::time::Instant::now();
        {
            let mut recorder = self.recorder()?;
            recorder.flush();
            recorder.set_timestamps(None);
        }
        self.wait_for_all();
        let by_host = Timed { seconds: begun.elapsed().as_secs_f64(), by: TimedBy::HostClock };
        recorded?;
        self.check()?;
        Ok(queries.and_then(|queries| self.between(&queries)).unwrap_or(by_host))
    }

    fn wait_for_all(&self) {
        // An error here is a lost device, which is noted as a fault.
        let _ = self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: None });
    }

    /// The time between a pass's two timestamps; none where they are not those of a pass.
    fn between(&self, queries: &wgpu::QuerySet) -> Option<Timed> {
        let buffer = |usage| {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: BYTES,
                usage,
                mapped_at_creation: false,
            })
        };
        let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
        let staging = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.resolve_query_set(queries, 0..TIMESTAMPS, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, BYTES);
        self.queue.submit([encoder.finish()]);
        let (done, mut mapped) = oneshot::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            let _ = done.send(result);
        });
        self.wait_for_all();
        mapped.try_recv().ok()??.ok()?;
        let view = staging.get_mapped_range(..).ok()?;
        let [begin, end] = *view.as_chunks::<8>().0 else { return None };
        let ticks =
            u64::from_le_bytes(end).checked_sub(u64::from_le_bytes(begin)).filter(|&ticks| ticks > 0)?;
        let seconds = ticks as f64 * f64::from(self.queue.get_timestamp_period()) * 1e-9;
        Some(Timed { seconds, by: TimedBy::Timestamps })
    }
}

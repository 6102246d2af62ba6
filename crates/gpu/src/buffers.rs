//! GPU buffers: numbered, so that bind groups can be cached, and pooled for reuse.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A buffer and the number by which bind groups are remembered.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub number: u64,
    pub buffer: wgpu::Buffer,
}

/// Makes buffers, and keeps those of activations that are no longer needed, so that no photo after the
/// first allocates. The free buffer with the lowest number is taken first: every photo meets the same buffers
/// in the same places, and with them the same bind groups.
pub(crate) struct Pool {
    device: wgpu::Device,
    made: u64,
    /// By size in bytes and number.
    free: BTreeMap<(u64, u64), wgpu::Buffer>,
}

impl Pool {
    pub fn new(device: wgpu::Device) -> Self {
        Self { device, made: 0, free: BTreeMap::new() }
    }

    /// A buffer of zeros, for the GPU to read and write.
    pub fn make(&mut self, bytes: u64) -> Numbered {
        use wgpu::BufferUsages as Use;
        self.made += 1;
        let usage = Use::STORAGE | Use::COPY_DST | Use::COPY_SRC;
        let descriptor =
            wgpu::BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false };
        Numbered { number: self.made, buffer: self.device.create_buffer(&descriptor) }
    }

    /// A free buffer of exactly this size with whatever it holds, or a new one.
    fn take(&mut self, bytes: u64) -> Numbered {
        let key = self.free.range((bytes, 0)..=(bytes, u64::MAX)).next().map(|(&key, _)| key);
        match key.and_then(|key| self.free.remove_entry(&key)) {
            Some(((_, number), buffer)) => Numbered { number, buffer },
            None => self.make(bytes),
        }
    }
}

/// A buffer that goes back to its pool when it is dropped. Commands recorded before then come before
/// those that will use it again, so the GPU need not have finished with it.
pub(crate) struct Pooled {
    buffer: Numbered,
    pool: Arc<Mutex<Pool>>,
}

impl Pooled {
    /// Takes a buffer from the pool; none if a thread panicked while it held the pool.
    pub fn take(pool: &Arc<Mutex<Pool>>, bytes: u64) -> Option<Self> {
        let buffer = pool.lock().ok()?.take(bytes);
        Some(Self { buffer, pool: pool.clone() })
    }

    pub fn get(&self) -> &Numbered {
        &self.buffer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Ok(mut pool) = self.pool.lock() {
            let Numbered { number, buffer } = self.buffer.clone();
            pool.free.insert((buffer.size(), number), buffer);
        }
    }
}

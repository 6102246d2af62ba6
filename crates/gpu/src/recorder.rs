//! Records dispatches into one command buffer until something has to be read; bind groups and uniforms are cached.

use crate::buffers::Numbered;
use crate::kernel::Kernel;
use crate::pipelines::Pipelines;
use beit::backend::BackendError;
use std::collections::HashMap;
use wgpu::util::DeviceExt;

/// A kernel's uniform `shape`, in 32-bit words.
type Shape = [u32; 8];

/// The most workgroups that WebGPU lets one dimension of a dispatch have.
const MAX_WORKGROUPS: u32 = 65_535;
/// Bind groups remembered: a network of 24 blocks needs about 220 for each size of batch.
const MAX_BIND_GROUPS: usize = 8192;

/// Records dispatches and submits them.
pub(crate) struct Recorder {
    device: wgpu::Device,
    queue: wgpu::Queue,
    recording: Option<Recording>,
    pub pipelines: Pipelines,
    shapes: HashMap<Shape, wgpu::Buffer>,
    bind_groups: HashMap<BindKey, wgpu::BindGroup>,
    /// Bytes written since the last submission.
    staged: u64,
    /// Where the beginning and the end of the passes that are begun from now on are noted.
    timestamps: Option<wgpu::QuerySet>,
}

/// A command buffer being filled. The pass is dropped, hence ended, before the encoder.
struct Recording {
    pass: wgpu::ComputePass<'static>,
    encoder: wgpu::CommandEncoder,
}

/// What a bind group depends on: the kernel, its shape, the numbers of its buffers.
#[derive(PartialEq, Eq, Hash)]
struct BindKey {
    kernel: Kernel,
    shape: Shape,
    buffers: Vec<u64>,
}

impl Recorder {
    pub fn new(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Self {
            pipelines: Pipelines::new(device.clone()),
            device,
            queue,
            recording: None,
            shapes: HashMap::new(),
            bind_groups: HashMap::new(),
            staged: 0,
            timestamps: None,
        }
    }

    /// Records one run of a kernel. `shape` is its uniform, at most eight words; `buffers` are its
    /// bindings from 1 on.
    ///
    /// # Errors
    /// When there are more workgroups than WebGPU allows.
    pub fn dispatch<const N: usize>(
        &mut self,
        kernel: Kernel,
        shape: [u32; N],
        buffers: &[&Numbered],
        workgroups: [u32; 3],
    ) -> Result<(), BackendError> {
        const { assert!(N <= 8) };
        if let Some(&got) = workgroups.iter().find(|&&n| n > MAX_WORKGROUPS) {
            let (expected, got) = (MAX_WORKGROUPS as usize, got as usize);
            return Err(BackendError::Shape { what: "workgroups of a GPU kernel, at most", expected, got });
        }
        let mut words = [0; 8];
        words[..N].copy_from_slice(&shape);
        let bind_group = self.bind_group(kernel, words, buffers);
        let pipeline = self.pipelines.get(kernel).pipeline;
        let pass = &mut self.recording().pass;
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bind_group, &[]);
        let [x, y, z] = workgroups;
        pass.dispatch_workgroups(x, y, z);
        Ok(())
    }

    /// Submits what has been recorded, if anything.
    pub fn flush(&mut self) {
        if let Some(Recording { pass, encoder }) = self.recording.take() {
            drop(pass);
            self.queue.submit([encoder.finish()]);
        }
    }

    /// Copies the beginning of `from` to the whole of `to` and submits everything.
    pub fn copy_out(&mut self, from: &Numbered, to: &wgpu::Buffer) -> wgpu::SubmissionIndex {
        let mut encoder = match self.recording.take() {
            Some(Recording { pass, encoder }) => {
                drop(pass);
                encoder
            }
            None => self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default()),
        };
        encoder.copy_buffer_to_buffer(&from.buffer, 0, to, 0, to.size());
        self.queue.submit([encoder.finish()])
    }

    /// Counts bytes that were written to a buffer, and sends them off when they are more than `most`:
    /// natively, they are held in staging memory until then. A browser takes them at once.
    pub fn staged(&mut self, bytes: u64, most: u64) {
        self.staged += bytes;
        if self.staged > most && cfg!(not(target_arch = "wasm32")) {
            self.staged = 0;
            self.flush();
            let submission_index = Some(self.queue.submit([]));
            // An error here is a lost device, which is noted as a fault.
            let _ = self.device.poll(wgpu::PollType::Wait { submission_index, timeout: None });
        }
    }

    /// Has the passes that are begun from now on note when they began and ended.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn set_timestamps(&mut self, queries: Option<wgpu::QuerySet>) {
        self.timestamps = queries;
    }

    /// How many bind groups are remembered.
    pub fn bound(&self) -> usize {
        self.bind_groups.len()
    }

    fn recording(&mut self) -> &mut Recording {
        self.recording.get_or_insert_with(|| {
            let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let timestamp_writes =
                self.timestamps.as_ref().map(|query_set| wgpu::ComputePassTimestampWrites {
                    query_set,
                    beginning_of_pass_write_index: Some(0),
                    end_of_pass_write_index: Some(1),
                });
            let pass =
                encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
            let pass = pass.forget_lifetime();
            Recording { pass, encoder }
        })
    }

    fn bind_group(&mut self, kernel: Kernel, shape: Shape, buffers: &[&Numbered]) -> wgpu::BindGroup {
        let key = BindKey { kernel, shape, buffers: buffers.iter().map(|b| b.number).collect() };
        if let Some(known) = self.bind_groups.get(&key) {
            return known.clone();
        }
        if self.bind_groups.len() >= MAX_BIND_GROUPS {
            self.bind_groups.clear();
        }
        let uniform = self.shapes.entry(shape).or_insert_with(|| {
            self.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: None,
                contents: bytemuck::cast_slice(&shape),
                usage: wgpu::BufferUsages::UNIFORM,
            })
        });
        let uniform = uniform.clone();
        let bindings = std::iter::once(&uniform).chain(buffers.iter().map(|b| &b.buffer));
        let entries: Vec<_> = (0..)
            .zip(bindings)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let layout = self.pipelines.get(kernel).layout;
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(kernel.name()),
            layout: &layout,
            entries: &entries,
        });
        self.bind_groups.insert(key, group.clone());
        group
    }
}

//! Pipelines: one for each kernel, created once, with an explicit layout rather than one the driver derives.

use crate::kernel::{Bindings, Kernel};
use std::collections::HashMap;
use wgpu::{BindingType, BufferBindingType};

/// A kernel compiled, and what it binds.
#[derive(Clone)]
pub(crate) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// The pipelines that have been made.
pub(crate) struct Pipelines {
    device: wgpu::Device,
    made: HashMap<Kernel, Pipeline>,
    layouts: HashMap<Bindings, (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
}

impl Pipelines {
    pub fn new(device: wgpu::Device) -> Self {
        Self { device, made: HashMap::new(), layouts: HashMap::new() }
    }

    pub fn has(&self, kernel: Kernel) -> bool {
        self.made.contains_key(&kernel)
    }

    pub fn kernels(&self) -> impl Iterator<Item = Kernel> {
        self.made.keys().copied()
    }

    /// The kernel's pipeline; the first time it is compiled.
    pub fn get(&mut self, kernel: Kernel) -> Pipeline {
        if let Some(made) = self.made.get(&kernel) {
            return made.clone();
        }
        let (layout, all) = self.layout(kernel.bindings());
        let label = Some(kernel.name());
        let source = wgpu::ShaderSource::Wgsl(kernel.source());
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor { label, source });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&all),
            module: &module,
            entry_point: Some("main"),
            // Every kernel writes its workgroup memory before it reads it.
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        let pipeline = Pipeline { pipeline, layout };
        self.made.insert(kernel, pipeline.clone());
        pipeline
    }

    fn layout(&mut self, bindings: Bindings) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
        let device = &self.device;
        let made = self.layouts.entry(bindings).or_insert_with(|| {
            let entry = |(binding, ty)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
                count: None,
            };
            let entries: Vec<_> = (0..).zip(bindings.kinds()).map(entry).collect();
            let group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: None,
                entries: &entries,
            });
            let all = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&group)],
                immediate_size: 0,
            });
            (group, all)
        });
        made.clone()
    }
}

impl Bindings {
    /// Of each binding in order.
    pub(crate) fn kinds(self) -> impl Iterator<Item = BufferBindingType> {
        let storage = |read_only| BufferBindingType::Storage { read_only };
        std::iter::once(BufferBindingType::Uniform)
            .chain(std::iter::repeat_n(storage(true), self.read))
            .chain(std::iter::repeat_n(storage(false), self.written))
    }
}

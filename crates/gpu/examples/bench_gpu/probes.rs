//! What this adapter can do at most, measured: bytes a second through memory, operations a second in registers.

use gpu::{Arithmetic, Gpu};
use std::time::Instant;

/// What each probe reads and writes.
const COPIED: u64 = 64 << 20;
/// Threads of the probes of arithmetic: enough to fill any GPU.
const THREADS: u32 = 256 * 1024;
const IMITATED_THREADS: u32 = 256 * 32;
const ROUNDS: u32 = 256;
/// Operations of a thread in a round of each probe: 16 vectors of 4, a multiply and an add each; 16 dot products of
/// 4 such.
const MULTIPLY_ADD: u32 = 16 * 4 * 2;
const DOT_CODES: u32 = 16 * 4 * 2;

/// The adapter's measured peak.
pub struct Peak {
    /// Bytes a second, read and written together.
    pub bandwidth: f64,
    /// Operations a second in each arithmetic that is offered.
    pub operations: Vec<(Arithmetic, f64)>,
}

impl Peak {
    pub fn of(&self, arithmetic: Arithmetic) -> f64 {
        self.operations
            .iter()
            .find(|(measured, _)| *measured == arithmetic)
            .map_or(f64::NAN, |&(_, rate)| rate)
    }
}

pub fn measure(gpu: &Gpu) -> Peak {
    let vectors = u32::try_from(COPIED / 16).expect("a small number");
    let copy = seconds(gpu, include_str!("probes/copy.wgsl").into(), [2048, vectors / 256 / 2048], COPIED);
    let bandwidth = 2.0 * COPIED as f64 / copy;
    println!("{:44} {:9.3} ms {:9.1} GB/s", "copy 64 MiB", copy * 1e3, bandwidth / 1e9);
    let threads = if gpu.is_software() { IMITATED_THREADS } else { THREADS };
    let operations = gpu.offered().iter().map(|&arithmetic| {
        let (source, each) = source(arithmetic);
        let seconds = seconds(gpu, source, [threads / 256, 1], u64::from(threads) * 16);
        let rate = f64::from(threads) * f64::from(ROUNDS) * f64::from(each) / seconds;
        let what = format!("multiply-adds in registers, {}", arithmetic.name());
        println!("{what:44} {:9.3} ms {:9.1} GFLOP/s", seconds * 1e3, rate / 1e9);
        (arithmetic, rate)
    });
    Peak { bandwidth, operations: operations.collect() }
}

fn source(arithmetic: Arithmetic) -> (String, u32) {
    let rounds = format!("const ROUNDS: u32 = {ROUNDS}u;\n");
    let multiply_add = include_str!("probes/multiply_add.wgsl");
    match arithmetic {
        Arithmetic::F32 => (format!("alias Real = f32;\n{rounds}{multiply_add}"), MULTIPLY_ADD),
        Arithmetic::F16 => (format!("enable f16;\nalias Real = f16;\n{rounds}{multiply_add}"), MULTIPLY_ADD),
        Arithmetic::Int8 => (rounds + include_str!("probes/dot_codes.wgsl"), DOT_CODES),
    }
}

/// Seconds of one dispatch of a probe whose two buffers have so many bytes: the best of five runs of several.
fn seconds(gpu: &Gpu, source: String, [x, y]: [u32; 2], bytes: u64) -> f64 {
    let (device, queue) = gpu.device();
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("probe"),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("probe"),
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: Default::default(),
        cache: None,
    });
    let usage = wgpu::BufferUsages::STORAGE;
    let buffers = [0, 1].map(|_| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage,
            mapped_at_creation: false,
        })
    });
    let entries = [0, 1]
        .map(|at| wgpu::BindGroupEntry { binding: at as u32, resource: buffers[at].as_entire_binding() });
    let layout = pipeline.get_bind_group_layout(0);
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &layout,
        entries: &entries,
    });
    let run = |times: u32| {
        let mut encoder = device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        for _ in 0..times {
            pass.dispatch_workgroups(x, y, 1);
        }
        drop(pass);
        let begun = Instant::now();
        let submission_index = Some(queue.submit([encoder.finish()]));
        device
            .poll(wgpu::PollType::Wait { submission_index, timeout: None })
            .unwrap_or_else(|error| panic!("the GPU does not finish: {error}"));
        begun.elapsed().as_secs_f64()
    };
    run(1);
    let times = ((0.2 / run(1)) as u32).clamp(1, 200);
    (0..5).map(|_| run(times)).fold(f64::INFINITY, f64::min) / f64::from(times)
}

//! What this adapter can do at most, measured: bytes a second through memory, operations a second in registers.

use super::{Context, StageError, least, request};
use crate::record::{Peak, Rate, Record};
use beit::backend::BackendError;
use gpu::{Arithmetic, Gpu};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// What the probe of memory reads and writes: more than any GPU's cache holds, but on a processor.
const COPIED: u64 = 512 << 20;
const COPIED_IN_SOFTWARE: u64 = 64 << 20;
/// Threads of the probes of arithmetic: enough to fill any GPU.
const THREADS: u32 = 256 * 2048;
const THREADS_IN_SOFTWARE: u32 = 256 * 32;
const ROUNDS: u32 = 256;
/// Operations of a thread in a round of each probe: 16 vectors of 4, a multiply and an add each; 16 dot products of
/// 4 such.
const MULTIPLY_ADD: u32 = 16 * 4 * 2;
const DOT_CODES: u32 = 16 * 4 * 2;
const RUNS: usize = 5;

/// The adapter's measured peaks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Peaks {
    /// 10⁹ bytes a second, read and written together.
    pub bandwidth: Option<f64>,
    /// 10⁹ operations a second, by the arithmetic's name.
    pub operations: BTreeMap<String, f64>,
}

impl Peaks {
    /// Takes over what was measured.
    pub fn note(&mut self, peak: &Peak) {
        match &peak.arithmetic {
            Some(arithmetic) => drop(self.operations.insert(arithmetic.clone(), peak.rate.value())),
            None => self.bandwidth = Some(peak.rate.value()),
        }
    }

    /// Of an arithmetic's peak, or of the bandwidth, in percent.
    pub fn percent(&self, rate: Rate, arithmetic: Arithmetic) -> Option<f64> {
        let peak = match rate {
            Rate::Giga(_) => self.operations.get(arithmetic.name()).copied(),
            Rate::GigaBytes(_) => self.bandwidth,
        };
        peak.map(|peak| 100.0 * rate.value() / peak)
    }
}

/// Measures them.
///
/// # Errors
/// When the GPU fails.
pub fn run(context: &Context) -> Result<Peaks, StageError> {
    let gpu = request()?;
    let software = gpu.is_software();
    let mut peaks = Peaks::default();
    for &arithmetic in gpu.offered() {
        let what = format!("multiply-adds in registers, {}", arithmetic.name());
        if !context.has_time_for(0.0, &what) {
            continue;
        }
        let threads = if software { THREADS_IN_SOFTWARE } else { THREADS };
        let (source, each) = source(arithmetic);
        let seconds = seconds(context, &gpu, source, [threads / 256, 1], u64::from(threads) * 16)?;
        let rate = Rate::operations(f64::from(threads) * f64::from(ROUNDS) * f64::from(each), seconds);
        let arithmetic = Some(arithmetic.name().to_owned());
        let peak = Peak { what, arithmetic, ms: seconds * 1e3, rate };
        peaks.note(&peak);
        (context.emit)(Record::Peak(peak));
    }
    let limits = gpu.limits();
    let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
    let wanted = if software { COPIED_IN_SOFTWARE } else { COPIED };
    // Whole rows of 2048 workgroups of 256 vectors.
    let row = 2048 * 256 * 16;
    let rows = wanted.min(most) / row;
    let what = format!("copy of {} MiB", (rows * row) >> 20);
    if context.has_time_for(0.0, &what) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let bytes = u64::from(rows) * row;
        let seconds = seconds(context, &gpu, include_str!("probes/copy.wgsl").into(), [2048, rows], bytes)?;
        let rate = Rate::bytes(2.0 * bytes as f64, seconds);
        let peak = Peak { what, arithmetic: None, ms: seconds * 1e3, rate };
        peaks.note(&peak);
        (context.emit)(Record::Peak(peak));
    }
    Ok(peaks)
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

/// Seconds of one dispatch of a probe whose two buffers have so many bytes: the best of some runs of several, by the
/// host's clock.
fn seconds(
    context: &Context,
    gpu: &Gpu,
    source: String,
    [x, y]: [u32; 2],
    bytes: u64,
) -> Result<f64, BackendError> {
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
    let run = |times: u32| -> Result<f64, BackendError> {
        let mut encoder = device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        for _ in 0..times {
            pass.dispatch_workgroups(x, y, 1);
        }
        drop(pass);
        let commands = encoder.finish();
        let begun = Instant::now();
        let submission_index = Some(queue.submit([commands]));
        device
            .poll(wgpu::PollType::Wait { submission_index, timeout: None })
            .map_err(|error| BackendError::Device(format!("it does not finish a probe: {error}")))?;
        match gpu.fault() {
            None => Ok(begun.elapsed().as_secs_f64()),
            Some(fault) => Err(BackendError::Device(fault.to_string())),
        }
    };
    run(1)?;
    let times = ((0.2 / run(1)?) as u32).clamp(1, 200);
    let mut runs = vec![run(times)?];
    while runs.len() < RUNS && context.deadline.fits(runs[0]) {
        runs.push(run(times)?);
    }
    Ok(least(&runs) / f64::from(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_arithmetics_own_peak() {
        let operations = BTreeMap::from([("F32".to_owned(), 50.0), ("8-bit".to_owned(), 200.0)]);
        let peaks = Peaks { bandwidth: Some(10.0), operations };
        let rate = Rate::operations(25e9, 1.0);
        assert_eq!(peaks.percent(rate, Arithmetic::F32), Some(50.0));
        assert_eq!(peaks.percent(rate, Arithmetic::Int8), Some(12.5));
        assert_eq!(peaks.percent(rate, Arithmetic::F16), None);
        assert_eq!(peaks.percent(Rate::bytes(1e9, 1.0), Arithmetic::F16), Some(10.0));
    }
}

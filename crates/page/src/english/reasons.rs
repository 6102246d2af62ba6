//! Where the network runs and why, in English.

use super::counted;
use crate::numbers::rounded;
use protocol::BackendInfo;
use protocol::fault::Reason;

/// Where the network runs and why, for visitors; the diagnostics have the details.
pub fn reasons(backend: &BackendInfo) -> String {
    let place = match backend.kind.as_str() {
        "cpu" => {
            let threads = counted(backend.threads, "thread", "threads");
            format!("The network runs on the processor, on {threads}.")
        }
        _ => "The network runs on the GPU.".into(),
    };
    let sentences: Vec<_> = std::iter::once(place).chain(backend.reasons.iter().filter_map(reason)).collect();
    sentences.join(" ")
}

fn reason(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::NoGpu { .. } => "The GPU is not used: this browser offers none to pages.".into(),
        Reason::SoftwareGpu { .. } => {
            "The GPU is not used: the only one here is a program that imitates one on the processor.".into()
        }
        Reason::GpuRefused { name, .. } => {
            format!("The GPU is not used: the browser could not start {name}.")
        }
        Reason::GpuFailed { name, .. } => format!("The GPU is not used: {name} failed."),
        Reason::GpuWrong { name, .. } | Reason::GpuWrongOnModel { name } => {
            format!("The GPU is not used: {name} gives wrong results.")
        }
        Reason::Compared { name, gpu_ms, cpu_ms } => format!(
            "A photo takes {} ms on {name}, and would take about {} ms on the processor.",
            rounded(*gpu_ms),
            rounded(*cpu_ms)
        ),
        Reason::GpuLost { .. } => "The GPU failed and is not used any more.".into(),
        Reason::GpuAgain => "The GPU failed once and is used again.".into(),
        Reason::WrongForecast { predicted_ms, observed_ms } => format!(
            "On the other device photos took {} ms and not {} ms as expected, so this one is used.",
            rounded(*observed_ms),
            rounded(*predicted_ms)
        ),
        Reason::FewerThreads { .. } => "More threads could not be started.".into(),
        Reason::FallbackBuild { .. } => "A faster program could not be started.".into(),
        Reason::Fastest { .. } => return None,
    })
}

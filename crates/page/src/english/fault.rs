//! The worker's faults, and the reasons for its backend, in English.

use super::counted;
use crate::numbers::rounded;
use protocol::BackendInfo;
use protocol::fault::{LoadFault, PhotoFault, Reason, TeachFault};

pub fn photo(fault: &PhotoFault) -> String {
    fault.to_string()
}

pub fn load(fault: &LoadFault) -> String {
    fault.to_string()
}

pub fn teach(fault: &TeachFault) -> String {
    fault.to_string()
}

/// Where the network runs and why.
pub fn reasons(backend: &BackendInfo) -> String {
    let place = match backend.kind.as_str() {
        "cpu" => {
            format!(
                "The network runs on the processor, on {}.",
                counted(backend.threads, "thread", "threads")
            )
        }
        _ => "The network runs on the GPU.".into(),
    };
    let sentences: Vec<_> = std::iter::once(place).chain(backend.reasons.iter().map(reason)).collect();
    sentences.join(" ")
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NoGpu { reason } => format!("The GPU is not used: no GPU can be used here ({reason})."),
        Reason::ImitatedGpu { name } => {
            format!("The GPU is not used: the only GPU here is {name}, which imitates one on the processor.")
        }
        Reason::GpuRefused { name, reason } => {
            format!("The GPU is not used: {name} refused to be used ({reason}).")
        }
        Reason::GpuFailed { name, reason } => format!("The GPU is not used: {name} failed ({reason})."),
        Reason::GpuWrong { name, cosine: Some(cosine) } => {
            format!("The GPU is not used: {name} computes wrongly (cosine {cosine:.5}).")
        }
        Reason::GpuWrong { name, cosine: None } => {
            format!("The GPU is not used: {name} computes wrongly (what came is no number).")
        }
        Reason::GpuWrongHere { name } => {
            format!("The GPU is not used: on this model {name} computes wrongly.")
        }
        Reason::Compared { name, gpu_ms, cpu_ms } => format!(
            "A photo takes {} ms on {name}, and would take about {} ms on the processor.",
            rounded(*gpu_ms),
            rounded(*cpu_ms)
        ),
        Reason::GpuGivenUp { reason } => format!("The GPU is not used any more: {reason}."),
        Reason::GpuAgain => "The GPU failed once and is used again.".into(),
        Reason::Misjudged { foretold_ms, observed_ms } => format!(
            "On the other device photos took {} ms and not {} ms as expected, so this one is used.",
            rounded(*observed_ms),
            rounded(*foretold_ms)
        ),
        Reason::FewerThreads { reason } => format!("More threads could not be started ({reason})."),
        Reason::StandIn { reason } => format!("A faster program could not be started ({reason})."),
        Reason::Fastest { chosen, slower } => {
            format!("{chosen} was faster than {} here.", slower.join(" and "))
        }
    }
}

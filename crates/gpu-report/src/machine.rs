//! What the machine is, as far as it tells without a GPU.

use crate::supervise;
use std::fs;
use std::process::Command;

/// A driver that does not answer is no reason to wait longer.
const SECONDS: f64 = 10.0;

/// Name and value of what is known.
pub fn describe() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            found.push((name.to_owned(), value));
        }
    };
    let cores =
        std::thread::available_parallelism().map_or(String::new(), |cores| format!(", {cores} threads"));
    add("processor", field("/proc/cpuinfo", "model name").map(|name| name + &cores));
    add("memory", field("/proc/meminfo", "MemTotal"));
    add(
        "system",
        field_after("/etc/os-release", "PRETTY_NAME", '=').map(|name| name.trim_matches('"').into()),
    );
    add("kernel", first_line("/proc/sys/kernel/osrelease"));
    add("NVIDIA's kernel module", first_line("/proc/driver/nvidia/version"));
    let query = "--query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit,compute_cap";
    let mut smi = Command::new("nvidia-smi");
    smi.args([query, "--format=csv,noheader"]);
    let mut lines = Vec::new();
    let outcome = supervise::run(smi, SECONDS, |line| lines.push(line.to_owned()));
    let finished = outcome.ended == supervise::Ended::Finished;
    add("nvidia-smi", finished.then(|| lines.join("; ")));
    found
}

fn first_line(file: &str) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.lines().next()?.to_owned())
}

fn field(file: &str, name: &str) -> Option<String> {
    field_after(file, name, ':')
}

fn field_after(file: &str, name: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(separator)?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory_and_a_processor() {
        let found = describe();
        let value = |name| found.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        assert!(value("memory").unwrap().ends_with("kB"), "{found:?}");
        assert!(value("kernel").is_some(), "{found:?}");
        assert!(found.iter().all(|(_, value)| !value.is_empty()));
    }
}

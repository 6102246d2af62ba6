//! What the browser's processes take of memory and processors, as Linux counts it.

use std::collections::HashMap;
use std::fs;

/// Bytes of memory of the largest page among the browsers that this process has started, wasm of page and
/// worker included. A test that asks has to be alone in its file: tests of one file share a process.
pub fn of_page() -> u64 {
    pages().into_iter().filter_map(resident).max().expect("a page's process")
}

/// Seconds of processor time that all pages of those browsers have taken so far, all threads together.
pub fn processor_seconds_of_pages() -> f64 {
    pages().into_iter().filter_map(processor_seconds).sum()
}

fn pages() -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("processes are listed in /proc");
    let ids: Vec<u32> =
        processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    let parents: HashMap<u32, u32> = ids.iter().filter_map(|&id| Some((id, parent(id)?))).collect();
    let ours = |id: &&u32| {
        let mut id = **id;
        while let Some(&parent) = parents.get(&id) {
            if parent == std::process::id() {
                return true;
            }
            id = parent;
        }
        false
    };
    ids.iter().filter(ours).filter(|id| is_page(**id)).copied().collect()
}

fn parent(id: u32) -> Option<u32> {
    stat(id)?.get(1)?.parse().ok()
}

fn processor_seconds(id: u32) -> Option<f64> {
    /// In the kernel's interface, whatever its own clock.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = stat(id)?;
    let ticks = |field: usize| stat.get(field)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) as f64 / TICKS_A_SECOND)
}

/// The fields of `/proc/ID/stat` behind the name, which is in parentheses and may hold anything.
fn stat(id: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn is_page(id: u32) -> bool {
    fs::read(format!("/proc/{id}/cmdline"))
        .is_ok_and(|line| String::from_utf8_lossy(&line).contains("--type=renderer"))
}

/// Resident memory, without what is shared with files.
fn resident(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
}

//! The memory of Chromium's renderers, as Linux tells it: pages of their own and shared ones, not the program's
//! file. Of several renderers the largest counts, so no other browser should run.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Watches until it is asked.
pub struct Peak {
    kilobytes: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    watcher: JoinHandle<()>,
}

impl Peak {
    pub fn watch() -> Self {
        let (kilobytes, over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let watcher = {
            let (kilobytes, over) = (kilobytes.clone(), over.clone());
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    kilobytes.fetch_max(largest_renderer(), Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(50));
                }
            })
        };
        Self { kilobytes, over, watcher }
    }

    /// The peak; 0 where the system does not tell.
    pub fn megabytes(self) -> f64 {
        self.over.store(true, Ordering::Relaxed);
        self.watcher.join().expect("the watcher only reads");
        self.kilobytes.load(Ordering::Relaxed) as f64 / 1024.0
    }
}

fn largest_renderer() -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of = |folder: std::path::PathBuf| {
        // A process may end while it is read.
        let command = fs::read(folder.join("cmdline")).ok()?;
        let is_renderer = command.windows(15).any(|part| part == b"--type=renderer");
        let status = is_renderer.then(|| fs::read_to_string(folder.join("status")).ok())??;
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        Some(field("RssAnon:") + field("RssShmem:"))
    };
    processes.filter_map(|entry| of(entry.path())).max().unwrap_or(0)
}

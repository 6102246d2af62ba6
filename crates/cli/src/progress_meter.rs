//! How far a long command has come: a bar on a terminal, a plain line now and then elsewhere.

use crate::output::say;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Plain lines for one run, if it takes no longer than ten times [`EVERY`].
const LINES: u64 = 10;
/// No longer than this without a plain line.
const EVERY: Duration = Duration::from_secs(60);

/// Counts steps from any thread.
pub struct Meter {
    what: &'static str,
    total: u64,
    /// Steps that an earlier run did: they say nothing about the rate.
    first: u64,
    done: AtomicU64,
    begun: Instant,
    last_line: Mutex<Instant>,
    bar: Option<ProgressBar>,
}

impl Meter {
    /// `total` steps of `what` (a plural noun).
    pub fn new(what: &'static str, total: usize) -> Self {
        Self::resumed(what, total as u64, 0)
    }

    /// `total` steps, of which `done` were done by an earlier run.
    pub fn resumed(what: &'static str, total: u64, done: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}  {per_sec}  {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(what);
            bar.set_position(done);
            bar.reset_eta();
            bar
        });
        let begun = Instant::now();
        Self { what, total, first: done, done: done.into(), begun, last_line: Mutex::new(begun), bar }
    }

    /// One step is done.
    pub fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if done * LINES / self.total > (done - 1) * LINES / self.total => self.line(done),
            None => {
                let due = self.last_line.lock().is_ok_and(|last| last.elapsed() >= EVERY);
                if due {
                    self.line(done);
                }
            }
        }
    }

    /// A plain line: `640 of 5000 photos, 25.3 a second, 3 minutes left`.
    fn line(&self, done: u64) {
        if let Ok(mut last) = self.last_line.lock() {
            *last = Instant::now();
        }
        let rate = (done - self.first) as f64 / self.begun.elapsed().as_secs_f64().max(1e-9);
        let left = Duration::from_secs_f64(((self.total - done) as f64 / rate).clamp(0.0, 1e9));
        let left = if done < self.total { format!(", {} left", HumanDuration(left)) } else { String::new() };
        say(&format!("{done} of {} {}, {rate:.1} a second{left}", self.total, self.what));
    }

    /// Removes the bar, so that what follows starts on a line of its own.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

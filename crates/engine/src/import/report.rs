//! How far an import is: told to the page at intervals.

use crate::platform::{Clock, Platform};
use crate::rate::Rate;
use protocol::Reply;
use protocol::import::{ImportPhase, ImportProgress, ImportReply};

/// Milliseconds between two reports of the same phase.
const REPORT_EVERY: f64 = 100.0;

pub struct Report<'a, P: Platform> {
    platform: &'a P,
    progress: ImportProgress,
    rate: Rate,
    reported: f64,
}

impl<'a, P: Platform> Report<'a, P> {
    /// Of `total` bytes, so many were quantised earlier.
    pub fn new(platform: &'a P, total: u64, received: u64) -> Self {
        let phase = ImportPhase::Download;
        let progress = ImportProgress { phase, received, total, bytes_per_second: None, restarted: false };
        let now = platform.clock().now();
        Self { platform, progress, rate: Rate::new(now, received), reported: now - REPORT_EVERY }
    }

    /// So many bytes of the checkpoint are there.
    pub fn received(&mut self, bytes: u64) {
        if bytes < self.progress.received {
            self.rate.forget();
        }
        let began = self.progress.phase != ImportPhase::Download;
        self.progress.phase = ImportPhase::Download;
        self.progress.received = bytes;
        if began || self.platform.clock().now() - self.reported >= REPORT_EVERY {
            self.post();
        }
    }

    /// Everything is fetched once more.
    pub fn restarted(&mut self) {
        self.progress.restarted = true;
    }

    /// Another phase begins.
    pub fn phase(&mut self, phase: ImportPhase) {
        self.progress.phase = phase;
        self.rate.forget();
        self.post();
    }

    fn post(&mut self) {
        let now = self.platform.clock().now();
        self.progress.bytes_per_second = match self.progress.phase {
            ImportPhase::Download => self.rate.per_second(now, self.progress.received),
            ImportPhase::Waiting | ImportPhase::Reconnecting | ImportPhase::Store => None,
        };
        self.reported = now;
        self.platform.post(&Reply::Import(ImportReply::Progress(self.progress.clone())));
    }
}

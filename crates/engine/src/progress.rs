//! How far loading is: counts bytes and the GPU's programs, and reports to the page at intervals.

use crate::platform::{Clock, Platform};
use crate::rate::Rate;
use protocol::{Loading, Phase, Reply};
use std::cell::Cell;

/// Milliseconds between two reports: more often than a screen needs them would only cost time.
const REPORT_EVERY: f64 = 60.0;

/// Counts the GPU's kernels while they are compiled beside the download, and reports them once nothing else is awaited.
pub struct CompileProgress<'a, P: Platform> {
    platform: &'a P,
    ready: Cell<usize>,
    total: Cell<usize>,
    /// The weights' bytes, once all are in place.
    waited_for: Cell<Option<u64>>,
}

impl<'a, P: Platform> CompileProgress<'a, P> {
    pub fn new(platform: &'a P) -> Self {
        Self { platform, ready: Cell::new(0), total: Cell::new(0), waited_for: Cell::new(None) }
    }

    /// So many programs are ready.
    pub fn count(&self, ready: usize, total: usize) {
        self.ready.set(ready);
        self.total.set(total);
        self.report();
    }

    /// All of the weights' bytes are in place.
    pub fn wait(&self, bytes: u64) {
        self.waited_for.set(Some(bytes));
        self.report();
    }

    fn report(&self) {
        if let Some(bytes) = self.waited_for.get() {
            let (ready, total) = (self.ready.get(), self.total.get());
            report_complete(self.platform, bytes, Phase::Compile { ready, total });
        }
    }
}

/// Reports a phase that follows after all `total` bytes are in place.
fn report_complete(platform: &impl Platform, total: u64, phase: Phase) {
    let loading = Loading { phase, total, here: total, stored: 0, built: total, bytes_per_second: None };
    platform.post(&Reply::Loading(loading));
}

/// All `total` bytes are in place; the network runs once.
pub fn report_warm_up(platform: &impl Platform, total: u64) {
    report_complete(platform, total, Phase::WarmUp);
}

/// Counts bytes while a model loads.
pub struct ByteProgress<'a, P: Platform> {
    platform: &'a P,
    loading: Cell<Loading>,
    reported: Cell<f64>,
    rate: Rate,
}

impl<'a, P: Platform> ByteProgress<'a, P> {
    /// Of `total` bytes, `stored` are in storage already.
    pub fn new(platform: &'a P, total: u64, stored: u64) -> Self {
        let phase = if stored == total { Phase::Read } else { Phase::Download };
        let loading = Loading { phase, total, here: stored, stored, built: 0, bytes_per_second: None };
        let rate = Rate::new(platform.clock().now(), stored);
        let progress = Self { platform, loading: Cell::new(loading), reported: Cell::new(0.0), rate };
        progress.report();
        progress
    }

    /// Bytes came, or turned out damaged and have to come again (a negative number).
    pub fn came(&self, bytes: i64) {
        let mut loading = self.loading.get();
        loading.here = loading.here.saturating_add_signed(bytes);
        self.loading.set(loading);
        self.report_sometimes();
    }

    /// A stored shard was damaged: it has to be fetched after all.
    pub fn lost(&self, bytes: u64) {
        let mut loading = self.loading.get();
        loading.phase = Phase::Download;
        loading.here -= bytes;
        loading.stored -= bytes;
        self.loading.set(loading);
        self.rate.forget();
        self.report();
    }

    /// Bytes are in their place in the model.
    pub fn built(&self, bytes: u64) {
        let mut loading = self.loading.get();
        loading.built += bytes;
        self.loading.set(loading);
        self.report_sometimes();
    }

    fn report_sometimes(&self) {
        let loading = self.loading.get();
        let since = self.platform.clock().now() - self.reported.get();
        if since >= REPORT_EVERY || loading.built == loading.total {
            self.report();
        }
    }

    fn report(&self) {
        let now = self.platform.clock().now();
        let mut loading = self.loading.get();
        if loading.phase == Phase::Download {
            loading.bytes_per_second = self.rate.per_second(now, loading.here);
            self.loading.set(loading);
        }
        self.reported.set(now);
        self.platform.post(&Reply::Loading(loading));
    }
}

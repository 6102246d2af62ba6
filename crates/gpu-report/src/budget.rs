//! Time: how much a stage gets, and whether the next measurement still fits.

use std::time::{Duration, Instant};

/// The end of a stage.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// `seconds` from now on; none is an end that never comes.
    pub fn after(seconds: Option<f64>) -> Self {
        Self(seconds.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds.max(0.0))))
    }

    /// Seconds until then; 0 afterwards.
    pub fn remaining(&self) -> f64 {
        self.0.map_or(f64::INFINITY, |end| end.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    /// Whether something that takes `seconds` ends before.
    pub fn fits(&self, seconds: f64) -> bool {
        seconds < self.remaining()
    }
}

/// A stage's share of the time: `weight` among those that are still to come, but at least `least` seconds; where there
/// are too few for what each needs at least, it gets less in proportion.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub weight: f64,
    pub least: f64,
}

/// Seconds of the first of these stages, where all of them have `remaining`: what a stage leaves goes to the later ones,
/// and what it takes too much of is taken from all of them.
pub fn allot(remaining: f64, stages: &[Share]) -> f64 {
    let Some(first) = stages.first() else { return 0.0 };
    let weights: f64 = stages.iter().map(|stage| stage.weight).sum();
    let needed: f64 = stages.iter().map(|stage| stage.least).sum();
    let least = first.least * (remaining / needed).min(1.0);
    (remaining * first.weight / weights).max(least).min(remaining).max(0.0)
}

/// Foretells how long work takes, from the slowest rate that was met.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    seconds_an_operation: f64,
}

impl Pace {
    /// So many operations took so long.
    pub fn observe(&mut self, operations: f64, seconds: f64) {
        self.seconds_an_operation = self.seconds_an_operation.max(seconds / operations);
    }

    /// Seconds that so many operations will take at most; 0 before anything was observed.
    pub fn predict(&self, operations: f64) -> f64 {
        self.seconds_an_operation * operations
    }
}

/// The most of BEiTv2-large's blocks, all alike, with which so many `passes` take no longer than `seconds`, where a pass
/// through one takes `block_seconds` and building one `build_seconds`; 0 where not even one fits.
pub fn blocks_that_fit(seconds: f64, passes: f64, block_seconds: f64, build_seconds: f64) -> usize {
    let each = passes * block_seconds + build_seconds;
    [24, 12, 6, 3, 2, 1].into_iter().find(|&blocks| blocks as f64 * each <= seconds).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stage_leaves_goes_to_the_later_ones() {
        let share = |weight, least| Share { weight, least };
        let stages = [share(1.0, 10.0), share(3.0, 20.0), share(2.0, 0.0)];
        assert_eq!(allot(480.0, &stages), 80.0);
        assert_eq!(allot(475.0, &stages[1..]), 285.0, "the first took 5 of its 80 s");
        assert_eq!(allot(42.0, &stages), 10.0, "no less than it needs");
        assert_eq!(allot(15.0, &stages), 5.0, "half of what all need is there");
        assert_eq!(allot(4.0, &stages[2..]), 4.0, "the last gets the rest");
        assert_eq!(allot(-1.0, &stages), 0.0);
        assert_eq!(allot(480.0, &[]), 0.0);
    }

    #[test]
    fn a_deadline_never_goes_below_zero() {
        let past = Deadline::after(Some(-5.0));
        assert_eq!(past.remaining(), 0.0);
        assert!(!past.fits(0.0));
        assert!(Deadline::after(None).fits(1e9));
    }

    #[test]
    fn the_slowest_rate_foretells() {
        let mut pace = Pace::default();
        assert_eq!(pace.predict(1e9), 0.0);
        pace.observe(1e9, 2.0);
        pace.observe(1e9, 1.0);
        assert_eq!(pace.predict(4e9), 8.0);
    }

    #[test]
    fn a_slow_adapter_gets_fewer_blocks() {
        assert_eq!(blocks_that_fit(60.0, 2.0, 0.002, 0.1), 24);
        assert_eq!(blocks_that_fit(60.0, 2.0, 4.0, 1.0), 6);
        assert_eq!(blocks_that_fit(60.0, 2.0, 25.0, 1.0), 1);
        assert_eq!(blocks_that_fit(60.0, 2.0, 40.0, 1.0), 0);
    }
}

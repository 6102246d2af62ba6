//! How the time of a forward pass divides into stages, if there is a clock.

use std::sync::atomic::{AtomicU64, Ordering};

/// A part of the network, as far as times are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Products with quantised weights, with what is done to their results on the way: bias, GELU, quantising,
    /// residual connection.
    Products,
    /// Products with F32 weights: the patch embedding, or all of an F32 network.
    DenseProducts,
    /// Scores, softmax and the weighted sum of the values.
    Attention,
    /// With quantising for the product that follows.
    LayerNorm,
    /// Class token, pooling, and residual connections of F32 networks.
    Rest,
}

impl Stage {
    /// All of them.
    pub const ALL: [Stage; 5] =
        [Stage::Products, Stage::DenseProducts, Stage::Attention, Stage::LayerNorm, Stage::Rest];

    /// A short name for reports.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Products => "products",
            Stage::DenseProducts => "dense products",
            Stage::Attention => "attention",
            Stage::LayerNorm => "layer norm",
            Stage::Rest => "rest",
        }
    }
}

/// Time by stage; nothing is counted without a clock.
#[derive(Default)]
pub(super) struct Times {
    /// Milliseconds since any moment.
    clock: Option<fn() -> f64>,
    nanoseconds: [AtomicU64; Stage::ALL.len()],
}

impl Times {
    pub fn with(clock: fn() -> f64) -> Self {
        Self { clock: Some(clock), ..Self::default() }
    }

    /// Calls `work` and adds the time it took to a stage's.
    pub fn of<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let Some(clock) = self.clock else { return work() };
        let begun = clock();
        let result = work();
        let nanoseconds = ((clock() - begun) * 1e6) as u64;
        self.nanoseconds[stage as usize].fetch_add(nanoseconds, Ordering::Relaxed);
        result
    }

    /// Milliseconds by stage since this was last asked.
    pub fn take(&self) -> Vec<(Stage, f64)> {
        if self.clock.is_none() {
            return Vec::new();
        }
        let take = |stage: Stage| self.nanoseconds[stage as usize].swap(0, Ordering::Relaxed) as f64 / 1e6;
        Stage::ALL.into_iter().map(|stage| (stage, take(stage))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_added_up_by_stage_until_it_is_taken() {
        static NOW: AtomicU64 = AtomicU64::new(0);
        let times = Times::with(|| NOW.load(Ordering::Relaxed) as f64);
        for (stage, ms) in [(Stage::Attention, 2), (Stage::Products, 5), (Stage::Attention, 1)] {
            assert_eq!(
                times.of(stage, || NOW.fetch_add(ms, Ordering::Relaxed) + ms),
                NOW.load(Ordering::Relaxed)
            );
        }
        let expected = [5.0, 0.0, 3.0, 0.0, 0.0];
        assert_eq!(times.take(), Stage::ALL.into_iter().zip(expected).collect::<Vec<_>>());
        assert!(times.take().iter().all(|(_, ms)| *ms == 0.0));
        let none = Times::default();
        assert_eq!(none.of(Stage::Rest, || 7), 7);
        assert!(none.take().is_empty());
    }
}

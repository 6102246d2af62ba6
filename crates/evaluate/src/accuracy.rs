//! Accuracy with its confidence interval: how far what was measured on some photos may be from the truth.

use serde::Serialize;

/// 97.5 % of a normal distribution lie below this many standard deviations.
const Z: f64 = 1.959_963_984_540_054;

/// Accuracy in percent with Wilson's 95 % interval, which stays within 0 and 100 and holds for few photos too.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Accuracy {
    /// The measured share.
    pub percent: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Accuracy {
    /// Of `hits` among `of`; nothing among nothing.
    pub fn new(hits: u64, of: u64) -> Option<Self> {
        if of == 0 {
            return None;
        }
        let (n, share) = (of as f64, hits as f64 / of as f64);
        let center = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let percent = |x: f64| (100.0 * x / (1.0 + Z * Z / n)).clamp(0.0, 100.0);
        // At the ends both terms are equal but for their rounding.
        let low = if hits == 0 { 0.0 } else { percent(center - half) };
        let high = if hits == of { 100.0 } else { percent(center + half) };
        Some(Self { percent: 100.0 * hits as f64 / n, low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wilson's ends are the shares from which the measured one is just [`Z`] standard deviations away.
    #[test]
    fn it_is_wilsons_interval() {
        for (hits, of) in [(97, 128), (1, 2), (9, 18), (1, 1000), (999, 1000), (31_650, 50_000)] {
            let share = Accuracy::new(hits, of).unwrap();
            assert!(share.low < share.percent && share.percent < share.high, "{share:?}");
            for end in [share.low / 100.0, share.high / 100.0] {
                let deviations = (share.percent / 100.0 - end).abs() / (end * (1.0 - end) / of as f64).sqrt();
                assert!((deviations - Z).abs() < 1e-9, "{hits}/{of}: {share:?}");
            }
        }
        let (none, all) = (Accuracy::new(0, 10).unwrap(), Accuracy::new(10, 10).unwrap());
        assert_eq!((none.low, all.high), (0.0, 100.0));
        assert!((none.high - 27.75).abs() < 0.005 && (all.low - 72.25).abs() < 0.005, "{none:?} {all:?}");
        assert_eq!(Accuracy::new(0, 0), None);
    }
}

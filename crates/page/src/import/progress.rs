//! How far an import has come: bytes, time left, share of the whole.

use crate::status::StageProgress;
use protocol::import::{ImportPhase, ImportProgress};

/// How long the rest of the checkpoint takes, in seconds; none while nobody can say.
pub fn seconds_left(progress: &ImportProgress) -> Option<u64> {
    let rate = progress.bytes_per_second.filter(|rate| rate.is_finite() && *rate >= 1.0)? as u64;
    let is_download = progress.phase == ImportPhase::Download;
    is_download.then(|| progress.total.saturating_sub(progress.received).div_ceil(rate))
}

/// What the progress bar shows after so many bytes of so many.
pub fn fetched_share(received: u64, total: u64) -> StageProgress {
    if total == 0 {
        return StageProgress::Unknown;
    }
    let share = (received as f64 / total as f64).min(1.0);
    StageProgress::Share { here: share, built: share }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(received: u64, total: u64, bytes_per_second: Option<f64>) -> ImportProgress {
        ImportProgress { phase: ImportPhase::Download, received, total, bytes_per_second, restarted: false }
    }

    #[test]
    fn time_left_is_told_once_the_rate_is_known() {
        for (received, total, rate, expected) in [
            (0, 1_200_000_000, Some(8e6), Some(150)),
            (1_199_999_999, 1_200_000_000, Some(8e6), Some(1)),
            (1_200_000_000, 1_200_000_000, Some(8e6), Some(0)),
            // More than was announced.
            (1_300_000_000, 1_200_000_000, Some(8e6), Some(0)),
            (0, 0, Some(8e6), Some(0)),
            (0, u64::MAX, Some(1.0), Some(u64::MAX)),
            (0, 9, None, None),
            (0, 9, Some(0.0), None),
            (0, 9, Some(0.4), None),
            (0, 9, Some(-1.0), None),
            (0, 9, Some(f64::NAN), None),
            (0, 9, Some(f64::INFINITY), None),
        ] {
            assert_eq!(seconds_left(&at(received, total, rate)), expected, "{received} {total} {rate:?}");
        }
        // What is fetched once more counts from its new beginning.
        assert_eq!(seconds_left(&ImportProgress { restarted: true, ..at(2, 10, Some(2.0)) }), Some(4));
        for phase in [ImportPhase::Waiting, ImportPhase::Reconnecting, ImportPhase::Store] {
            assert_eq!(seconds_left(&ImportProgress { phase, ..at(2, 10, Some(2.0)) }), None, "{phase:?}");
        }
    }

    #[test]
    fn the_bar_is_never_more_than_full() {
        let full = StageProgress::Share { here: 1.0, built: 1.0 };
        assert_eq!(fetched_share(5, 4), full);
        assert_eq!(fetched_share(4, 4), full);
        assert_eq!(fetched_share(1, 4), StageProgress::Share { here: 0.25, built: 0.25 });
        assert_eq!(fetched_share(1, 0), StageProgress::Unknown);
    }
}

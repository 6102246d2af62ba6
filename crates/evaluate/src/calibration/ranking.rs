//! How well a score tells photos of the classes ("known") from others ("outliers"). Known photos should score higher.

/// Of known photos, how many in a hundred may be called none of the classes: 100 less the true positive rate.
const MISSED_PERCENT: usize = 5;

/// Area under the ROC curve, 0 to 1: how likely a known photo scores higher than an outlier, where equal scores count
/// half. None without photos of either kind.
pub fn auroc(known: &[f64], outliers: &[f64]) -> Option<f64> {
    if known.is_empty() || outliers.is_empty() {
        return None;
    }
    let outliers = sorted(outliers);
    let beaten = |&score: &f64| {
        let below = outliers.partition_point(|&other| other < score);
        let up_to = outliers.partition_point(|&other| other <= score);
        (below + up_to) as f64 / 2.0
    };
    let sum: f64 = known.iter().map(beaten).sum();
    Some(sum / known.len() as f64 / outliers.len() as f64)
}

/// The highest threshold that at least 95 % of the known photos reach. None without photos.
pub fn threshold_at_95(known: &[f64]) -> Option<f64> {
    sorted(known).get(known.len() * MISSED_PERCENT / 100).copied()
}

/// The share of scores, 0 to 1, that reach the threshold. None without photos.
pub fn share_reaching(scores: &[f64], threshold: f64) -> Option<f64> {
    let reach = scores.iter().filter(|&&score| score >= threshold).count();
    (!scores.is_empty()).then(|| reach as f64 / scores.len() as f64)
}

/// False positive rate at a true positive rate of 95 %, 0 to 1: the share of outliers that reach the threshold which
/// 95 % of these known photos reach. None without photos of either kind.
pub fn fpr_at_95(known: &[f64], outliers: &[f64]) -> Option<f64> {
    share_reaching(outliers, threshold_at_95(known)?)
}

fn sorted(scores: &[f64]) -> Vec<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs_and_ties_half() {
        // Of 6 pairs 4 are won, 1 is even and 1 is lost.
        assert_eq!(auroc(&[3.0, 1.0], &[0.0, 1.0, 2.0]), Some(4.5 / 6.0));
        assert_eq!(auroc(&[1.0], &[1.0]), Some(0.5));
        assert_eq!(auroc(&[f64::NEG_INFINITY], &[2.0]), Some(0.0));
        assert_eq!((auroc(&[], &[1.0]), auroc(&[1.0], &[])), (None, None));
    }

    #[test]
    fn ninety_five_percent_of_the_known_reach_the_threshold() {
        for count in [1, 19, 20, 21, 64, 100, 1000] {
            let known: Vec<f64> = (0..count).map(|i| f64::from(i * 7919 % count)).collect();
            let threshold = threshold_at_95(&known).unwrap();
            assert!(share_reaching(&known, threshold) >= Some(0.95), "{count}");
            assert!(share_reaching(&known, threshold + 1.0) < Some(0.95), "{count}: it could be higher");
        }
        assert_eq!(threshold_at_95(&[]), None);
        // 40 known photos: the threshold is the third lowest, 2, which one of the four outliers reaches.
        let known: Vec<f64> = (0..40).map(f64::from).collect();
        assert_eq!(fpr_at_95(&known, &[2.0, 1.9, 0.0, -3.0]), Some(0.25));
    }
}

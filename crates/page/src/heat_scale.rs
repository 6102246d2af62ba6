//! Scales a heat map's contributions for colours.

use protocol::HeatMap;

/// Patches differ little beside what they have in common, so colours are about the average patch: how much
/// more or less a patch contributes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub average: f32,
    /// The largest distance from the average.
    pub spread: f32,
}

impl Scale {
    pub fn of(map: &HeatMap) -> Self {
        let count = map.contributions.len().max(1) as f32;
        let average = map.contributions.iter().sum::<f32>() / count;
        let spread = map.contributions.iter().fold(0.0f32, |spread, term| spread.max((term - average).abs()));
        Self { average, spread }
    }

    /// −1 for the least, 0 for the average, 1 for the most.
    pub fn share(self, term: f32) -> f64 {
        if self.spread > 0.0 { f64::from((term - self.average) / self.spread) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Area;

    #[test]
    fn colours_are_about_the_average() {
        let seen = Area { x: 0.0, y: 0.0, width: 2.0, height: 2.0 };
        let map = |contributions: &[f32]| HeatMap {
            grid: 2,
            contributions: contributions.to_vec(),
            constant: 0.0,
            logit: 0.0,
            seen,
        };
        let scale = Scale::of(&map(&[1.0, 2.0, 2.0, 3.0]));
        assert_eq!(scale, Scale { average: 2.0, spread: 1.0 });
        assert_eq!([1.0, 2.0, 3.0, 2.5].map(|term| scale.share(term)), [-1.0, 0.0, 1.0, 0.5]);
        assert_eq!(Scale::of(&map(&[1.0; 4])).share(1.0), 0.0, "nothing to tell apart");
    }
}

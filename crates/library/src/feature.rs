//! A photo's feature in bytes.

/// Most values that a feature may have: the sum of so many products of bytes fits into 32 bits.
pub(crate) const MOST_VALUES: u64 = 1 << 16;

/// A feature, `[width]`, with an L2 norm of 1, rounded to bytes: `value ≈ scale · byte`.
///
/// Each value is off by at most `scale / 2`, where `scale` is the largest magnitude divided by 127. Rounding errors are about
/// independent of the values, so a cosine of two features is off by `scale / √6` (standard deviation): some 0.0005 for 384
/// values without outliers and 0.0003 for 1,024. `rounding_hardly_changes_a_cosine` bounds the worst of 200.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// What a byte is multiplied by; 0 for a feature of zeros.
    pub scale: f32,
    /// `[width]`, −127 to 127.
    pub values: Vec<i8>,
}

impl Feature {
    /// Normalises and rounds `values`, `[width]`. `None` if one of them is no finite number.
    pub fn new(values: &[f32]) -> Option<Self> {
        let norm = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        let largest = values.iter().fold(0f64, |largest, &value| largest.max(f64::from(value).abs()));
        if !norm.is_finite() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        if norm == 0.0 {
            return Some(Self { scale: 0.0, values: vec![0; values.len()] });
        }
        let byte = |&value: &f32| (f64::from(value) * 127.0 / largest).round() as i8;
        Some(Self { scale: (largest / norm / 127.0) as f32, values: values.iter().map(byte).collect() })
    }

    /// The values, `[width]`.
    pub fn dequantized(&self) -> Vec<f32> {
        self.values.iter().map(|&byte| f32::from(byte) * self.scale).collect()
    }
}

/// `Σ a · b`, exactly. Both have the same length, at most [`MOST_VALUES`].
///
/// A plain loop over products of 16 bits that are added in 32: compilers turn it into `pmaddwd` on x86, `smlal` on Arm and
/// `i32x4.dot_i16x8_s` in WebAssembly.
#[inline]
pub(crate) fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(i16::from(a)) * i32::from(i16::from(b))).sum()
}

/// The L2 norm of bytes.
pub(crate) fn norm(values: &[i8]) -> f32 {
    f64::from(dot(values, values)).sqrt() as f32
}

/// The cosine of two features, given their norms; 0 where one of them is all zeros.
#[inline]
pub(crate) fn cosine(dot: i32, norm_a: f32, norm_b: f32) -> f32 {
    let norms = norm_a * norm_b;
    if norms > 0.0 { dot as f32 / norms } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use splitmix64::SplitMix64;

    /// About normally distributed.
    fn random(width: usize, random: &mut SplitMix64) -> Vec<f32> {
        let mut one =
            || (0..4).map(|_| (random.next_u64() >> 40) as f32 / (1 << 24) as f32 - 0.5).sum::<f32>();
        (0..width).map(|_| one()).collect()
    }

    fn exact_cosine(a: &[f32], b: &[f32]) -> f64 {
        let dot =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    #[test]
    fn rounding_hardly_changes_a_cosine() {
        let mut stream = SplitMix64(1);
        for (width, outlier, most) in [(384, 1.0, 2.5e-3), (1024, 1.0, 1.5e-3), (1024, 8.0, 4e-3)] {
            let mut worst = 0f64;
            for near in [0.0, 0.1, 0.5, 1.0] {
                for _ in 0..50 {
                    let (mut a, noise) = (random(width, &mut stream), random(width, &mut stream));
                    a[7] *= outlier;
                    let b: Vec<f32> =
                        a.iter().zip(&noise).map(|(a, n)| (1.0 - near) * a + near * n).collect();
                    let (qa, qb) = (Feature::new(&a).unwrap(), Feature::new(&b).unwrap());
                    let got = cosine(dot(&qa.values, &qb.values), norm(&qa.values), norm(&qb.values));
                    worst = worst.max((f64::from(got) - exact_cosine(&a, &b)).abs());
                }
            }
            println!("{width} values, outlier {outlier}: {worst}");
            assert!(worst < most, "{width} values, outlier {outlier}: {worst}");
        }
    }

    #[test]
    fn values_come_back_within_half_a_step_and_with_norm_1() {
        let values = random(384, &mut SplitMix64(2));
        let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        let feature = Feature::new(&values).unwrap();
        for (value, back) in values.iter().zip(feature.dequantized()) {
            assert!((value / norm - back).abs() <= feature.scale * 0.5001);
        }
        let norm: f32 = feature.dequantized().iter().map(|v| v * v).sum();
        assert!((norm - 1.0).abs() < 1e-3, "{norm}");
    }

    #[test]
    fn extremes_are_exact_zeros_are_like_nothing_and_nan_is_refused() {
        let most = vec![-127i8; MOST_VALUES as usize];
        assert_eq!(i64::from(dot(&most, &most)), 127 * 127 * MOST_VALUES as i64);
        let zeros = Feature::new(&[0.0; 3]).unwrap();
        assert_eq!((zeros.scale, cosine(dot(&zeros.values, &[1, 2, 3]), 0.0, norm(&[1, 2, 3]))), (0.0, 0.0));
        assert_eq!(Feature::new(&[1.0, f32::NAN]), None);
        assert_eq!(Feature::new(&[f32::INFINITY]), None);
        assert_eq!(Feature::new(&[1e30, -1e30]).unwrap().values, [127, -127]);
        assert_eq!(Feature::new(&[1e-40, 0.0]).unwrap().values, [127, 0]);
    }
}

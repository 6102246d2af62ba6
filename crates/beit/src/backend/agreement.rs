//! How close a device's logits are to reference logits.

use super::Arithmetic;

/// How near two vectors of logits are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Cosine of the angle between them; NaN where one holds a NaN.
    pub cosine: f64,
    /// The largest difference, in units of the expected logits' root mean square.
    pub worst: f64,
}

impl Agreement {
    /// Compares logits with those they should be.
    pub fn between(got: &[f32], expected: &[f32]) -> Self {
        let dot =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let (squares, cross) = ((dot(got, got), dot(expected, expected)), dot(got, expected));
        let size = (squares.1 / expected.len().max(1) as f64).sqrt();
        let differences = got.iter().zip(expected).map(|(&g, &e)| (f64::from(g) - f64::from(e)).abs());
        let larger = |worst: f64, d: f64| if worst.is_nan() || d.is_nan() { f64::NAN } else { worst.max(d) };
        Self { cosine: cross / (squares.0 * squares.1).sqrt(), worst: differences.fold(0.0, larger) / size }
    }

    /// Whether this is near enough for the arithmetic. NaN never is.
    pub fn holds(&self, arithmetic: Arithmetic) -> bool {
        let (cosine, worst) = match arithmetic {
            Arithmetic::F32 => (0.999_999, 1e-3),
            // Half a code's step, where the device rounds the other way, moves a logit by some thousandths.
            Arithmetic::Int8 => (0.9999, 0.05),
            Arithmetic::F16 => (0.9995, 0.1),
        };
        self.cosine >= cosine && self.worst <= worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;

    #[test]
    fn equal_logits_agree_and_wrong_ones_do_not() {
        let expected: Vec<f32> = (0..100).map(|i| (i as f32).sin()).collect();
        let same = Agreement::between(&expected, &expected);
        assert!((same.cosine - 1.0).abs() < 1e-12 && same.worst == 0.0);
        let spoilt = |spoil: fn(&mut [f32])| {
            let mut got = expected.clone();
            spoil(&mut got);
            Agreement::between(&got, &expected)
        };
        for arithmetic in Arithmetic::ALL {
            assert!(same.holds(arithmetic));
            assert!(!spoilt(|got| got[7] = f32::NAN).holds(arithmetic));
            assert!(!spoilt(|got| got[7] = f32::INFINITY).holds(arithmetic));
            assert!(!spoilt(|got| got.fill(0.0)).holds(arithmetic), "an adapter that computes nothing");
            assert!(!spoilt(|got| got.rotate_left(1)).holds(arithmetic));
        }
        let rounded = spoilt(|got| got.iter_mut().for_each(|v| *v = f16::from_f32(*v).to_f32()));
        assert!(rounded.holds(Arithmetic::F16));
    }
}

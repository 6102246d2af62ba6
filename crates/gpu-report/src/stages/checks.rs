//! Results compared with their references.

use crate::record::{Check, Record};
use beit::backend::{Agreement, Arithmetic};

/// F32 against F32, summed in another order.
const F32: f64 = 2e-5;
/// F16 has 11 bits, and four products are added in it.
const F16: f64 = 1e-2;

/// The most that an operation's results may differ from its reference's. 8-bit products are exact.
pub fn tolerance(arithmetic: Arithmetic) -> f64 {
    if arithmetic == Arithmetic::F16 { F16 } else { F32 }
}

/// Compares values; differences are relative to the larger of 1 and the expected magnitude.
pub fn values(what: String, got: &[f32], expected: &[f32], limit: f64) -> Record {
    let difference = |(got, expected): (&f32, &f32)| {
        (f64::from(*got) - f64::from(*expected)).abs() / f64::from(expected.abs()).max(1.0)
    };
    let larger = |worst: f64, d: f64| if worst.is_nan() || d.is_nan() { f64::NAN } else { worst.max(d) };
    let worst = got.iter().zip(expected).map(difference).fold(0.0, larger);
    let passed = got.len() == expected.len() && worst <= limit;
    let worst = worst.is_finite().then_some(worst);
    Record::Check(Check { what, worst, limit, cosine: None, passed })
}

/// Logits, whose largest difference must be no more than `limit` of their root mean square and their cosine no less than
/// `least_cosine`.
pub fn logits(what: String, agreement: Agreement, limit: f64, least_cosine: f64) -> Record {
    let passed = agreement.worst <= limit && agreement.cosine >= least_cosine;
    let finite = |x: f64| x.is_finite().then_some(x);
    let (worst, cosine) = (finite(agreement.worst), finite(agreement.cosine));
    Record::Check(Check { what, worst, limit, cosine, passed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(got: &[f32], expected: &[f32]) -> Check {
        let Record::Check(check) = values("a".into(), got, expected, 1e-3) else { panic!() };
        check
    }

    #[test]
    fn only_near_values_pass() {
        assert!(check(&[1.0, 200.1], &[1.0, 200.0]).passed);
        assert!(!check(&[1.0, 2.01], &[1.0, 2.0]).passed);
        assert!(!check(&[1.0], &[1.0, 2.0]).passed, "too few");
        for wrong in [f32::NAN, f32::INFINITY] {
            let check = check(&[1.0, wrong, 3.0], &[1.0, 2.0, 3.0]);
            assert!(!check.passed && check.worst.is_none());
        }
    }

    #[test]
    fn logits_need_both_bounds() {
        let passed = |worst, cosine| {
            let Record::Check(check) = logits("a".into(), Agreement { cosine, worst }, 0.05, 0.999) else {
                panic!()
            };
            check.passed
        };
        assert!(passed(0.01, 0.9999));
        assert!(!passed(0.1, 0.9999) && !passed(0.01, 0.99) && !passed(f64::NAN, f64::NAN));
    }
}

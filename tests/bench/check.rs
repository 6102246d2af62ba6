//! Whether a contender's answer is timm's, but for the rounding that its arithmetic may cost: before that, its time says
//! nothing.

use std::fs;
use std::path::Path;

/// How a contender has its weights and computes with them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arithmetic {
    F32,
    F16,
    /// A scale for each channel of weights and one for all of a product's activations.
    Int8,
    /// A scale for 32 weights of 8 bits.
    EightBits,
    /// The same of 4 bits.
    FourBits,
}

impl Arithmetic {
    /// The least cosine with timm's logits. With two blocks ONNX Runtime has, natively, 1.00000, 1.00000, 0.99987, 1.00000
    /// and 0.99947 (`sh tools/bench-peers/make.sh FOLDER 2` prints them); rounding grows with the blocks, so these bounds
    /// leave room for 24. Another network's logits have a cosine of about 0.
    pub fn least_cosine(self) -> f64 {
        match self {
            Self::F32 => 0.9999,
            Self::F16 => 0.9995,
            Self::Int8 => 0.99,
            Self::EightBits => 0.998,
            Self::FourBits => 0.95,
        }
    }

    /// By how many deviations of the logits a single one may be off: four times the mean error at the least cosine.
    fn tolerance(self) -> f64 {
        4.0 * (2.0 * (1.0 - self.least_cosine())).sqrt()
    }
}

/// timm's logits for each input of a peer's folder, of which the first is the photo.
#[derive(Debug)]
pub struct Reference {
    rows: Vec<Vec<f64>>,
}

/// How near an answer is to timm's.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// The cosine of the logits less their means, since softmax does not see a constant; none where only some classes
    /// are known.
    pub cosine: Option<f64>,
    /// The largest difference of one logit, in deviations of timm's.
    pub largest: f64,
    /// The first class, and whether it is timm's.
    pub first: usize,
    pub same_first: bool,
}

/// BEiTv2-large's classes.
const CLASSES: usize = 1000;

impl Reference {
    /// Reads `logits.f32` of a folder that `tools/bench-peers/make.sh` has filled.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let file = folder.join("logits.f32");
        let bytes = fs::read(&file).map_err(|error| {
            format!("{}: {error}; fill the folder by `sh tools/bench-peers/make.sh FOLDER`", file.display())
        })?;
        Self::of(&bytes).map_err(|why| format!("{}: {why}; fill the folder anew", file.display()))
    }

    fn of(bytes: &[u8]) -> Result<Self, String> {
        let (values, rest) = bytes.as_chunks::<4>();
        let values: Vec<f64> = values.iter().map(|value| f32::from_le_bytes(*value).into()).collect();
        if !rest.is_empty() || values.is_empty() || !values.len().is_multiple_of(CLASSES) {
            return Err(format!("{} bytes are no rows of {CLASSES} values in F32", bytes.len()));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err("a value is not finite".into());
        }
        Ok(Self { rows: values.chunks(CLASSES).map(<[f64]>::to_vec).collect() })
    }

    /// Compares all logits for one input; they may be off by a constant.
    pub fn compare(&self, input: usize, logits: &[f64], arithmetic: Arithmetic) -> Result<Agreement, String> {
        let expected = self.rows.get(input).ok_or_else(|| format!("timm has no answer for input {input}"))?;
        if logits.len() != expected.len() {
            return Err(format!("{} logits instead of {}", logits.len(), expected.len()));
        }
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err("a logit is not finite".into());
        }
        let (ours, theirs) = (less_mean(logits), less_mean(expected));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let cosine = dot(&ours, &theirs) / (dot(&ours, &ours) * dot(&theirs, &theirs)).sqrt();
        let differences = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
        let agreement = agreement(expected, Some(cosine), differences, largest_at(logits));
        agreement.within(expected, arithmetic)
    }

    /// Compares the classes that a page shows of the photo, the first one first, with their probabilities.
    pub fn compare_classes(
        &self,
        classes: &[(usize, f64)],
        arithmetic: Arithmetic,
    ) -> Result<Agreement, String> {
        let expected = &self.rows[0];
        let first = classes.first().ok_or("no class was shown")?.0;
        if let Some((index, _)) = classes.iter().find(|(index, _)| *index >= expected.len()) {
            return Err(format!("class {index} of {}", expected.len()));
        }
        let sum: f64 = expected.iter().map(|logit| logit.exp()).sum();
        let differences =
            classes.iter().map(|&(index, score)| (score.ln() - expected[index] + sum.ln()).abs());
        agreement(expected, None, differences, first).within(expected, arithmetic)
    }
}

fn agreement(
    expected: &[f64],
    cosine: Option<f64>,
    differences: impl Iterator<Item = f64>,
    first: usize,
) -> Agreement {
    // `f64::max` would pass over NaN, which a score of 0 makes of nothing else here.
    let largest =
        differences.fold(
            0.0,
            |largest: f64, difference| {
                if difference.is_nan() { f64::INFINITY } else { largest.max(difference) }
            },
        );
    Agreement {
        cosine,
        largest: largest / deviation(expected),
        first,
        same_first: first == largest_at(expected),
    }
}

impl Agreement {
    /// Itself, or why the answer is not timm's.
    fn within(self, expected: &[f64], arithmetic: Arithmetic) -> Result<Self, String> {
        let least = arithmetic.least_cosine();
        if let Some(cosine) = self.cosine.filter(|cosine| cosine.is_nan() || *cosine < least) {
            return Err(format!("cosine {cosine:.4} with timm's logits, at least {least} is expected"));
        }
        let tolerance = arithmetic.tolerance();
        if self.cosine.is_none() && self.largest > tolerance {
            return Err(format!(
                "a class's logit is {:.2} deviations from timm's, at most {tolerance:.2} are expected (is the model \
                 converted from this folder's beitv2_large.safetensors?)",
                self.largest
            ));
        }
        // Two classes that timm has nearly equal may change places by rounding.
        let (best, first) = (largest_at(expected), self.first);
        let behind = (expected[best] - expected[first]) / deviation(expected);
        if behind > tolerance {
            return Err(format!(
                "first class {first}, timm's is {best}, {behind:.2} deviations ahead; cosine {}",
                self.cosine.map_or("unknown".into(), |cosine| format!("{cosine:.4}"))
            ));
        }
        Ok(self)
    }

    /// The worse of two.
    pub fn and(self, other: Self) -> Self {
        Self {
            cosine: self.cosine.zip(other.cosine).map(|(a, b)| a.min(b)),
            largest: self.largest.max(other.largest),
            first: self.first,
            same_first: self.same_first && other.same_first,
        }
    }
}

fn less_mean(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

fn deviation(values: &[f64]) -> f64 {
    let squares = less_mean(values).iter().map(|value| value * value).sum::<f64>();
    (squares / values.len() as f64).sqrt()
}

fn largest_at(values: &[f64]) -> usize {
    let values = values.iter().enumerate();
    values.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand logits without pattern, of a deviation of about 1.
    fn logits(seed: u64) -> Vec<f64> {
        let hash = |at: u64| (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ seed).rotate_left(23) % 10_000;
        (0..1000).map(|at| hash(at * 7919 + seed) as f64 / 2900.0).collect()
    }

    fn reference(rows: &[&[f64]]) -> Reference {
        let values = rows.iter().flat_map(|row| row.iter());
        Reference::of(&values.flat_map(|value| (*value as f32).to_le_bytes()).collect::<Vec<_>>()).unwrap()
    }

    fn with_noise(of: &[f64], part: f64) -> Vec<f64> {
        let noise = less_mean(&logits(77));
        of.iter().zip(noise).map(|(value, noise)| value + part * noise).collect()
    }

    #[test]
    fn the_same_logits_and_a_constant_agree_in_any_arithmetic() {
        let expected = logits(1);
        let reference = reference(&[&expected]);
        let moved: Vec<f64> = expected.iter().map(|value| value - 7.5).collect();
        let agreement = reference.compare(0, &moved, Arithmetic::F32).unwrap();
        assert!(agreement.same_first && agreement.cosine.unwrap() > 0.999_999, "{agreement:?}");
    }

    #[test]
    fn each_arithmetic_has_its_own_bound() {
        let expected = logits(1);
        let reference = reference(&[&expected]);
        // A part of noise `p` makes a cosine of about 1 − p² ÷ 2.
        for (part, may) in [
            (0.03, &[Arithmetic::F16, Arithmetic::EightBits, Arithmetic::Int8, Arithmetic::FourBits][..]),
            (0.1, &[Arithmetic::Int8, Arithmetic::FourBits]),
            (0.25, &[Arithmetic::FourBits]),
            (0.5, &[]),
        ] {
            use Arithmetic::{EightBits, F16, F32, FourBits, Int8};
            for arithmetic in [F32, F16, Int8, EightBits, FourBits] {
                let found = reference.compare(0, &with_noise(&expected, part), arithmetic);
                assert_eq!(found.is_ok(), may.contains(&arithmetic), "{arithmetic:?} with {part}: {found:?}");
            }
        }
    }

    #[test]
    fn another_first_class_is_refused_where_timms_is_clear() {
        let mut expected = logits(1);
        expected[10] = 9.0;
        let reference = reference(&[&expected]);
        let mut found = expected.clone();
        found[20] = 9.5;
        let why = reference.compare(0, &found, Arithmetic::FourBits).unwrap_err();
        assert!(why.starts_with("first class 20, timm's is 10"), "{why}");
        // Two that timm has equal but for rounding change places.
        expected[20] = 8.99;
        let reference = self::reference(&[&expected]);
        let agreement = reference.compare(0, &found, Arithmetic::EightBits).unwrap();
        assert!(!agreement.same_first && agreement.first == 20, "{agreement:?}");
    }

    #[test]
    fn each_input_has_its_own_answer() {
        let (a, b) = (logits(1), logits(2));
        let reference = reference(&[&a, &b]);
        assert!(reference.compare(1, &b, Arithmetic::F32).is_ok());
        let why = reference.compare(1, &a, Arithmetic::FourBits).unwrap_err();
        assert!(why.starts_with("cosine "), "{why}");
        assert!(reference.compare(2, &b, Arithmetic::F32).unwrap_err().contains("input 2"));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let expected = logits(1);
        let reference = reference(&[&expected]);
        assert!(reference.compare(0, &expected[1..], Arithmetic::FourBits).unwrap_err().contains("999"));
        let mut found = expected.clone();
        found[3] = f64::NAN;
        assert!(reference.compare(0, &found, Arithmetic::FourBits).unwrap_err().contains("not finite"));
        // All logits equal: no direction at all.
        assert!(reference.compare(0, &[1.0; 1000], Arithmetic::FourBits).is_err());
        assert!(Reference::of(&[0; 4004]).unwrap_err().contains("4004 bytes"));
    }

    #[test]
    fn five_classes_are_compared_by_their_probabilities() {
        let expected = logits(1);
        let reference = reference(&[&expected]);
        let sum: f64 = expected.iter().map(|logit| logit.exp()).sum();
        let mut order: Vec<usize> = (0..1000).collect();
        order.sort_by(|&a, &b| expected[b].total_cmp(&expected[a]));
        let mut classes: Vec<(usize, f64)> =
            order[..5].iter().map(|&index| (index, expected[index].exp() / sum)).collect();
        let agreement = reference.compare_classes(&classes, Arithmetic::F32).unwrap();
        assert!(agreement.same_first && agreement.largest < 1e-4, "{agreement:?}");
        // Another network's.
        let other: Vec<_> = order[500..505].iter().zip(&classes).map(|(&at, class)| (at, class.1)).collect();
        let why = reference.compare_classes(&other, Arithmetic::EightBits).unwrap_err();
        assert!(why.contains("converted from this folder's"), "{why}");
        classes[2].1 = 0.0;
        assert!(reference.compare_classes(&classes, Arithmetic::FourBits).is_err());
        assert!(reference.compare_classes(&[], Arithmetic::FourBits).is_err());
    }
}

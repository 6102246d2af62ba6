//! Labelled features.

use crate::HeadError;

/// Features `[examples, width]`, row-major, and the class of each example.
#[derive(Clone, Debug)]
pub struct Examples {
    width: usize,
    classes: usize,
    features: Vec<f32>,
    labels: Vec<usize>,
}

impl Examples {
    /// `labels[i]`, from 0 to `classes` − 1, belongs to `features[i·width..]`.
    ///
    /// # Errors
    /// When the lengths don't match, there are fewer than two classes, one of them has no example, or a value is
    /// not finite.
    pub fn new(
        width: usize,
        classes: usize,
        features: Vec<f32>,
        labels: Vec<usize>,
    ) -> Result<Self, HeadError> {
        if classes < 2 {
            return Err(HeadError::TooFewClasses { got: classes });
        }
        HeadError::expect("features", labels.len().saturating_mul(width), features.len())?;
        let mut counts = vec![0; classes];
        for &label in &labels {
            let count = counts.get_mut(label).ok_or(HeadError::Shape {
                what: "classes",
                expected: classes,
                got: label,
            })?;
            *count += 1;
        }
        if let Some(class) = counts.iter().position(|&count| count == 0) {
            return Err(HeadError::NoExample { class });
        }
        if let Some(at) = features.iter().position(|value| !value.is_finite()) {
            return Err(HeadError::NotFinite { example: at / width });
        }
        Ok(Self { width, classes, features, labels })
    }

    /// Values of one example's features.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Classes, each with at least one example.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Never: each class has an example.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The class of each example.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// One example's features.
    pub fn row(&self, example: usize) -> &[f32] {
        &self.features[example * self.width..][..self.width]
    }

    /// Examples of each class.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    }

    /// Those examples for which `keep` holds. Some class may be left without any.
    pub(crate) fn subset(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.len()).filter(|&example| keep(example)).collect();
        Self {
            width: self.width,
            classes: self.classes,
            features: kept.iter().flat_map(|&example| self.row(example)).copied().collect(),
            labels: kept.iter().map(|&example| self.labels[example]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_learnt_from_is_refused() {
        let new = |classes, features: &[f32], labels: &[usize]| {
            Examples::new(2, classes, features.to_vec(), labels.to_vec())
        };
        assert!(matches!(new(1, &[0.0; 2], &[0]), Err(HeadError::TooFewClasses { got: 1 })));
        assert!(matches!(new(2, &[0.0; 4], &[0, 0]), Err(HeadError::NoExample { class: 1 })));
        assert!(matches!(new(2, &[0.0; 3], &[0, 1]), Err(HeadError::Shape { expected: 4, got: 3, .. })));
        assert!(matches!(new(2, &[0.0; 4], &[0, 2]), Err(HeadError::Shape { what: "classes", .. })));
        let broken = [0.0, 0.0, f32::NAN, 0.0];
        assert!(matches!(new(2, &broken, &[0, 1]), Err(HeadError::NotFinite { example: 1 })));
        assert_eq!(new(2, &[0.0; 6], &[1, 0, 1]).unwrap().counts(), [1, 2]);
        // Of 2³² values, which would wrap around to none where usize has 32 bits.
        let labels = vec![0; 1 << 16];
        assert!(matches!(Examples::new(1 << 16, 2, vec![], labels), Err(HeadError::Shape { got: 0, .. })));
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    use super::*;

    /// `each` examples of each class around centres of its own, `offset` away from 0; the same every time.
    pub(crate) fn clusters(width: usize, classes: usize, each: usize, offset: f32) -> Examples {
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        let centres: Vec<f32> = (0..classes * width).map(|_| noise()).collect();
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for i in 0..each * classes {
            let class = i % classes;
            labels.push(class);
            features.extend(centres[class * width..][..width].iter().map(|c| offset + c + 1.5 * noise()));
        }
        Examples::new(width, classes, features, labels).unwrap()
    }
}

//! Photos in two halves, by the hashes of their files: whatever the order and the names of the photos, and whatever
//! computes their logits, the halves are the same, and copies of one photo are in one half.

use super::PhotoLogits;
use crate::error::EvaluateError;
use serde::Serialize;

/// With fewer photos of the classes, 95 % of a half would be all of it.
pub const LEAST_KNOWN: usize = 40;
/// With fewer, a half would say next to nothing.
pub const LEAST_OUTLIERS: usize = 20;

/// Photos by half.
pub struct Halves<'a> {
    /// What is fitted on: those with the lower hashes, in their order.
    pub fitting: Vec<&'a PhotoLogits>,
    /// What is measured on.
    pub reporting: Vec<&'a PhotoLogits>,
}

/// How many photos are in each half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HalfSizes {
    /// The half that temperature, score and threshold are fitted on.
    pub fitting: u64,
    /// The half that everything else is measured on.
    pub reporting: u64,
}

impl<'a> Halves<'a> {
    /// # Errors
    /// When there are fewer than `least`; `what` says of which kind.
    pub fn of(photos: &'a [PhotoLogits], what: &'static str, least: usize) -> Result<Self, EvaluateError> {
        let mut sorted: Vec<&PhotoLogits> = photos.iter().collect();
        sorted.sort_by(|a, b| (&a.sha256, a.class).cmp(&(&b.sha256, b.class)));
        let middle = sorted.get(sorted.len().div_ceil(2)).map(|photo| &photo.sha256);
        let at = middle.map_or(0, |hash| sorted.partition_point(|photo| photo.sha256 < *hash));
        let reporting = sorted.split_off(at);
        let halves = Self { fitting: sorted, reporting };
        if halves.fitting.len().min(halves.reporting.len()) < least / 2 {
            return Err(EvaluateError::TooFewToCalibrate { what, got: photos.len(), least });
        }
        Ok(halves)
    }

    pub fn sizes(&self) -> HalfSizes {
        HalfSizes { fitting: self.fitting.len() as u64, reporting: self.reporting.len() as u64 }
    }

    pub fn all(&self) -> impl Iterator<Item = &'a PhotoLogits> {
        self.fitting.iter().chain(&self.reporting).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photos(hashes: &[&str]) -> Vec<PhotoLogits> {
        let photo = |hash: &&str| PhotoLogits { sha256: (*hash).into(), class: 0, logits: vec![] };
        hashes.iter().map(photo).collect()
    }

    fn split(hashes: &[&str], least: usize) -> Result<(Vec<String>, Vec<String>), String> {
        let photos = photos(hashes);
        let halves = Halves::of(&photos, "photos", least).map_err(|error| error.to_string())?;
        let names = |half: Vec<&PhotoLogits>| half.iter().map(|photo| photo.sha256.clone()).collect();
        Ok((names(halves.fitting), names(halves.reporting)))
    }

    #[test]
    fn halves_depend_on_the_hashes_alone() {
        let expected = (vec!["a".to_owned(), "b".into()], vec!["c".to_owned(), "d".into()]);
        assert_eq!(split(&["d", "b", "c", "a"], 4), Ok(expected.clone()));
        assert_eq!(split(&["a", "c", "b", "d"], 4), Ok(expected));
    }

    #[test]
    fn copies_stay_together() {
        let (fitting, reporting) = split(&["a", "b", "b", "b", "c"], 2).unwrap();
        assert_eq!((fitting.len(), reporting.len()), (1, 4));
        let error = split(&["a", "a", "a", "a"], 2).unwrap_err();
        assert!(error.contains("at least 2 photos") && error.contains("got 4"), "{error}");
        assert!(split(&[], 2).is_err());
    }
}

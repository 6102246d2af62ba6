//! An index in memory.

use crate::error::LibraryError;
use crate::feature::{Feature, norm};
use crate::header::Header;
use crate::photo::{Photo, Sha256, check};
use std::collections::HashMap;

/// The photos of a folder, each under its path once. A photo's number holds until the next [`Index::put`] or
/// [`Index::remove`].
#[derive(Clone, Debug)]
pub struct Index {
    header: Header,
    photos: Vec<Photo>,
    /// Lower-case paths, for searches.
    lower: Vec<String>,
    /// `[photos, width]`.
    values: Vec<i8>,
    scales: Vec<f32>,
    /// Of the bytes of each feature.
    norms: Vec<f32>,
    by_path: HashMap<String, usize>,
    by_hash: HashMap<Sha256, Vec<usize>>,
    /// Contents that no photo has any more.
    retired: HashMap<Sha256, (Photo, Feature)>,
}

impl Index {
    /// An index without photos.
    pub fn new(header: Header) -> Self {
        Self {
            header,
            photos: Vec::new(),
            lower: Vec::new(),
            values: Vec::new(),
            scales: Vec::new(),
            norms: Vec::new(),
            by_path: HashMap::new(),
            by_hash: HashMap::new(),
            retired: HashMap::new(),
        }
    }

    /// Whose answers these are.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// All photos, by their numbers, in no special order.
    pub fn photos(&self) -> &[Photo] {
        &self.photos
    }

    /// The number of the photo at this path.
    pub fn by_path(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// The numbers of the photos with this SHA-256.
    pub fn by_hash(&self, sha256: &Sha256) -> &[usize] {
        self.by_hash.get(sha256).map(Vec::as_slice).unwrap_or_default()
    }

    /// A photo with this SHA-256, or one that was there earlier: a file may be written over before the run comes to the
    /// place that it was moved to.
    pub fn with_content(&self, sha256: &Sha256) -> Option<(&Photo, Feature)> {
        match self.by_hash(sha256) {
            [number, ..] => Some((&self.photos[*number], self.feature(*number))),
            [] => self.retired.get(sha256).map(|(photo, feature)| (photo, feature.clone())),
        }
    }

    /// The photo's feature.
    pub fn feature(&self, photo: usize) -> Feature {
        Feature { scale: self.scales[photo], values: self.row(photo).to_vec() }
    }

    /// Adds a photo, in place of the one at its path.
    ///
    /// # Errors
    /// [`LibraryError::Photo`] for a path that is none, or answers or a feature that can't be this model's.
    pub fn put(&mut self, photo: Photo, feature: &Feature) -> Result<(), LibraryError> {
        check(&photo, feature, &self.header)
            .map_err(|reason| LibraryError::Photo { path: photo.path.clone(), reason })?;
        self.remove(&photo.path);
        self.retired.remove(&photo.sha256);
        let number = self.photos.len();
        self.by_path.insert(photo.path.clone(), number);
        self.by_hash.entry(photo.sha256).or_default().push(number);
        self.lower.push(photo.path.to_lowercase());
        self.photos.push(photo);
        self.values.extend(&feature.values);
        self.scales.push(feature.scale);
        self.norms.push(norm(&feature.values));
        Ok(())
    }

    /// Removes the photo at this path; whether there was one.
    pub fn remove(&mut self, path: &str) -> bool {
        let Some(number) = self.by_path.remove(path) else { return false };
        let last = self.photos.len() - 1;
        self.forget_hash(number);
        if number != last {
            // The last photo takes its place.
            self.by_path.insert(self.photos[last].path.clone(), number);
            let numbers = self.by_hash.get_mut(&self.photos[last].sha256);
            for other in numbers.into_iter().flatten().filter(|other| **other == last) {
                *other = number;
            }
        }
        self.photos.swap_remove(number);
        self.lower.swap_remove(number);
        self.scales.swap_remove(number);
        self.norms.swap_remove(number);
        let width = self.width();
        self.values.copy_within(last * width.., number * width);
        self.values.truncate(last * width);
        true
    }

    fn forget_hash(&mut self, number: usize) {
        let hash = self.photos[number].sha256;
        if let Some(numbers) = self.by_hash.get_mut(&hash) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.by_hash.remove(&hash);
                self.retired.insert(hash, (self.photos[number].clone(), self.feature(number)));
            }
        }
    }

    pub(crate) fn width(&self) -> usize {
        // At most MOST_VALUES.
        self.header.width as usize
    }

    /// The bytes of the photo's feature, `[width]`.
    pub(crate) fn row(&self, photo: usize) -> &[i8] {
        &self.values[photo * self.width()..][..self.width()]
    }

    /// The bytes of all features, `[photos, width]`.
    pub(crate) fn rows(&self) -> &[i8] {
        &self.values
    }

    pub(crate) fn norms(&self) -> &[f32] {
        &self.norms
    }

    pub(crate) fn lower_path(&self, photo: usize) -> &str {
        &self.lower[photo]
    }
}

//! Several indexes of one model → one.

use crate::error::LibraryError;
use crate::index::Index;
use crate::photo::Photo;

/// Adds what `other` knows to `index`. Of two records of one path the one of the later modification time counts, in
/// whatever order indexes are merged; where both are the same, the one of the larger SHA-256.
///
/// # Errors
/// [`LibraryError::OtherModel`], and nothing is added.
pub fn merge(index: &mut Index, other: &Index) -> Result<(), LibraryError> {
    index.header().check_same_model(other.header())?;
    for (number, photo) in other.photos().iter().enumerate() {
        let ours = index.by_path(&photo.path).map(|ours| &index.photos()[ours]);
        let is_later = |ours: &Photo| (photo.modified, photo.sha256) > (ours.modified, ours.sha256);
        if ours.is_none_or(is_later) {
            index.put(photo.clone(), &other.feature(number))?;
        }
    }
    Ok(())
}

//! Which of several photos to keep.

use crate::photo::Photo;
use std::cmp::Ordering;

/// The better one first: more pixels, then the larger file, then the earlier time, then by path so that there is always
/// one order.
pub(crate) fn better_first(a: &Photo, b: &Photo) -> Ordering {
    let by_quality = b.pixels().cmp(&a.pixels()).then(b.size.cmp(&a.size));
    by_quality.then(a.when().cmp(&b.when())).then_with(|| a.path.cmp(&b.path))
}

//! Whether keywords go into a photo or beside it.

use crate::container::{Container, packet};
use crate::xmp::listed;

/// Whether a photo's keywords belong into itself: it is a JPEG, PNG or WebP, and has no sidecar or keywords of an earlier
/// answer in it. Who has sidecars has programs that read them, and not what is in the photo.
pub fn belongs_in_photo(photo: &[u8], has_sidecar: bool) -> bool {
    Container::of(photo).is_some() && (!has_sidecar || was_tagged(photo))
}

fn was_tagged(photo: &[u8]) -> bool {
    let packet = packet(photo).ok().flatten();
    packet.and_then(|packet| listed(&packet).ok()).is_some_and(|listed| !listed.added.is_empty())
}

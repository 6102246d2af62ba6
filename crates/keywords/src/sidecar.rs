//! Keywords in a file beside the photo.

use crate::splice::Splice;
use crate::xmp::{Shell, XmpError, merge};
use crate::{Change, Keywords};

/// The name of a photo's sidecar, as digiKam and darktable have it: `photo.jpg.xmp`.
pub fn sidecar_name(photo: &str) -> String {
    format!("{photo}.xmp")
}

/// How a sidecar changes so that it has these keywords; `existing` is what it holds, if it is there. `None` if it does
/// not change.
///
/// # Errors
/// When what it holds can't be merged with.
pub fn sidecar(existing: Option<&[u8]>, wanted: &Keywords) -> Result<Option<Change>, XmpError> {
    let merged = merge(existing, wanted, Shell::Sidecar)?;
    Ok(merged.map(|merged| Change {
        splices: vec![Splice::new(0..existing.unwrap_or_default().len(), merged.bytes)],
        added: merged.added,
        removed: merged.removed,
    }))
}

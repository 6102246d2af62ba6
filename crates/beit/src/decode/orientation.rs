//! How a photo has to be turned to be upright, and where that is written.
//!
//! As Pillow's `ImageOps.exif_transpose`: the EXIF data's tag 0x0112; where EXIF has none, the attribute
//! `tiff:Orientation` of XMP. Browsers look at less; [`Stated::shown_by_browsers`] tells when they show a photo otherwise.

use image::metadata::Orientation;

use super::ifd::{SHORT, Tiff, find};
use super::metadata::Metadata;
use super::{Format, jpeg, png, webp};

const TAG: u16 = 0x0112;
const XMP_TAG: u16 = 700;

/// Where an orientation was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrientationSource {
    /// The EXIF data's tag 0x0112.
    Exif,
    /// XMP's `tiff:Orientation`.
    Xmp,
}

/// What a file says of its orientation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub orientation: Orientation,
    /// None where nothing is said, or nothing valid.
    pub source: Option<OrientationSource>,
    /// Browsers turn the photo in the same way.
    pub shown_by_browsers: bool,
}

/// What the file says.
pub(super) fn stated(format: Format, bytes: &[u8]) -> Stated {
    let metadata = match format {
        Format::Jpeg => jpeg::metadata(bytes),
        Format::Png => png::metadata(bytes),
        Format::WebP => webp::metadata(bytes),
        // Browsers show no TIFF, so there is nothing to differ from.
        Format::Tiff => return of(tiff(bytes), true),
        _ => Metadata::default(),
    };
    let exif = metadata.exif.as_deref().map(strip_prefix);
    let in_exif = exif.and_then(|exif| in_first_directory(exif).map(|(value, kind)| (value, kind == SHORT)));
    match in_exif {
        Some((value, is_short)) => {
            let shown = metadata.exif_is_for_browsers && is_short;
            of(Some((value, OrientationSource::Exif)), shown)
        }
        None => {
            let value = metadata.xmp.as_deref().and_then(in_xmp);
            of(value.map(|value| (value, OrientationSource::Xmp)), false)
        }
    }
}

fn of(found: Option<(u8, OrientationSource)>, shown_by_browsers: bool) -> Stated {
    let orientation = found.and_then(|(value, _)| Orientation::from_exif(value));
    let source = orientation.and(found).map(|(_, source)| source);
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Stated {
        orientation,
        source,
        shown_by_browsers: shown_by_browsers || orientation == Orientation::NoTransforms,
    }
}

fn tiff(bytes: &[u8]) -> Option<(u8, OrientationSource)> {
    if let Some((value, _)) = in_first_directory(bytes) {
        return Some((value, OrientationSource::Exif));
    }
    let tiff = Tiff::new(bytes)?;
    let directory = tiff.directory(tiff.first()?);
    Some((in_xmp(tiff.data(find(&directory, XMP_TAG)?)?)?, OrientationSource::Xmp))
}

/// Some writers keep JPEG's six-byte prefix in WebP and PNG.
fn strip_prefix(mut exif: &[u8]) -> &[u8] {
    while let Some(rest) = exif.strip_prefix(b"Exif\0\0") {
        exif = rest;
    }
    exif
}

/// The orientation in the first directory of EXIF data, and the kind of number it is written as.
pub(super) fn in_first_directory(exif: &[u8]) -> Option<(u8, u16)> {
    let tiff = Tiff::new(exif)?;
    let directory = tiff.directory(tiff.first()?);
    let entry = find(&directory, TAG)?;
    // Numbers of one byte are text to Pillow.
    (entry.count == 1 && !matches!(entry.kind, 1 | 6)).then_some(())?;
    Some((u8::try_from(tiff.value(entry, 0)?).ok()?, entry.kind))
}

/// `tiff:Orientation="6"`, or as an element of its own.
fn in_xmp(xmp: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    xmp.windows(NAME.len() + 3).find_map(|window| {
        let digit = match window.strip_prefix(NAME)? {
            [b'=', b'"', digit] | [b'>', digit, _] => digit,
            _ => return None,
        };
        digit.is_ascii_digit().then(|| digit - b'0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exif(kind: u16, value: [u8; 4]) -> Vec<u8> {
        let entry = [&TAG.to_le_bytes()[..], &kind.to_le_bytes(), &1u32.to_le_bytes(), &value].concat();
        [&b"II*\0\x08\0\0\0\x01\0"[..], &entry, &[0; 4]].concat()
    }

    #[test]
    fn whole_numbers_of_every_width_count() {
        for kind in [3, 4, 8, 9, 13] {
            assert_eq!(in_first_directory(&exif(kind, [6, 0, 0, 0])), Some((6, kind)));
        }
        for kind in [1, 2, 5, 7, 99] {
            assert_eq!(in_first_directory(&exif(kind, [6, 0, 0, 0])), None, "{kind}");
        }
        assert_eq!(of(Some((9, OrientationSource::Exif)), true).source, None);
    }

    #[test]
    fn xmp_is_an_attribute_or_an_element() {
        assert_eq!(in_xmp(b"<a tiff:Orientation=\"6\"/>"), Some(6));
        assert_eq!(in_xmp(b"<tiff:Orientation>8</tiff:Orientation>"), Some(8));
        assert_eq!(in_xmp(b"<tiff:Orientation/> tiff:Orientation"), None);
    }
}

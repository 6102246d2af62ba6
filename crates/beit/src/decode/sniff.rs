//! Which format a file is in, told by its first bytes.

use std::fmt;

use super::DecodeError;

/// A format that [`decode`](super::decode()) reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
    Bmp,
    Tiff,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        })
    }
}

/// Signatures at offset 0 of formats people take for photos, and the names to call them by.
const UNSUPPORTED: [(&[u8], &str); 12] = [
    (b"%PDF-", "a PDF document"),
    (b"8BPS", "a Photoshop document (PSD)"),
    (b"\0\0\x01\0", "an icon (ICO)"),
    (b"\0\0\x02\0", "a mouse pointer (CUR)"),
    (b"icns", "an icon (ICNS)"),
    (b"\xff\x0a", "a JPEG XL photo"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL photo"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 photo"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 photo"),
    (b"II\xbc", "a JPEG XR photo"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)"),
];

/// The format of `bytes`.
///
/// # Errors
/// [`DecodeError::UnsupportedFormat`] for a known format that can't be read, [`DecodeError::NotAPhoto`]
/// for anything else.
pub(super) fn format(bytes: &[u8]) -> Result<Format, DecodeError> {
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Ok(Format::Gif);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::WebP);
    }
    if is_bmp(bytes) {
        return Ok(Format::Bmp);
    }
    // Classic TIFF and BigTIFF, in both byte orders. Canon's raw photos (CR2) look the same but for a mark.
    if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| bytes.starts_with(*magic)) {
        if bytes.get(8..10) == Some(b"CR") {
            return Err(DecodeError::UnsupportedFormat { name: "a camera's raw photo (CR2)" });
        }
        return Ok(Format::Tiff);
    }
    let name = UNSUPPORTED
        .iter()
        .find(|(signature, _)| bytes.starts_with(signature))
        .map(|(_, name)| *name)
        .or_else(|| iso_media(bytes))
        .or_else(|| is_svg(bytes).then_some("an SVG drawing"));
    Err(name.map_or(DecodeError::NotAPhoto, |name| DecodeError::UnsupportedFormat { name }))
}

/// `BM` alone begins many a text, so the header's length has to be one that exists.
fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
        && bytes.get(14..18).is_some_and(|length| {
            matches!(
                u32::from_le_bytes([length[0], length[1], length[2], length[3]]),
                12 | 16 | 40 | 52 | 56 | 64 | 108 | 124
            )
        })
}

/// Names the files of the ISO base media family (an `ftyp` box first) by the brands they list.
fn iso_media(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) != Some(b"ftyp") {
        return None;
    }
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let (brands, _) = bytes[8..length.clamp(8, bytes.len())].as_chunks::<4>();
    let has = |names: &[&[u8; 4]]| brands.iter().any(|brand| names.contains(&brand));
    Some(if has(&[b"avif", b"avis"]) {
        "an AVIF photo"
    } else if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        "a HEIC photo"
    } else if has(&[b"crx "]) {
        "a camera's raw photo (CR3)"
    } else {
        "a video"
    })
}

/// Whether the text begins as XML and the first tag that counts is `<svg`.
fn is_svg(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    head.starts_with("<svg")
        || ((head.starts_with("<?xml") || head.starts_with("<!")) && head.contains("<svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_it_cannot_read() {
        let cases: [(&[u8], &str); 10] = [
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "an AVIF photo"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "an AVIF photo"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC photo"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
            (b"\0\0\0\x01ftyp", "a video"), // a box shorter than its own header
            (b"%PDF-1.7\n", "a PDF document"),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>", "an SVG drawing"),
            (b" <svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
            (b"\0\0\x01\0\x01\0", "an icon (ICO)"),
            (b"II*\0\x10\0\0\0CR\x02\0", "a camera's raw photo (CR2)"),
        ];
        for (bytes, name) in cases {
            assert_eq!(format(bytes), Err(DecodeError::UnsupportedFormat { name }));
        }
    }

    #[test]
    fn text_is_no_photo() {
        for text in ["BMW makes cars, and bytes 14 to 18 are text", "<html><body/></html>", "GIF", "\0"] {
            assert_eq!(format(text.as_bytes()), Err(DecodeError::NotAPhoto), "{text}");
        }
    }
}

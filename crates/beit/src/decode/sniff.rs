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

/// A format that people take for a photo and [`decode`](super::decode()) does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    Avif,
    Heic,
    JpegXl,
    Jpeg2000,
    JpegXr,
    OpenExr,
    /// Canon's raw photos, older and newer.
    Cr2,
    Cr3,
    Svg,
    Pdf,
    Psd,
    Ico,
    Cur,
    Icns,
    Matroska,
    Video,
}

/// With its article.
impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avif => "an AVIF photo",
            Self::Heic => "a HEIC photo",
            Self::JpegXl => "a JPEG XL photo",
            Self::Jpeg2000 => "a JPEG 2000 photo",
            Self::JpegXr => "a JPEG XR photo",
            Self::OpenExr => "an OpenEXR picture",
            Self::Cr2 => "a camera's raw photo (CR2)",
            Self::Cr3 => "a camera's raw photo (CR3)",
            Self::Svg => "an SVG drawing",
            Self::Pdf => "a PDF document",
            Self::Psd => "a Photoshop document (PSD)",
            Self::Ico => "an icon (ICO)",
            Self::Cur => "a mouse pointer (CUR)",
            Self::Icns => "an icon (ICNS)",
            Self::Matroska => "a video (Matroska or WebM)",
            Self::Video => "a video",
        })
    }
}

/// Signatures at offset 0 of formats that are not read.
const UNSUPPORTED: [(&[u8], Foreign); 12] = [
    (b"%PDF-", Foreign::Pdf),
    (b"8BPS", Foreign::Psd),
    (b"\0\0\x01\0", Foreign::Ico),
    (b"\0\0\x02\0", Foreign::Cur),
    (b"icns", Foreign::Icns),
    (b"\xff\x0a", Foreign::JpegXl),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Foreign::JpegXl),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Foreign::Jpeg2000),
    (b"\xff\x4f\xff\x51", Foreign::Jpeg2000),
    (b"II\xbc", Foreign::JpegXr),
    (b"\x76\x2f\x31\x01", Foreign::OpenExr),
    (b"\x1a\x45\xdf\xa3", Foreign::Matroska),
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
            return Err(DecodeError::UnsupportedFormat { format: Foreign::Cr2 });
        }
        return Ok(Format::Tiff);
    }
    let foreign = UNSUPPORTED
        .iter()
        .find(|(signature, _)| bytes.starts_with(signature))
        .map(|(_, format)| *format)
        .or_else(|| iso_media(bytes))
        .or_else(|| is_svg(bytes).then_some(Foreign::Svg));
    Err(foreign.map_or(DecodeError::NotAPhoto, |format| DecodeError::UnsupportedFormat { format }))
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
fn iso_media(bytes: &[u8]) -> Option<Foreign> {
    if bytes.get(4..8) != Some(b"ftyp") {
        return None;
    }
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let (brands, _) = bytes[8..length.clamp(8, bytes.len())].as_chunks::<4>();
    let has = |names: &[&[u8; 4]]| brands.iter().any(|brand| names.contains(&brand));
    Some(if has(&[b"avif", b"avis"]) {
        Foreign::Avif
    } else if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        Foreign::Heic
    } else if has(&[b"crx "]) {
        Foreign::Cr3
    } else {
        Foreign::Video
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
        let cases: [(&[u8], Foreign); 10] = [
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", Foreign::Avif),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", Foreign::Avif),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Foreign::Heic),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", Foreign::Video),
            (b"\0\0\0\x01ftyp", Foreign::Video), // a box shorter than its own header
            (b"%PDF-1.7\n", Foreign::Pdf),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>", Foreign::Svg),
            (b" <svg xmlns='http://www.w3.org/2000/svg'/>", Foreign::Svg),
            (b"\0\0\x01\0\x01\0", Foreign::Ico),
            (b"II*\0\x10\0\0\0CR\x02\0", Foreign::Cr2),
        ];
        for (bytes, foreign) in cases {
            assert_eq!(format(bytes), Err(DecodeError::UnsupportedFormat { format: foreign }));
        }
    }

    #[test]
    fn text_is_no_photo() {
        for text in ["BMW makes cars, and bytes 14 to 18 are text", "<html><body/></html>", "GIF", "\0"] {
            assert_eq!(format(text.as_bytes()), Err(DecodeError::NotAPhoto), "{text}");
        }
    }
}

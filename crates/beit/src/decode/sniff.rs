//! Detects the format of a file by its first bytes.

use super::{DecodeError, Foreign, Format};

/// Signatures at offset 0 of formats that are not read.
const UNSUPPORTED: [(&[u8], Foreign); 10] = [
    (b"%PDF-", Foreign::Pdf),
    (b"8BPS", Foreign::Psd),
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
    // Classic TIFF and BigTIFF, in both byte orders.
    if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| bytes.starts_with(*magic)) {
        return Ok(Format::Tiff);
    }
    if bytes.starts_with(b"qoif") {
        return Ok(Format::Qoi);
    }
    if matches!(bytes, [b'P', b'1'..=b'7', separator, ..] if separator.is_ascii_whitespace()) {
        return Ok(Format::Pnm);
    }
    match icon(bytes) {
        Some(1) => return Ok(Format::Ico),
        Some(_) => return Err(DecodeError::UnsupportedFormat { format: Foreign::Cur }),
        None => {}
    }
    let foreign = UNSUPPORTED
        .iter()
        .find(|(signature, _)| bytes.starts_with(signature))
        .map(|(_, format)| *format)
        .or_else(|| iso_media(bytes))
        .or_else(|| is_svg(bytes).then_some(Foreign::Svg));
    // Without a signature at its beginning, it comes after all that have one.
    if foreign.is_none() && is_tga(bytes) {
        return Ok(Format::Tga);
    }
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

/// The kind of an icon file, 1 for icons and 2 for mouse pointers, whose first entry is where and what it has to be.
fn icon(bytes: &[u8]) -> Option<u8> {
    let &[0, 0, kind @ (1 | 2), 0, count, 0, ..] = bytes else { return None };
    let entry = bytes.get(6..22)?;
    let number =
        |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]) as usize;
    let (length, at) = (number(8), number(12));
    let fits = at >= 6 + 16 * usize::from(count) && at.checked_add(length)? <= bytes.len();
    (count > 0 && entry[3] == 0 && length > 0 && fits).then_some(kind)
}

/// By the footer of version 2, else by a header whose every field is one that exists.
fn is_tga(bytes: &[u8]) -> bool {
    if bytes.ends_with(b"TRUEVISION-XFILE.\0") {
        return true;
    }
    let Some(&[_, has_map, kind, _, _, _, _, map_bits, ..]) = bytes.first_chunk::<18>() else { return false };
    let size = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let map_fits = match kind {
        1 | 9 => has_map == 1 && matches!(map_bits, 15 | 16 | 24 | 32) && bytes[16] == 8,
        2 | 10 => has_map == 0 && map_bits == 0 && matches!(bytes[16], 15 | 16 | 24 | 32),
        3 | 11 => has_map == 0 && map_bits == 0 && matches!(bytes[16], 8 | 16),
        _ => false,
    };
    map_fits && size(12) > 0 && size(14) > 0 && bytes[17] & 0xc0 == 0
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
        let cases: [(&[u8], Foreign); 8] = [
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", Foreign::Avif),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", Foreign::Avif),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Foreign::Heic),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", Foreign::Video),
            (b"\0\0\0\x01ftyp", Foreign::Video), // a box shorter than its own header
            (b"%PDF-1.7\n", Foreign::Pdf),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>", Foreign::Svg),
            (b" <svg xmlns='http://www.w3.org/2000/svg'/>", Foreign::Svg),
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

//! A PNG's chunks: its size, its metadata, and an end where only that is missing.

use std::borrow::Cow;
use std::io::Read;

use flate2::Crc;
use flate2::read::ZlibDecoder;

use super::metadata::Metadata;

const SIGNATURE: usize = 8;
/// No metadata that tells an orientation is longer once it is unpacked.
const MOST_TEXT: u64 = 1 << 20;
const END: &[u8; 12] = b"\0\0\0\0IEND\xaeB`\x82";

struct Chunk<'a> {
    name: &'a [u8],
    data: &'a [u8],
}

/// The whole chunks, up to the end or to one that is cut.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        let (name, data) = (rest.get(4..8)?, rest.get(8..8usize.checked_add(length)?)?);
        // A checksum follows.
        rest = rest.get(12usize.checked_add(length)?..)?;
        Some(Chunk { name, data })
    })
}

/// What the first chunk claims.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    (bytes.get(12..16)? == b"IHDR").then_some(())?;
    Some((number(16)?, number(20)?))
}

/// Whether Apple's tools have changed it for an app: another order of colours, packed without a header.
pub(super) fn is_for_apps(bytes: &[u8]) -> bool {
    bytes.get(12..16) == Some(b"CgBI")
}

/// With an end, if no pixels are missing: the last chunk is whole, or lacks a part of its checksum alone.
pub(super) fn ended(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut length = SIGNATURE;
    let mut has_pixels = false;
    for chunk in chunks(bytes) {
        length += 12 + chunk.data.len();
        match chunk.name {
            b"IEND" => return Cow::Borrowed(bytes),
            b"IDAT" => has_pixels = true,
            _ => {}
        }
    }
    // Up to eleven bytes of an end chunk are no more than none.
    let rest = bytes.get(length..).unwrap_or_default();
    if has_pixels && END.starts_with(rest) {
        return Cow::Owned([&bytes[..length], END].concat());
    }
    match last_pixels(rest) {
        Some(chunk) => {
            let mut checksum = Crc::new();
            checksum.update(&chunk[4..]);
            Cow::Owned([&bytes[..length], chunk, &checksum.sum().to_be_bytes(), END].concat())
        }
        None => Cow::Borrowed(bytes),
    }
}

/// The chunk of pixels that these bytes are, up to its checksum, of which at least a byte is missing.
fn last_pixels(rest: &[u8]) -> Option<&[u8]> {
    let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let chunk = rest.get(..8usize.checked_add(length)?)?;
    (chunk[4..8] == *b"IDAT" && rest.len() < chunk.len() + 4).then_some(chunk)
}

pub(super) fn metadata(bytes: &[u8]) -> Metadata {
    let mut metadata = Metadata::default();
    let (mut profile, mut before_pixels) = (None, true);
    for chunk in chunks(bytes) {
        match chunk.name {
            b"IDAT" => before_pixels = false,
            b"eXIf" => {
                metadata.exif = Some(chunk.data.to_vec());
                metadata.exif_is_for_browsers = before_pixels;
            }
            b"tEXt" | b"zTXt" | b"iTXt" => match text(&chunk) {
                Some((b"Raw profile type exif", text)) => profile = hexadecimal_profile(&text),
                Some((b"XML:com.adobe.xmp", text)) => metadata.xmp = Some(text),
                _ => {}
            },
            _ => {}
        }
    }
    if metadata.exif.is_none() {
        metadata.exif = profile;
    }
    metadata
}

/// A text chunk's keyword and text.
fn text<'a>(chunk: &Chunk<'a>) -> Option<(&'a [u8], Vec<u8>)> {
    let (keyword, rest) = split_at_zero(chunk.data)?;
    // Nothing else is of interest, and a text may be a bomb.
    matches!(keyword, b"Raw profile type exif" | b"XML:com.adobe.xmp").then_some(())?;
    let text = match chunk.name {
        b"tEXt" => rest.to_vec(),
        b"zTXt" => unpack(rest.get(1..)?)?,
        _ => {
            let (flags, rest) = rest.split_at_checked(2)?;
            let (_language, rest) = split_at_zero(rest)?;
            let (_translated, rest) = split_at_zero(rest)?;
            if flags[0] == 1 { unpack(rest)? } else { rest.to_vec() }
        }
    };
    Some((keyword, text))
}

fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    ZlibDecoder::new(packed).take(MOST_TEXT).read_to_end(&mut text).ok()?;
    Some(text)
}

/// ImageMagick's form: a line break, the profile's name, its length, and hexadecimal digits in lines.
fn hexadecimal_profile(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let digits: Vec<u8> =
        text.split('\n').skip(3).flat_map(str::bytes).filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or_default() as u8;
    Some(digits.as_chunks::<2>().0.iter().map(|&[high, low]| digit(high) << 4 | digit(low)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes()[..], name, data, &[0; 4]].concat()
    }

    #[test]
    fn only_a_missing_end_is_added() {
        let mut checksum = Crc::new();
        checksum.update(b"IDATpixels");
        let pixels = [&6u32.to_be_bytes()[..], b"IDATpixels", &checksum.sum().to_be_bytes()].concat();
        let whole = [&b"\x89PNG\r\n\x1a\n"[..], &pixels, END].concat();
        for missing in 0..=16 {
            assert_eq!(*ended(&whole[..whole.len() - missing]), whole, "{missing}");
        }
        let cut = &whole[..whole.len() - 17];
        assert_eq!(*ended(cut), *cut);
        let no_pixels = &whole[..8];
        assert_eq!(*ended(no_pixels), *no_pixels);
    }

    #[test]
    fn imagemagicks_profile_is_hexadecimal() {
        let text = b"Raw profile type exif\0\nexif\n      10\n45786966\n00004949\n2a";
        let file = [&[0; 8][..], &chunk(b"tEXt", text)].concat();
        assert_eq!(metadata(&file).exif.unwrap(), b"Exif\0\0II*");
    }
}

//! Whether a WebP's chunks are where they say and agree with each other.
//!
//! The decoder trusts two things it should not: the length of a metadata chunk, for which it takes memory
//! at once, and the size of an animation's lossy frame with alpha, past which it indexes.

use std::borrow::Cow;

use super::metadata::Metadata;
use super::{DecodeError, Format};

/// Bits of the flags of an extended file: what its header announces.
const ANNOUNCED: [(&[u8; 4], u8); 3] = [(b"ICCP", 0x20), (b"EXIF", 0x08), (b"XMP ", 0x04)];
/// Where the flags are, in an extended file.
const FLAGS: usize = 20;

/// The bytes the RIFF container owns; what follows them is not the picture's.
///
/// # Errors
/// [`DecodeError::Truncated`] when the container or one of its chunks is longer than the file,
/// [`DecodeError::Corrupt`] when the first frame's parts contradict each other.
pub(super) fn container(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    const FORMAT: Format = Format::WebP;
    let cut = DecodeError::Truncated { format: FORMAT };
    let length = u32_at(bytes, 4).ok_or(cut.clone())? as usize;
    // An odd last chunk may lack its padding byte.
    if bytes.len() + 1 < length.saturating_add(8) {
        return Err(cut);
    }
    let container = &bytes[..bytes.len().min(length.saturating_add(8))];
    let mut animated = false;
    for chunk in Chunks(container.get(12..).ok_or(cut.clone())?) {
        let chunk = chunk.ok_or(cut.clone())?;
        if chunk.name == b"ANMF" && !animated {
            animated = true; // the first frame is the one that is shown
            check_frame(chunk.data).map_err(|detail| DecodeError::Corrupt { format: FORMAT, detail })?;
        }
    }
    Ok(container)
}

/// The container without announcements of what it lacks, at which the decoder would give up.
pub(super) fn without_false_announcements(container: &[u8]) -> Cow<'_, [u8]> {
    let Some(flags) = flags(container) else { return Cow::Borrowed(container) };
    let has = |name: &[u8; 4]| Chunks(&container[12..]).flatten().any(|chunk| chunk.name == name);
    let lacking = ANNOUNCED.into_iter().filter(|(name, bit)| flags & bit != 0 && !has(name));
    let lacking = lacking.fold(0, |bits, (_, bit)| bits | bit);
    if lacking == 0 {
        return Cow::Borrowed(container);
    }
    let mut container = container.to_vec();
    container[FLAGS] &= !lacking;
    Cow::Owned(container)
}

/// What an extended file's header announces. Other files have none.
fn flags(container: &[u8]) -> Option<u8> {
    (container.get(12..16)? == b"VP8X").then(|| container.get(FLAGS).copied()).flatten()
}

/// Metadata that the header announces; libwebp and browsers look at no other.
pub(super) fn metadata(bytes: &[u8]) -> Metadata {
    let flags = flags(bytes).unwrap_or_default();
    let announced = |name: &[u8; 4]| {
        let (_, bit) = ANNOUNCED.into_iter().find(|(announced, _)| *announced == name)?;
        (flags & bit != 0).then_some(())?;
        Chunks(&bytes[12..])
            .map_while(|chunk| chunk)
            .find(|chunk| chunk.name == name)
            .map(|chunk| chunk.data.to_vec())
    };
    Metadata { exif: announced(b"EXIF"), xmp: announced(b"XMP "), exif_is_for_browsers: true }
}

/// Checks that a frame's lossy picture has the size the frame announces.
fn check_frame(frame: &[u8]) -> Result<(), String> {
    let announced = u24_at(frame, 6).zip(u24_at(frame, 9)).map(|(width, height)| (width + 1, height + 1));
    for chunk in Chunks(frame.get(16..).unwrap_or_default()) {
        let chunk = chunk.ok_or("a chunk outgrows its frame")?;
        if chunk.name == b"VP8 " {
            // Three bytes of tag, whose lowest bit is 0 for a key frame, three of signature, then the size.
            let key = chunk.data.first().is_some_and(|tag| tag & 1 == 0);
            let size = u32_at(chunk.data, 6).map(|size| (size & 0x3fff, (size >> 16) & 0x3fff));
            if !key || size != announced {
                return Err(format!("frame of {announced:?} pixels holds a picture of {size:?}"));
            }
        }
    }
    Ok(())
}

struct Chunk<'a> {
    name: &'a [u8],
    data: &'a [u8],
}

/// The chunks of a container's or frame's payload; `None` for one that is longer than what is left, after
/// which there are no more. Fewer bytes than a chunk's header at the end are no chunk.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Option<Chunk<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.0);
        let length = u32_at(bytes, 4)? as usize;
        let (name, rest) = (&bytes[..4], &bytes[8..]);
        if length > rest.len() {
            return Some(None);
        }
        let data = &rest[..length];
        self.0 = rest.get(length + length % 2..).unwrap_or_default(); // chunks are padded to even lengths
        Some(Some(Chunk { name, data }))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn u24_at(bytes: &[u8], at: usize) -> Option<u32> {
    let three = bytes.get(at..at + 3)?;
    Some(u32::from_le_bytes([three[0], three[1], three[2], 0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let padding = vec![0; data.len() % 2];
        [&name[..], &(data.len() as u32).to_le_bytes(), data, &padding].concat()
    }

    fn riff(chunks: &[u8]) -> Vec<u8> {
        chunk(b"RIFF", &[b"WEBP", chunks].concat())
    }

    /// A frame that announces `width` × `height` and holds `inner`.
    fn frame(width: u8, height: u8, inner: &[u8]) -> Vec<u8> {
        let mut data = [0; 16];
        (data[6], data[9]) = (width - 1, height - 1);
        chunk(b"ANMF", &[&data, inner].concat())
    }

    /// The header of a lossy picture.
    fn lossy(width: u8, height: u8, tag: u8) -> Vec<u8> {
        chunk(b"VP8 ", &[tag, 0, 0, 0x9d, 0x01, 0x2a, width, 0, height, 0])
    }

    #[test]
    fn frames_must_have_the_size_they_announce() {
        let alpha = chunk(b"ALPH", &[0; 7]);
        let holds = |inner: Vec<u8>| container(&riff(&frame(5, 7, &inner))).map(<[u8]>::len);
        assert!(holds([alpha.clone(), lossy(5, 7, 0)].concat()).is_ok());
        for wrong in [lossy(5, 8, 0), lossy(6, 7, 0), lossy(5, 7, 1), chunk(b"VP8 ", &[0; 4])] {
            let result = holds([alpha.clone(), wrong].concat());
            assert!(matches!(result, Err(DecodeError::Corrupt { .. })), "{result:?}");
        }
        assert!(matches!(holds(b"ALPH\xff\0\0\0".to_vec()), Err(DecodeError::Corrupt { .. })));
    }

    #[test]
    fn chunks_must_fit_and_what_follows_is_cut_off() {
        let whole = riff(&chunk(b"EXIF", &[1, 2, 3]));
        assert_eq!(container(&whole), Ok(&whole[..]));
        assert_eq!(container(&[&whole[..], b"more"].concat()), Ok(&whole[..]));
        assert_eq!(container(&whole[..whole.len() - 1]), Ok(&whole[..whole.len() - 1])); // no padding
        let truncated = Err(DecodeError::Truncated { format: Format::WebP });
        assert_eq!(container(&whole[..whole.len() - 2]), truncated);
        assert_eq!(container(&riff(b"EXIF\xff\xff\xff\x7f")), truncated);
        assert_eq!(container(b"RIFF\xff\xff\xff\xffWEBP"), truncated);
    }
}

//! Lengths and checksums around what is written, so that a reader knows what is whole.

use xxhash_rust::xxh3::xxh3_64;

/// Bytes before the content: length and checksum.
const HEAD: usize = 12;

/// What stands at a place of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// A whole frame: its content, and where the next one begins.
    Whole(&'a [u8], usize),
    /// The file ends before the frame does.
    CutShort,
    /// The checksum is wrong.
    Damaged,
    /// The file ends here.
    End,
}

/// Appends a frame with this content. `None` if it is longer than a frame can be.
pub(crate) fn write(content: &[u8], to: &mut Vec<u8>) -> Option<()> {
    let length = u32::try_from(content.len()).ok()?;
    to.extend(length.to_le_bytes());
    to.extend(xxh3_64(content).to_le_bytes());
    to.extend(content);
    Some(())
}

/// The frame at `at`.
pub(crate) fn read(bytes: &[u8], at: usize) -> Frame<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some((length, after)) = rest.split_first_chunk::<4>() else {
        return if rest.is_empty() { Frame::End } else { Frame::CutShort };
    };
    let Some((checksum, content)) = after.split_first_chunk::<8>() else { return Frame::CutShort };
    let length = u32::from_le_bytes(*length);
    let content = usize::try_from(length).ok().and_then(|length| content.get(..length));
    match content {
        None => Frame::CutShort,
        Some(content) if xxh3_64(content) == u64::from_le_bytes(*checksum) => {
            Frame::Whole(content, at + HEAD + content.len())
        }
        Some(_) => Frame::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_every_flipped_byte_is_told() {
        let mut file = Vec::new();
        write(b"one", &mut file).unwrap();
        write(b"", &mut file).unwrap();
        assert_eq!(read(&file, 0), Frame::Whole(b"one", 15));
        assert_eq!(read(&file, 15), Frame::Whole(b"", 27));
        assert_eq!((read(&file, 27), read(&file, 99)), (Frame::End, Frame::End));
        for length in 1..15 {
            assert_eq!(read(&file[..length], 0), Frame::CutShort, "{length}");
        }
        for at in 0..15 {
            let mut damaged = file.clone();
            damaged[at] ^= 0x40;
            assert!(matches!(read(&damaged, 0), Frame::CutShort | Frame::Damaged), "{at}");
        }
        assert_eq!(read(&[0; 40], 0), Frame::Damaged, "what a file system fills up with");
    }
}

//! What a JPEG's segments tell before it is decoded.

/// See [`survey`].
pub(super) struct Survey {
    /// The segments lead to the end-of-image marker.
    pub(super) whole: bool,
    /// The picture comes in several scans, so the decoder has to keep all coefficients until the last.
    pub(super) buffered: bool,
}

/// Follows the segments of a JPEG to its end-of-image marker.
///
/// The decoder paints what a cut file lacks grey and reports success, as browsers do; a class for a
/// half-grey photo would be a wrong answer that looks like a right one. Pillow refuses such files too.
/// Bytes after the marker (a phone's second picture, a motion photo's film) do not matter.
pub(super) fn survey(bytes: &[u8]) -> Survey {
    const PROGRESSIVE_FRAME: u8 = 0xc2;
    const END_OF_IMAGE: u8 = 0xd9;
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2; // past the start-of-image marker
    let mut progressive = false;
    let mut scans = 0;
    // Garbage between segments is skipped, as decoders do. The data that follows a scan's header is too:
    // in it, every 0xff is followed by 0 or is a restart marker.
    let whole = loop {
        match next_marker(bytes, &mut at) {
            None => break false,
            Some(END_OF_IMAGE) => break true,
            Some(0x01 | 0xd0..=0xd8) => {} // markers that stand alone
            Some(marker) => {
                let Some(&[high, low]) = bytes.get(at..at + 2) else { break false };
                at += usize::from(u16::from_be_bytes([high, low])).max(2);
                progressive |= marker == PROGRESSIVE_FRAME;
                scans += usize::from(marker == START_OF_SCAN);
            }
        }
    };
    Survey { whole, buffered: progressive || scans > 1 }
}

/// Moves `at` past the next marker and returns its code: a byte neither 0 nor 0xff that follows 0xff.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let start = *at + bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)?;
        let code = start + bytes[start..].iter().position(|&byte| byte != 0xff)?;
        *at = code + 1;
        if bytes[code] != 0 {
            return Some(bytes[code]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::survey;

    #[test]
    fn finds_the_end_or_its_absence() {
        let whole = |bytes: &[u8]| survey(bytes).whole;
        let scan = b"\xff\xd8\xff\xe0\x00\x04\xff\xd9\xff\xda\x00\x03\x01\x12\xff\x00\xff\xd0\x34";
        let with = |tail: &[u8]| [scan, tail].concat();
        assert!(whole(&with(b"\xff\xd9")));
        assert!(whole(&with(b"\xff\xff\xff\xd9after the picture")));
        assert!(whole(&with(b"\xff\xda\x00\x02\x55\xff\xd9"))); // a second scan
        // The 0xffd9 inside the first segment is data; without the real one every cut is a cut.
        for length in 2..scan.len() {
            assert!(!whole(&scan[..length]), "{length} bytes");
        }
        assert!(!whole(&with(b"\xff")));
    }

    #[test]
    fn tells_whether_coefficients_pile_up() {
        let one = b"\xff\xd8\xff\xc0\x00\x03\x01\xff\xda\x00\x03\x01\x12\xff\xd9";
        let two = b"\xff\xd8\xff\xc0\x00\x03\x01\xff\xda\x00\x03\x01\x12\xff\xda\x00\x03\x01\x12\xff\xd9";
        let progressive = b"\xff\xd8\xff\xc2\x00\x03\x01\xff\xda\x00\x03\x01\x12\xff\xd9";
        assert!(!survey(one).buffered);
        assert!(survey(two).buffered);
        assert!(survey(progressive).buffered);
    }
}

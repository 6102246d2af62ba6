//! Whether a JPEG is all there.

/// Whether the segments of a JPEG lead to its end-of-image marker.
///
/// The decoder paints what a cut file lacks grey and reports success, as browsers do; a class for a
/// half-grey photo would be a wrong answer that looks like a right one. Pillow refuses such files too.
/// Bytes after the marker (a phone's second picture, a motion photo's film) do not matter.
pub(super) fn reaches_end_of_image(bytes: &[u8]) -> bool {
    const END_OF_IMAGE: u8 = 0xd9;
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2; // past the start-of-image marker
    loop {
        // Garbage between segments is skipped, as decoders do.
        let Some(marker) = next_marker(bytes, &mut at) else { return false };
        match marker {
            END_OF_IMAGE => return true,
            0x01 | 0xd0..=0xd8 => {} // markers that stand alone
            _ => {
                let Some(&[high, low]) = bytes.get(at..at + 2) else { return false };
                at += usize::from(u16::from_be_bytes([high, low])).max(2);
                if marker == START_OF_SCAN && at > bytes.len() {
                    return false;
                }
                // Entropy-coded data follows a scan's header: every 0xff in it is followed by 0 or by a
                // restart marker, and next_marker takes neither for a segment.
            }
        }
    }
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
    use super::reaches_end_of_image;

    #[test]
    fn finds_the_end_or_its_absence() {
        let scan = b"\xff\xd8\xff\xe0\x00\x04\xff\xd9\xff\xda\x00\x03\x01\x12\xff\x00\xff\xd0\x34";
        let with = |tail: &[u8]| [scan, tail].concat();
        assert!(reaches_end_of_image(&with(b"\xff\xd9")));
        assert!(reaches_end_of_image(&with(b"\xff\xff\xff\xd9after the picture")));
        assert!(reaches_end_of_image(&with(b"\xff\xda\x00\x02\x55\xff\xd9"))); // a second scan
        // The 0xffd9 inside the first segment is data; without the real one every cut is a cut.
        for length in 2..scan.len() {
            assert!(!reaches_end_of_image(&scan[..length]), "{length} bytes");
        }
        assert!(!reaches_end_of_image(&with(b"\xff")));
    }
}

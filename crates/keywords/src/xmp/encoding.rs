//! The bytes of XMP ↔ its text.

use super::XmpError;

/// How the bytes stand for text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16Big,
    Utf16Little,
}

/// A text and what is needed to write it as it was.
#[derive(Debug)]
pub struct Decoded {
    /// Without byte order mark and without NULs at the end.
    pub text: String,
    pub encoding: Encoding,
    has_mark: bool,
    nuls: usize,
}

const MARK: char = '\u{feff}';

/// Reads bytes in UTF-8, or in UTF-16 of either byte order, with a byte order mark or without.
pub fn decode(bytes: &[u8]) -> Result<Decoded, XmpError> {
    let encoding = match bytes {
        [0xfe, 0xff, ..] | [0, 1..=255, ..] => Encoding::Utf16Big,
        // Four zeros of two ASCII characters would be UTF-32.
        [0xff, 0xfe, ..] | [1..=255, 0, 1..=255, ..] => Encoding::Utf16Little,
        _ => Encoding::Utf8,
    };
    let units = |from: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text = String::from_utf16(&pairs.iter().map(|&pair| from(pair)).collect::<Vec<_>>());
        text.ok().filter(|_| rest.is_empty())
    };
    let text = match encoding {
        Encoding::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
        Encoding::Utf16Big => units(u16::from_be_bytes),
        Encoding::Utf16Little => units(u16::from_le_bytes),
    };
    let text = text.ok_or(XmpError::Encoding)?;
    let whole = text.trim_end_matches('\0');
    let nuls = text.len() - whole.len();
    let unmarked = whole.strip_prefix(MARK).unwrap_or(whole);
    let has_mark = unmarked.len() < whole.len();
    Ok(Decoded { text: unmarked.to_owned(), encoding, has_mark, nuls })
}

impl Encoding {
    /// Length in bytes.
    pub fn length(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16Big | Self::Utf16Little => 2 * text.encode_utf16().count(),
        }
    }

    /// Bytes of an ASCII character.
    pub fn unit(self) -> usize {
        match self {
            Self::Utf8 => 1,
            Self::Utf16Big | Self::Utf16Little => 2,
        }
    }
}

impl Decoded {
    /// Another text's bytes, written as these were.
    pub fn encode(&self, text: &str) -> Vec<u8> {
        let mark = self.has_mark.then_some(MARK);
        let all: String =
            mark.into_iter().chain(text.chars()).chain(std::iter::repeat_n('\0', self.nuls)).collect();
        match self.encoding {
            Encoding::Utf8 => all.into_bytes(),
            Encoding::Utf16Big => all.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Encoding::Utf16Little => all.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was_written() {
        let text = "<a>猫 𠮷</a>";
        for mark in ["", "\u{feff}"] {
            for nuls in ["", "\0", "\0\0\0"] {
                let all = format!("{mark}{text}{nuls}");
                let big: Vec<u8> = all.encode_utf16().flat_map(u16::to_be_bytes).collect();
                let little: Vec<u8> = all.encode_utf16().flat_map(u16::to_le_bytes).collect();
                for bytes in [all.into_bytes(), big, little] {
                    let decoded = decode(&bytes).unwrap();
                    assert_eq!(decoded.text, text);
                    assert_eq!(decoded.encode(text), bytes);
                }
            }
        }
    }

    #[test]
    fn other_encodings_are_refused() {
        let utf32: Vec<u8> = "<a/>".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        for bytes in [&b"<a>\xe9</a>"[..], b"<\0a\0/", b"\xfe\xff\xd8\0\0<", b"\xff\xfe<"] {
            assert_eq!(decode(bytes).unwrap_err(), XmpError::Encoding, "{bytes:?}");
        }
        // Read as UTF-8 it has NULs in it, which are no XML.
        assert!(decode(&utf32).unwrap().text.contains('\0'));
    }
}

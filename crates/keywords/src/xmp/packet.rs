//! What surrounds the RDF of a packet: its wrapper and its padding.

use super::encoding::Encoding;
use std::ops::Range;

/// What new XMP is written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// Within a photo.
    Packet,
    /// A file of its own.
    Sidecar,
}

const START: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n";
const END: &str = "<?xpacket end=\"w\"?>";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const RDF: &str = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n </rdf:RDF>\n</x:xmpmeta>\n";

impl Shell {
    /// XMP that says nothing yet.
    pub fn empty(self) -> String {
        match self {
            Self::Packet => [START, RDF, END].concat(),
            Self::Sidecar => [DECLARATION, RDF].concat(),
        }
    }
}

/// The padding of a packet that may be edited in place: white space before the end of its wrapper. A packet whose
/// wrapper ends with `end="r"` has none to use.
pub fn padding(text: &str) -> Option<Range<usize>> {
    let end = text.rfind("<?xpacket end=")?;
    let quoted = &text[end + "<?xpacket end=".len()..];
    if !(quoted.starts_with("\"w\"") || quoted.starts_with("'w'")) {
        return None;
    }
    let start = text[..end].trim_end_matches([' ', '\t', '\r', '\n']).len();
    Some(start..end)
}

/// Takes what an edit has made longer from the padding, and adds to it what the edit has made shorter: then the packet
/// has the length that it had. Without enough padding it stays as it is, and the packet becomes longer.
pub fn keep_length(old: &str, new: String, encoding: Encoding) -> String {
    let Some(padding) = padding(&new).filter(|_| self::padding(old).is_some_and(|old| old.len() > 1)) else {
        return new;
    };
    let (was, is) = (encoding.length(old), encoding.length(&new));
    // Behind the first character, which may begin a line.
    let at = padding.start + 1;
    if is <= was {
        let blanks = " ".repeat((was - is) / encoding.unit());
        return [&new[..at], &blanks, &new[at..]].concat();
    }
    let too_many = (is - was) / encoding.unit();
    match padding.len() > too_many {
        true => [&new[..at], &new[at + too_many..]].concat(),
        false => new,
    }
}

/// The same without padding.
pub fn without_padding(text: &str) -> String {
    match padding(text) {
        Some(padding) if padding.len() > 1 => [&text[..padding.start], "\n", &text[padding.end..]].concat(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(content: &str, padding: usize, end: char) -> String {
        format!("<a>{content}</a>\n{}<?xpacket end='{end}'?>", " ".repeat(padding))
    }

    #[test]
    fn padding_takes_up_what_an_edit_adds() {
        let kept = |content: &str, padding, end| {
            let old = packet("12345", padding, end);
            let new = keep_length(&old, packet(content, padding, end), Encoding::Utf8);
            (new.len() as i64 - old.len() as i64, new.contains(content))
        };
        assert_eq!(kept("123456789", 10, 'w'), (0, true));
        assert_eq!(kept("1", 10, 'w'), (0, true));
        assert_eq!(kept("123456789012345", 10, 'w'), (0, true));
        assert_eq!(kept("1234567890123456", 10, 'w'), (11, true), "too little");
        assert_eq!(kept("123456789", 0, 'w'), (4, true), "none");
        assert_eq!(kept("123456789", 10, 'r'), (4, true), "not to be edited in place");
        let wide = keep_length(&packet("猫", 10, 'w'), packet("猫虎", 10, 'w'), Encoding::Utf16Little);
        assert_eq!(wide, packet("猫虎", 9, 'w'));
    }

    #[test]
    fn padding_can_be_dropped() {
        assert_eq!(without_padding(&packet("1", 2000, 'w')), packet("1", 0, 'w'));
        assert_eq!(without_padding(&packet("1", 20, 'r')), packet("1", 20, 'r'));
        assert_eq!(without_padding("<a/>"), "<a/>");
    }
}

//! Percent-encoding of what becomes part of an address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986's unreserved characters are left as they are.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

/// Percent-encodes a path, its slashes kept.
pub fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// Percent-encodes one segment of a path or one value of a query.
pub fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_url_may_hold_is_left_as_it_is() {
        assert_eq!(encode_path("a b/ü.pth"), "a%20b/%C3%BC.pth");
        assert_eq!(encode_component("refs/pr/3"), "refs%2Fpr%2F3");
    }
}

//! Files that hold a web address: Windows' `.url`, macOS's `.webloc`, Linux's `.desktop`.

/// A longer file is none.
pub const LONGEST: u64 = 64 << 10;

/// Whether the file is one, by its name.
pub fn is_shortcut(name: &str) -> bool {
    let name = name.to_lowercase();
    [".url", ".webloc", ".desktop"].iter().any(|ending| name.ends_with(ending))
}

/// The address that such a file holds.
pub fn address(bytes: &[u8]) -> Option<String> {
    if bytes.starts_with(b"bplist00") {
        return in_binary_list(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let line = |line: &str| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case("url").then(|| value.trim().to_owned())
    };
    if text.trim_start().starts_with('<') { in_property_list(text) } else { text.lines().find_map(line) }
}

/// `<key>URL</key><string>…</string>`
fn in_property_list(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<key>URL</key>")?;
    let (_, rest) = rest.split_once("<string>")?;
    let (address, _) = rest.split_once("</string>")?;
    let plain =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#38;", "&"), ("&amp;", "&")];
    let address = plain.iter().fold(address.to_owned(), |text, (code, letter)| text.replace(code, letter));
    Some(address.trim().to_owned())
}

/// The first string of ASCII that is a web address: before its bytes stand a mark and its length.
fn in_binary_list(bytes: &[u8]) -> Option<String> {
    (0..bytes.len()).find_map(|at| {
        let (mark, rest) = bytes[at..].split_first()?;
        let (length, rest) = match (*mark, rest) {
            (0x50..=0x5e, rest) => (usize::from(mark & 0x0f), rest),
            (0x5f, [0x10, length, rest @ ..]) => (usize::from(*length), rest),
            (0x5f, [0x11, high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            _ => return None,
        };
        let text = std::str::from_utf8(rest.get(..length)?).ok()?;
        (text.starts_with("http://") || text.starts_with("https://")).then(|| text.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcuts_of_all_systems_hold_an_address() {
        let wanted = Some("https://host/cat.jpg?a=1&b=2".to_owned());
        let windows = "\u{feff}[{000214A0}]\r\nProp3=19,11\r\n[InternetShortcut]\r\nIDList=\r\nURL=https://host/cat.jpg?a=1&b=2\r\n";
        assert_eq!(address(windows.as_bytes()), wanted);
        let mac = "<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict>\n\t<key>URL</key>\n\t<string>https://host/cat.jpg?a=1&amp;b=2</string>\n</dict></plist>";
        assert_eq!(address(mac.as_bytes()), wanted);
        let url = b"https://host/cat.jpg?a=1&b=2";
        let binary = [b"bplist00\xd1\x01\x02SURL\x5f\x10", &[url.len() as u8][..], url, b"\x08\x0b"].concat();
        assert_eq!(address(&binary), wanted);
        let linux = "[Desktop Entry]\nType=Link\nURL=https://host/cat.jpg?a=1&b=2\n";
        assert_eq!(address(linux.as_bytes()), wanted);
    }

    #[test]
    fn what_holds_none_gives_none() {
        for bytes in
            [&b""[..], b"bplist00", b"bplist00\x5f\x10\xffhttp", b"<plist>", b"URL", b"\xff\xfe", b"a=b"]
        {
            assert_eq!(address(bytes), None, "{bytes:?}");
        }
        assert!(is_shortcut("Cat.URL") && is_shortcut("a.webloc") && !is_shortcut("url"));
    }
}

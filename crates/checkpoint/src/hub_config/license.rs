//! The weights' licence, as hubs write it.

/// The front matter of a longer card is no front matter.
const MAX_FRONT_MATTER: usize = 256 << 10;

/// Hubs' words for licences, and SPDX's.
const SPDX: [(&str, &str); 16] = [
    ("apache-2.0", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("mit", "MIT"),
    ("mit license", "MIT"),
    ("bsd-2-clause", "BSD-2-Clause"),
    ("bsd-3-clause", "BSD-3-Clause"),
    ("cc0-1.0", "CC0-1.0"),
    ("cc-by-4.0", "CC-BY-4.0"),
    ("cc-by-sa-4.0", "CC-BY-SA-4.0"),
    ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
    ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
    ("cc-by-nc-nd-4.0", "CC-BY-NC-ND-4.0"),
    ("gpl-3.0", "GPL-3.0-only"),
    ("agpl-3.0", "AGPL-3.0-only"),
    ("isc", "ISC"),
    ("unlicense", "Unlicense"),
];

/// SPDX's name for a hub's word, or the word itself; none for what says nothing or is no name.
pub(super) fn spdx(word: &str) -> Option<String> {
    let word = word.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || " .-+_()".contains(c);
    let says_nothing = ["", "other", "unknown", "none"].iter().any(|empty| word.eq_ignore_ascii_case(empty));
    if says_nothing
        || word.len() > 100
        || !word.chars().all(is_name)
        || !word.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        return None;
    }
    let known = SPDX.iter().find(|(hub, _)| word.eq_ignore_ascii_case(hub));
    Some(known.map_or(word, |(_, spdx)| spdx).to_owned())
}

/// The licence that a model card's front matter tells: `license:`, or `license_name:` where that is `other`.
pub fn license_of_card(readme: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&readme[..readme.len().min(MAX_FRONT_MATTER)]);
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_end);
    if lines.next() != Some("---") {
        return None;
    }
    let matter: Vec<&str> = lines.take_while(|line| *line != "---").collect();
    of_key(&matter, "license:").or_else(|| of_key(&matter, "license_name:"))
}

/// The only value of a key: behind it, or as the only item of the list below it.
fn of_key(matter: &[&str], key: &str) -> Option<String> {
    let (at, value) = matter.iter().enumerate().find_map(|(at, line)| Some((at, line.strip_prefix(key)?)))?;
    let value = unquoted(value);
    if !value.is_empty() {
        return spdx(value);
    }
    let mut items =
        matter[at + 1..].iter().map_while(|line| line.trim_start().strip_prefix("- ").map(unquoted));
    let only = items.next().filter(|_| items.next().is_none());
    only.and_then(spdx)
}

fn unquoted(value: &str) -> &str {
    let value = value.split(" #").next().unwrap_or_default().trim();
    let inside = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    inside.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_tells_the_licence() {
        for (card, license) in [
            (
                "---\ntags:\n- timm\nlicense: apache-2.0\ndatasets:\n- imagenet-1k\n---\n# Model",
                Some("Apache-2.0"),
            ),
            ("\u{feff}---\r\nlicense: \"mit\" # as the code\r\n---\r\n", Some("MIT")),
            ("---\nlicense:\n- cc-by-nc-4.0\n---\n", Some("CC-BY-NC-4.0")),
            ("---\nlicense: Apache License 2.0\n---\n", Some("Apache-2.0")),
            ("---\nlicense: other\nlicense_name: research-only\n---\n", Some("research-only")),
            ("---\nlicense: openrail++\n---\n", Some("openrail++")),
            ("---\nlicense:\n- mit\n- apache-2.0\n---\n", None),
            ("---\nlicense: other\n---\n", None),
            ("---\nlicense: >-\n  mit\n---\n", None),
            ("---\ntags: []\n---\nlicense: mit\n", None),
            ("---\n  license: mit\n---\n", None),
            ("# Model\nlicense: mit\n", None),
            ("", None),
            ("---", None),
        ] {
            assert_eq!(license_of_card(card.as_bytes()).as_deref(), license, "{card:?}");
        }
        let hostile = format!("---\nlicense: {}\n---\n", "x".repeat(1 << 20));
        assert_eq!(license_of_card(hostile.as_bytes()), None);
        assert_eq!(license_of_card(b"---\nlicense: \x1b[31mred\n---\n"), None);
        assert_eq!(license_of_card(&[0xff; 1000]), None);
    }
}

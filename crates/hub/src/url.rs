//! The little of URLs (RFC 3986) that hubs need: origins, redirects, percent-encoding.

/// Scheme and authority of an absolute HTTP URL; the whole text for anything else.
fn split(url: &str) -> (&str, &str, &str) {
    let Some((scheme, rest)) = url.split_once("://") else { return ("", url, "") };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    (scheme, &rest[..end], &rest[end..])
}

/// Host without port.
pub fn host(url: &str) -> &str {
    let authority = server(url);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Host and port, without a user's name, for people.
pub fn server(url: &str) -> &str {
    let authority = split(url).1;
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Scheme, host and port, which together say who is asked. Two URLs of the same origin may share a secret.
pub fn origin(url: &str) -> String {
    let scheme = split(url).0.to_ascii_lowercase();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = server(url).to_ascii_lowercase();
    format!("{scheme}://{}", authority.strip_suffix(default_port).unwrap_or(&authority))
}

/// Whether a text can stand before `/api/…`.
pub fn is_endpoint(text: &str) -> bool {
    let (scheme, authority, path) = split(text);
    let clean = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>^`{|}@".contains(&byte));
    clean
        && matches!(scheme, "http" | "https")
        && !host(text).is_empty()
        && !authority.is_empty()
        && !path.ends_with('/')
}

/// Where a redirect from `base` leads; `None` if not to an HTTP address.
pub fn join(base: &str, location: &str) -> Option<String> {
    let (scheme, authority, path) = split(base);
    let joined = if location.starts_with("http://") || location.starts_with("https://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.contains("://") || location.is_empty() {
        return None;
    } else {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let without_fragment = joined.split('#').next().unwrap_or_default();
    Some(without_fragment.to_owned())
}

/// Percent-encodes a path, its slashes kept.
pub fn encode_path(path: &str) -> String {
    encode(path, b"/")
}

/// Percent-encodes one segment of a path or one value of a query.
pub fn encode_component(text: &str) -> String {
    encode(text, b"")
}

fn encode(text: &str, keep: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_tell_servers_apart() {
        for (a, b, same) in [
            ("https://hub.example/a", "https://HUB.example:443/b?c", true),
            ("http://127.0.0.1:80/", "http://127.0.0.1/x", true),
            ("http://127.0.0.1:8000/", "http://localhost:8000/", false),
            ("http://127.0.0.1:8000/", "http://127.0.0.1:8001/", false),
            ("http://hub.example/", "https://hub.example/", false),
            ("https://hub.example/", "https://hub.example.evil/", false),
            ("https://hub.example/", "https://hub.example@evil/", false),
            ("https://hub.example/", "https://evil?hub.example/", false),
        ] {
            assert_eq!(origin(a) == origin(b), same, "{a} {b}");
        }
        assert_eq!(host("https://[::1]:80/x"), "[::1]");
        assert_eq!(host("http://localhost:1/x:2"), "localhost");
    }

    #[test]
    fn redirects_are_resolved_against_their_page() {
        for (location, expected) in [
            ("https://cdn.example/x?y#z", Some("https://cdn.example/x?y")),
            ("//cdn.example/x", Some("http://cdn.example/x")),
            ("/x?y", Some("http://hub.example:1/x?y")),
            ("c", Some("http://hub.example:1/a/c")),
            ("ftp://x", None),
            ("", None),
        ] {
            assert_eq!(join("http://hub.example:1/a/b?q=/d", location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn only_what_a_url_may_hold_is_left_as_it_is() {
        assert_eq!(encode_path("a b/ü.pth"), "a%20b/%C3%BC.pth");
        assert_eq!(encode_component("refs/pr/3"), "refs%2Fpr%2F3");
    }
}

//! What hubs need of URLs beside the crate `url`: endpoints, redirects.

use url::Url;

/// Host and port, without a user's name, for messages.
pub fn server(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether a text can stand before `/api/…`.
pub fn is_endpoint(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>^`{|}@".contains(&byte));
    plain && !text.ends_with('/') && Url::parse(text).is_ok_and(|url| is_http(&url))
}

/// Where a redirect from `base` leads; `None` if not to an HTTP address.
pub fn redirect(base: &Url, location: &str) -> Option<Url> {
    let mut url = base.join(location).ok().filter(|url| !location.is_empty() && is_http(url))?;
    url.set_fragment(None);
    Some(url)
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

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
            assert_eq!(url(a).origin() == url(b).origin(), same, "{a} {b}");
        }
        assert_eq!(url("https://[::1]:80/x").host_str(), Some("[::1]"));
        assert_eq!(url("http://localhost:1/x:2").host_str(), Some("localhost"));
        assert_eq!(server(&url("https://user:secret@hub.example:8443/x")), "hub.example:8443");
    }

    #[test]
    fn redirects_are_resolved_against_their_page() {
        for (location, expected) in [
            ("https://cdn.example/x?y#z", Some("https://cdn.example/x?y")),
            ("//cdn.example/x", Some("http://cdn.example/x")),
            ("/x?y", Some("http://hub.example:1/x?y")),
            ("c", Some("http://hub.example:1/a/c")),
            ("https:\\\\evil.example\\x", Some("https://evil.example/x")),
            ("ftp://x", None),
            ("data:,x", None),
            ("http://", None),
            ("", None),
        ] {
            let target = redirect(&url("http://hub.example:1/a/b?q=/d"), location);
            assert_eq!(target.as_ref().map(Url::as_str), expected, "{location}");
        }
    }
}

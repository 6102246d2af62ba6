//! What the visitor writes or pastes to name a model on a hub: a reference, `OWNER/NAME`, or the address of its page.

use protocol::import::Hubs;

/// Longer ones are no reference.
const LONGEST: usize = 300;

/// The hubs: how references to them begin, their addresses, and the hosts whose pages' addresses are understood.
const HUBS: [(&str, &str, &[&str]); 2] = [
    ("hf", "huggingface.co", &["huggingface.co", "www.huggingface.co", "hf.co", "hf-mirror.com"]),
    ("modelscope", "modelscope.cn", &["modelscope.cn", "www.modelscope.cn"]),
];

/// The reference that a text means: `hf:OWNER/NAME[/FILE][@REVISION]` or `modelscope:…`.
pub fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    if let Some(address) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
        return of_page(address);
    }
    let (hub, path) = text.split_once(':').unwrap_or(("hf", text));
    let (repository, revision) = match path.split_once('@') {
        Some((repository, revision)) => (repository, Some(revision)),
        None => (path, None),
    };
    let mut parts = repository.splitn(3, '/');
    let (owner, name, file) = (parts.next()?, parts.next()?, parts.next());
    let is_known = HUBS.iter().any(|(known, ..)| *known == hub);
    let is_right = is_known
        && is_name(owner)
        && is_name(name)
        && file.is_none_or(is_path)
        && revision.is_none_or(is_path);
    is_right.then(|| format!("{hub}:{path}"))
}

/// Who serves a reference's files: the hub, or what the site names in its place.
pub fn host(reference: &str, hubs: &Hubs) -> Option<String> {
    let hub = reference.split_once(':')?.0;
    let (_, own, _) = HUBS.iter().find(|(known, ..)| *known == hub)?;
    let other = if hub == "hf" { &hubs.hf } else { &hubs.modelscope };
    let other = other.as_deref().and_then(|address| address.split("://").nth(1)?.split('/').next());
    Some(other.unwrap_or(own).to_owned())
}

/// Of a model's page, one of its files, or its list of files. `address` begins with the host.
fn of_page(address: &str) -> Option<String> {
    let address = address.split(['?', '#']).next()?;
    let mut parts = address.split('/').filter(|part| !part.is_empty());
    let host = parts.next()?.to_ascii_lowercase();
    let (hub, ..) = HUBS.iter().find(|(.., hosts)| hosts.contains(&&*host))?;
    if *hub == "modelscope" && parts.next()? != "models" {
        return None;
    }
    let mut reference = format!("{hub}:{}/{}", parts.next()?, parts.next()?);
    let rest: Vec<&str> = parts.collect();
    // `%2F` is a slash in a revision.
    let revision = match rest[..] {
        ["blob" | "resolve" | "raw", revision, ref file @ ..] if !file.is_empty() => {
            reference += &format!("/{}", file.join("/"));
            Some(revision)
        }
        ["file", "view", revision, ref file @ ..] if !file.is_empty() => {
            reference += &format!("/{}", file.join("/"));
            Some(revision)
        }
        ["tree", revision, ..] => Some(revision),
        _ => None,
    };
    if let Some(revision) = revision.filter(|revision| !matches!(*revision, "main" | "master")) {
        reference += &format!("@{}", revision.replace("%2F", "/").replace("%2f", "/"));
    }
    parse(&reference)
}

/// As the hubs want names; the worker says what is wrong with one.
fn is_name(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn is_path(path: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    let is_allowed = |c: char| !c.is_control() && !c.is_whitespace() && !"\\:*?\"<>|#".contains(c);
    path.split('/').all(is_plain) && path.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: &str = "hf:timm/beitv2_large_patch16_224.in1k_ft_in22k_in1k";

    #[test]
    fn references_and_pages_are_understood() {
        let page = format!("https://huggingface.co/{}", &LARGE[3..]);
        for (text, expected) in [
            (LARGE.to_owned(), LARGE),
            (format!("  {LARGE}\n"), LARGE),
            (LARGE[3..].to_owned(), LARGE),
            (page.clone(), LARGE),
            (format!("{page}/"), LARGE),
            (format!("{page}?library=timm#model-details"), LARGE),
            (format!("{page}/tree/main"), LARGE),
            (format!("{page}/discussions/1"), LARGE),
            ("https://hf.co/a/b/blob/main/c/d.pth".into(), "hf:a/b/c/d.pth"),
            (
                "https://huggingface.co/a/b/resolve/v1/model.safetensors?download=true".into(),
                "hf:a/b/model.safetensors@v1",
            ),
            ("https://huggingface.co/a/b/tree/refs%2Fpr%2F3".into(), "hf:a/b@refs/pr/3"),
            ("https://hf-mirror.com/a/b".into(), "hf:a/b"),
            ("hf:a/b/c.pth@refs/pr/3".into(), "hf:a/b/c.pth@refs/pr/3"),
            ("modelscope:damo/cv_x".into(), "modelscope:damo/cv_x"),
            ("https://modelscope.cn/models/damo/cv_x".into(), "modelscope:damo/cv_x"),
            ("https://www.modelscope.cn/models/damo/cv_x/summary".into(), "modelscope:damo/cv_x"),
            (
                "https://modelscope.cn/models/damo/cv_x/file/view/master/x.pt?status=2".into(),
                "modelscope:damo/cv_x/x.pt",
            ),
        ] {
            assert_eq!(parse(&text).as_deref(), Some(expected), "{text}");
            assert_eq!(parse(expected).as_deref(), Some(expected), "a reference is read as it is written");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("hf:a/{}", "b".repeat(300));
        for text in [
            "",
            "hf:",
            "hf:a",
            "beit",
            "hf:a/",
            "hf:/b",
            "hf:../b",
            "hf:a/b/../c",
            "hf:a/b@",
            "hf:a/b c",
            "hf:a/b/c#d",
            "civitai:a/b",
            "file:a/b",
            "https://evil.example/a/b",
            "https://huggingface.co/a",
            "https://huggingface.co",
            "https://modelscope.cn/datasets/a/b",
            "https://huggingface.co@evil.example/a/b",
            "javascript:a/b",
            &long,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn who_serves_it_is_the_hub_or_what_the_site_names() {
        let hubs = Hubs { hf: Some("https://hf-mirror.com".into()), modelscope: None };
        assert_eq!(host(LARGE, &Hubs::default()).as_deref(), Some("huggingface.co"));
        assert_eq!(host(LARGE, &hubs).as_deref(), Some("hf-mirror.com"));
        assert_eq!(host("modelscope:a/b", &hubs).as_deref(), Some("modelscope.cn"));
        assert_eq!(host("file:a.pth", &hubs), None);
    }
}

//! The headers that make the page fast (threads need cross-origin isolation) and safe, and what browsers may
//! keep for how long.

use super::files::File;

/// Sent with every file. The first two make the page cross-origin isolated; the policy is in index.html too, but
/// its workers know it only from here.
pub const EVERY_FILE: [(&str, &str); 6] = [
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", server::CONTENT_SECURITY_POLICY),
];

/// Files without a hash in their name are asked for again, which costs a round trip and no download.
pub const ASK_AGAIN: &str = "no-cache";
/// Files with a hash in their name never change.
pub const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A `_headers` file, as Cloudflare Pages and Netlify read it. Cloudflare joins the values of all rules
/// that match, so no two rules may set the same header for a file.
pub fn file(files: &[File]) -> String {
    let mut text = String::from("/*\n");
    for (name, value) in EVERY_FILE {
        text += &format!("  {name}: {value}\n");
    }
    for file in files.iter().filter(|file| file.path != "_headers") {
        let keep = if file.is_hashed() { FOR_EVER } else { ASK_AGAIN };
        // Both hosts serve index.html at its folder's address.
        let path = file.path.strip_suffix("index.html").unwrap_or(&file.path);
        // Weights are checked by their own hashes, and their names are many: the host's default will do.
        if !file.path.contains(".gguf-") {
            text += &format!("/{path}\n  Cache-Control: {keep}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_one_rule_for_how_long_it_is_kept() {
        let file = |path: &str| File { path: path.into(), bytes: 1 };
        let text = super::file(&[
            file("_headers"),
            file("index.html"),
            file("m.gguf-00001-of-00002"),
            file("web-0123456789abcdef.js"),
        ]);
        assert!(text.starts_with("/*\n  Cross-Origin-Opener-Policy: same-origin\n"), "{text}");
        assert!(text.contains("\n/\n  Cache-Control: no-cache\n"), "{text}");
        assert!(
            text.contains("\n/web-0123456789abcdef.js\n  Cache-Control: public, max-age=31536000"),
            "{text}"
        );
        assert!(!text.contains("gguf") && !text.contains("_headers"), "{text}");
    }
}

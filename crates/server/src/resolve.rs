//! A request's path → the file it means, never outside the root.

use std::path::{Path, PathBuf};

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// This regular file.
    File(PathBuf),
    /// The same place with a slash at the end, so that relative links in its index.html work.
    Redirect(String),
    /// Nothing that may be served.
    Nothing,
}

/// Finds what `path` (percent-encoded, without query) means below `root`, which must be canonical
/// and appears under `prefix`. A folder means its index.html. Links that lead out of `root` mean
/// nothing.
pub fn resolve(root: &Path, prefix: &str, path: &str) -> Resolved {
    if prefix.strip_suffix('/') == Some(path) {
        return Resolved::Redirect(prefix.to_owned());
    }
    find(root, prefix, path).unwrap_or(Resolved::Nothing)
}

fn find(root: &Path, prefix: &str, path: &str) -> Option<Resolved> {
    let below = percent_decode(path.strip_prefix(prefix)?)?;
    let names = below.strip_suffix('/').unwrap_or(&below);
    let wants_folder = below.is_empty() || below.ends_with('/');

    let mut file = root.to_owned();
    if !names.is_empty() {
        for name in names.split('/') {
            // A backslash and a colon separate names on some systems; an empty name would make the
            // redirect below start with two slashes, which names another host.
            if matches!(name, "" | "." | "..") || name.contains(['\\', ':', '\0']) {
                return None;
            }
            file.push(name);
        }
    }
    file = file.canonicalize().ok()?;
    if file.is_dir() && !wants_folder {
        return file.starts_with(root).then(|| Resolved::Redirect(format!("{path}/")));
    }
    if file.is_dir() {
        file = file.join("index.html").canonicalize().ok()?;
    } else if wants_folder {
        return None;
    }
    (file.starts_with(root) && file.is_file()).then_some(Resolved::File(file))
}

/// `None` where an escape is broken or the result is not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(percent_decode("a%20b%E7%8C%AB").as_deref(), Some("a b猫"));
        for broken in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(percent_decode(broken), None, "{broken}");
        }
    }
}

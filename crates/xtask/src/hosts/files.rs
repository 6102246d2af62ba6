//! The files of a built site.

use std::fs;
use std::io;
use std::path::Path;

/// One file.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Relative to the site, with slashes.
    pub path: String,
    pub bytes: u64,
}

impl File {
    /// Whether its name changes with its content, so that browsers may keep it for ever.
    pub fn is_hashed(&self) -> bool {
        let stem = self.path.split(['.', '_']).next().unwrap_or_default();
        stem.rsplit_once('-').is_some_and(|(_, hash)| {
            hash.len() >= HASH_DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
    }
}

/// Trunk writes a 64-bit hash in hexadecimal, without leading zeros.
pub const HASH_DIGITS: usize = 12;

/// All files of a site, in order of their paths.
pub fn list(site: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![(site.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), path + "/"));
            } else {
                files.push(File { path, bytes: entry.metadata()?.len() });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_in_the_name_is_known() {
        for (path, hashed) in [
            ("web-1f0c3a5b7d9e2468_bg.wasm", true),
            ("web-1f0c3a5b7d9e2468.js", true),
            ("base-1f0c3a5b7d9e24.css", true),
            ("index.html", false),
            ("workers/relaxed-threads/glue.js", false),
            ("models/demo/demo-vit-small-112-q8_0.gguf-00001-of-00002", false),
        ] {
            let file = File { path: path.into(), bytes: 1 };
            assert_eq!(file.is_hashed(), hashed, "{path}");
        }
    }
}

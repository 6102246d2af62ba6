//! Computes the hash by which a hub names a file's content.

use crate::content_hash::ContentHash;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Computes the kind of hash that is expected.
pub enum Hasher {
    Sha256(Sha256),
    GitBlob(Sha1),
}

impl Hasher {
    /// For a content of `length` bytes that `expected` is the hash of.
    pub fn new(expected: &ContentHash, length: u64) -> Self {
        match expected {
            ContentHash::Sha256(_) => Self::Sha256(Sha256::new()),
            ContentHash::GitBlob(_) => Self::GitBlob(Sha1::new_with_prefix(format!("blob {length}\0"))),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::GitBlob(hasher) => hasher.update(bytes),
        }
    }

    /// Lower-case hexadecimal.
    pub fn finish(self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sha256(hasher) => hex(&hasher.finalize()),
            Self::GitBlob(hasher) => hex(&hasher.finalize()),
        }
    }
}

/// SHA-256 of a text, lower-case hexadecimal.
pub fn sha256_of(text: &str) -> String {
    let mut hasher = Hasher::Sha256(Sha256::new());
    hasher.update(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_sha256sum_and_git() {
        // printf 'what is up, doc?' | sha256sum; … | git hash-object --stdin
        for hash in [
            "af4e812d13b4eae6da91024f15f7679dae49d40aee3fb4c7216b56d04193f46c",
            "bd9dbf5aae1a3862dd1526723246b20206e5fc37",
        ] {
            let expected = ContentHash::parse(&hash.to_uppercase()).unwrap();
            let mut hasher = Hasher::new(&expected, 16);
            hasher.update(b"what is ");
            hasher.update(b"up, doc?");
            assert_eq!(hasher.finish(), expected.hex());
        }
        assert_eq!(ContentHash::parse("5f-3c"), None);
        assert_eq!(ContentHash::parse(&"g".repeat(64)), None);
    }
}

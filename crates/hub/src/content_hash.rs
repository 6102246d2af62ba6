//! The hash by which a hub names a file's content.

/// A content's hash, lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentHash {
    /// Of the bytes: what large files are stored under.
    Sha256(String),
    /// Of `blob LENGTH\0` and the bytes, SHA-1: what Git names small files by.
    GitBlob(String),
}

impl ContentHash {
    /// Told by its length; `None` for what is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        match text.len() {
            _ if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) => None,
            64 => Some(Self::Sha256(text)),
            40 => Some(Self::GitBlob(text)),
            _ => None,
        }
    }

    /// Lower-case hexadecimal.
    pub fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::GitBlob(hex) => hex,
        }
    }

    /// What messages call it.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::GitBlob(_) => "Git hash",
        }
    }
}

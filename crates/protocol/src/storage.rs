//! Where the engine keeps weights in the browser's storage. The page looks there too: to tell how much there is
//! and of which models, and to clear it.
//!
//! | entry | holds |
//! |---|---|
//! | `…/<SHA-256>` | a verified shard: the same one for every model and site of this origin that has the same bytes |
//! | `…/manifest?of=<address>` | the manifest of the last model from there that was built whole |
//! | `…/coming?of=<address>` | the manifest of a model whose shards are on their way |
//! | `…/used?of=<address>` | when that model was last loaded: milliseconds since 1970 |
//! | `…/import?of=<address>` | the offer of an import that is under way |
//! | `…/piece?of=<number> <address>` | tensors of that import, quantised: pieces are numbered from 0 |
//! | `…/note?of=<name>` | a measurement of this machine |

mod inventory;

pub use inventory::{ABANDONED_MS, Inventory, StoredModel};

/// The name of the browser's cache (`caches.open`).
pub const SHARD_CACHE: &str = "beitscope-shards";

/// What an entry of the cache is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// By its SHA-256.
    Shard(String),
    /// The manifest of a model that was built whole, by its address, as the next two.
    Manifest(String),
    /// The manifest of a model whose shards are on their way.
    Coming(String),
    /// When the model was last loaded.
    Used(String),
    /// The offer of an import that is under way, by the address that the model will have.
    Import(String),
    /// Tensors of an import that is under way, by its address and the piece's number.
    Piece(String, u64),
    /// By its name.
    Note(String),
}

impl Key {
    /// The entry's path on the origin.
    pub fn path(&self) -> String {
        let (kind, of) = match self {
            Self::Shard(sha256) => return format!("/{SHARD_CACHE}/{sha256}"),
            Self::Piece(address, number) => {
                return format!("/{SHARD_CACHE}/piece?of={}", encode(&format!("{number} {address}")));
            }
            Self::Import(address) => ("import", address),
            Self::Manifest(url) => ("manifest", url),
            Self::Coming(url) => ("coming", url),
            Self::Used(url) => ("used", url),
            Self::Note(name) => ("note", name),
        };
        format!("/{SHARD_CACHE}/{kind}?of={}", encode(of))
    }

    /// Of a manifest's entry: its address, and whether the model's shards are still on their way.
    pub fn as_manifest(&self) -> Option<(&str, bool)> {
        match self {
            Self::Manifest(url) => Some((url, false)),
            Self::Coming(url) => Some((url, true)),
            Self::Shard(_) | Self::Used(_) | Self::Import(_) | Self::Piece(..) | Self::Note(_) => None,
        }
    }

    /// The entry at a path or address; none for what is no entry.
    pub fn of(path: &str) -> Option<Self> {
        let (_, entry) = path.split_once(&format!("/{SHARD_CACHE}/"))?;
        let Some((kind, of)) = entry.split_once("?of=") else {
            let is_sha256 = entry.len() == 64 && entry.bytes().all(|b| b.is_ascii_hexdigit());
            return is_sha256.then(|| Self::Shard(entry.into()));
        };
        let of = decode(of)?;
        Some(match kind {
            "manifest" => Self::Manifest(of),
            "coming" => Self::Coming(of),
            "used" => Self::Used(of),
            "import" => Self::Import(of),
            "piece" => {
                let (number, address) = of.split_once(' ')?;
                Self::Piece(address.into(), number.parse().ok()?)
            }
            "note" => Self::Note(of),
            _ => return None,
        })
    }
}

/// Like JavaScript's `encodeURIComponent`.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => encoded.push(byte.into()),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => encoded.push(byte.into()),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_path() {
        let url = "https://host/models/猫 & co/manifest.json?v=1#x'(2)".to_owned();
        for key in [
            Key::Shard("0a".repeat(32)),
            Key::Manifest(url.clone()),
            Key::Coming(url.clone()),
            Key::Used(url.clone()),
            Key::Import("import:hf:a/b c#q8_0".into()),
            Key::Piece("import:file:my model.pth#q8_0".into(), 17),
            Key::Note("gpu 1 % of".into()),
        ] {
            assert_eq!(Key::of(&key.path()), Some(key.clone()));
            assert_eq!(Key::of(&format!("https://origin{}", key.path())), Some(key));
        }
        // What JavaScript makes of it.
        let path = Key::Manifest("https://h/a b".into()).path();
        assert_eq!(path, "/beitscope-shards/manifest?of=https%3A%2F%2Fh%2Fa%20b");
        for other in [
            "/beitscope-shards/",
            "/elsewhere/x",
            "/beitscope-shards/moon?of=x",
            "/beitscope-shards/note?of=%4",
            "/beitscope-shards/piece?of=import%3Ahf",
            "/beitscope-shards/piece?of=x%20import%3Ahf",
        ] {
            assert_eq!(Key::of(other), None, "{other}");
        }
    }
}

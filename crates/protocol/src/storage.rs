//! Where the worker keeps weights in the browser's storage. The page looks there too: to tell how much there is
//! and of which models, and to clear it.

/// The name of the browser's cache (`caches.open`).
pub const SHARD_CACHE: &str = "beitscope-shards";

/// A verified shard's entry: the same one for every site of this origin that serves the same bytes.
pub fn shard_key(sha256: &str) -> String {
    format!("/{SHARD_CACHE}/{sha256}")
}

/// The entry of the manifest at an address, which is given as `encodeURIComponent` writes it.
pub fn manifest_key(encoded_address: &str) -> String {
    format!("/{SHARD_CACHE}/manifest?of={encoded_address}")
}

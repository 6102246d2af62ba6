//! A pickle inside an intact PyTorch archive, whose checksums would otherwise keep the fuzzer out.

#![no_main]

use checkpoint::network::Network;
use checkpoint::source::Source;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

#[path = "../archive.rs"]
mod archive;

const KEYS: [&str; 24] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "19", "20", "21", "22", "23",
];
const STORAGE: [u8; 64] = [0; 64];

fuzz_target!(|pickle: &[u8]| {
    let file = archive::pytorch(pickle, &KEYS.map(|key| (key, STORAGE.as_slice())));
    let Ok(source) = Source::from_bytes(Path::new("fuzzed.pth"), file) else { return };
    let _refusal_or_network = Network::new(source, "fuzzed").map(drop).map_err(|e| e.to_string());
});

//! A labels file: names, WordNet ids or JSON.

#![no_main]

use checkpoint::labels;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|file: &[u8]| {
    if let Ok(labels) = labels::read(Path::new("fuzzed"), file.to_vec()) {
        assert!(labels.len() <= file.len());
    }
});

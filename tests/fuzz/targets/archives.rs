//! A zip or tar file: what it lists lies within it.

#![no_main]

use archive::{tar, zip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let length = file.len() as u64;
    let tail = &file[file.len() - (length.min(zip::TAIL) as usize)..];
    for place in zip::directories(tail, length).unwrap_or_default() {
        let Some(directory) = file.get(place.range.start as usize..place.range.end as usize) else {
            panic!("a directory beyond the file");
        };
        for entry in zip::list(directory, &place).map(|listing| listing.entries).unwrap_or_default() {
            let range = entry.header();
            if let Some(header) = file.get(range.start as usize..range.end.min(length) as usize) {
                // What it says is checked against the file's length by whoever reads it.
                drop(entry.data(header));
            }
        }
    }
    let mut walk = tar::HeaderReader::new(length);
    let mut members = Vec::new();
    while let Some(range) = walk.wants() {
        assert!(range.end <= length, "it wants what the file has");
        match walk.give(&file[range.start as usize..range.end as usize]) {
            Ok(member) => members.extend(member),
            Err(_) => break,
        }
    }
    assert_eq!(tar::decode_names(&members).len(), members.len());
});

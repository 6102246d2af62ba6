//! `manifest.json` from anywhere: parsed, or refused with a reason. One that is accepted must survive being
//! written and read again.

#![no_main]

use beit::weights::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    match Manifest::parse(json) {
        Ok(manifest) => {
            let written = serde_json::to_vec(&manifest).expect("a manifest is plain data");
            assert_eq!(Manifest::parse(&written).expect("what was accepted once"), manifest);
            let sum: u64 = manifest.shards.iter().map(|shard| shard.bytes).sum();
            assert_eq!(sum, manifest.bytes);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

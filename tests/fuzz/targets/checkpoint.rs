//! A checkpoint file, whatever it is (safetensors or a PyTorch zip archive): told apart, read, held against
//! the network it claims to be, and its labels found.

#![no_main]

use checkpoint::labels;
use checkpoint::network::Network;
use checkpoint::source::Source;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|file: &[u8]| {
    let Ok(source) = Source::from_bytes(Path::new("fuzzed"), file.to_vec()) else { return };
    let names = source.class_names().to_vec();
    match Network::new(source, "fuzzed") {
        Ok(network) => {
            for (spec, parts) in network.tensors() {
                let values = network.values(parts).expect("was read already");
                assert_eq!(values.len(), spec.shape.iter().product::<usize>(), "{}", spec.name);
                assert!(values.iter().all(|v| v.is_finite()), "{}", spec.name);
            }
            let found = labels::find(None, &names, network.config.classes).expect("needs no file");
            assert_eq!(found.classes.labels.len(), network.config.classes);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

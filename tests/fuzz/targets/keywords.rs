//! A photo or a sidecar that gets keywords: the change can be undone, and there is nothing to change a second time.

#![no_main]

use keywords::{Change, Keywords, apply, embed, inverse, sidecar};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let wanted = Keywords { subjects: vec!["tabby".into()], paths: vec!["cat|tabby".into()] };
    let changed = |change: &Change| {
        let new = apply(file, &change.splices).expect("the change fits the file");
        let back = inverse(file, &change.splices).expect("the change fits the file");
        assert_eq!(apply(&new, &back).as_deref(), Some(file));
        new
    };
    if let Ok(Some(change)) = embed(file, &wanted) {
        assert_eq!(embed(&changed(&change), &wanted), Ok(None));
    }
    if let Ok(Some(change)) = sidecar(Some(file), &wanted) {
        assert_eq!(sidecar(Some(&changed(&change)), &wanted), Ok(None));
    }
});

//! The built workers and decoders, taken apart: a module with one instruction that a browser does not know is refused
//! as a whole, so each build must keep to its own.

use std::collections::BTreeSet;
use std::fs;
use tests::site;
use wasmparser::{Operator, Parser, Payload};

/// The WebAssembly proposal that an operator came with.
macro_rules! proposal_of {
    ($( @$proposal:ident $operator:ident $({ $($field:ident: $kind:ty),* })? => $visit:ident $annotation:tt )*) => {
        fn proposal(operator: &Operator) -> &'static str {
            match operator {
                $( Operator::$operator { .. } => stringify!($proposal), )*
                _ => "unknown",
            }
        }
    };
}
wasmparser::for_each_operator!(proposal_of);

/// What all browsers with SIMD know.
const KNOWN: [&str; 6] =
    ["mvp", "sign_extension", "saturating_float_to_int", "bulk_memory", "reference_types", "simd"];

/// A module of the built site.
fn module(path: &str) -> Vec<u8> {
    let path = site::dist().join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The proposals that a module's code uses, and how many instructions it has.
fn proposals(module: &[u8]) -> (BTreeSet<&'static str>, usize) {
    let (mut used, mut count) = (BTreeSet::new(), 0);
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CodeSectionEntry(body) = payload.expect("a module") else { continue };
        for operator in body.get_operators_reader().expect("a body") {
            used.insert(proposal(&operator.expect("an operator")));
            count += 1;
        }
    }
    (used, count)
}

#[test]
fn no_build_has_instructions_that_its_browsers_may_not_know() {
    for (build, threads, relaxed) in
        [("simd128", false, false), ("simd128-threads", true, false), ("relaxed-threads", true, true)]
    {
        let (used, count) = proposals(&module(&format!("workers/{build}/glue_bg.wasm")));
        println!("{build}: {count} instructions of {used:?}");
        assert!(count > 100_000, "{build} has only {count} instructions: is that the worker?");
        assert!(used.contains("simd"), "{build}: {used:?}");
        assert_eq!(used.contains("relaxed_simd"), relaxed, "{build}: {used:?}");
        assert_eq!(used.contains("threads"), threads, "{build}: {used:?}");
        let known = [&KNOWN[..], &["threads", "relaxed_simd"]].concat();
        let unknown: Vec<_> = used.iter().filter(|proposal| !known.contains(proposal)).collect();
        assert!(unknown.is_empty(), "{build} uses {unknown:?} too");
    }
}

/// They run in every browser, and the worker gives them nothing.
#[test]
fn decoders_keep_to_what_all_browsers_know_and_import_nothing() {
    for format in ["heic", "jpeg-xl", "jpeg-2000"] {
        let module = module(&format!("codecs/{format}.wasm"));
        let (used, count) = proposals(&module);
        assert!(count > 50_000, "{format} has only {count} instructions: is that a decoder?");
        let unknown: Vec<_> = used.iter().filter(|proposal| !KNOWN.contains(proposal)).collect();
        assert!(unknown.is_empty(), "{format} uses {unknown:?} too");
        let mut exported = BTreeSet::new();
        for payload in Parser::new(0).parse_all(&module) {
            match payload.expect("a module") {
                Payload::ImportSection(imports) => assert_eq!(imports.count(), 0, "{format}"),
                Payload::ExportSection(exports) => {
                    exported.extend(exports.into_iter().map(|export| export.expect("an export").name));
                }
                _ => {}
            }
        }
        assert!(["memory", "allocate", "decode"].iter().all(|name| exported.contains(name)), "{exported:?}");
    }
}

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

/// The modules that are fetched when they are needed, how many instructions each has at least, and the function that does
/// its work.
const ON_DEMAND: [(&str, usize, &str); 5] = [
    ("heic", 50_000, "decode"),
    ("jpeg-xl", 50_000, "decode"),
    ("jpeg-2000", 50_000, "decode"),
    ("archive-names", 5_000, "decode"),
    ("keyword-writer", 5_000, "reply"),
];

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

/// Bytes of a function's body, at most: compilers of some browsers take time and memory out of proportion for functions
/// of several hundred kilobytes.
const LARGEST_FUNCTION: usize = 64 << 10;

#[test]
fn no_function_is_too_large_for_a_browsers_compiler() {
    let page =
        fs::read_dir(site::dist()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let page = page.filter(|name| name.ends_with("_bg.wasm"));
    let workers = ["simd128", "simd128-threads", "relaxed-threads"]
        .map(|build| format!("workers/{build}/glue_bg.wasm"));
    let on_demand = ON_DEMAND.map(|(name, ..)| format!("codecs/{name}.wasm"));
    let modules: Vec<String> = page.chain(workers).chain(on_demand).collect();
    assert_eq!(modules.len(), 9, "{modules:?}");
    for path in modules {
        let module = module(&path);
        let bodies =
            Parser::new(0).parse_all(&module).filter_map(|payload| match payload.expect("a module") {
                Payload::CodeSectionEntry(body) => Some(body.range().len()),
                _ => None,
            });
        let largest = bodies.max().expect("functions");
        println!("{path}: {largest} bytes in its largest function");
        assert!(largest <= LARGEST_FUNCTION, "{path}: {largest} bytes in one function");
    }
}

/// They run in every browser, and get nothing from whoever runs them.
#[test]
fn modules_on_demand_keep_to_what_all_browsers_know_and_import_nothing() {
    for (name, least, function) in ON_DEMAND {
        let module = module(&format!("codecs/{name}.wasm"));
        let (used, count) = proposals(&module);
        assert!(count > least, "{name} has only {count} instructions: is that the module?");
        let unknown: Vec<_> = used.iter().filter(|proposal| !KNOWN.contains(proposal)).collect();
        assert!(unknown.is_empty(), "{name} uses {unknown:?} too");
        let mut exported = BTreeSet::new();
        for payload in Parser::new(0).parse_all(&module) {
            match payload.expect("a module") {
                Payload::ImportSection(imports) => assert_eq!(imports.count(), 0, "{name}"),
                Payload::ExportSection(exports) => {
                    exported.extend(exports.into_iter().map(|export| export.expect("an export").name));
                }
                _ => {}
            }
        }
        assert!(["memory", "allocate", function].iter().all(|name| exported.contains(name)), "{exported:?}");
    }
}

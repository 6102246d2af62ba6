//! The built workers, taken apart: a module with one instruction that a browser does not know is refused
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

/// The proposals that a built worker's code uses, and how many instructions it has.
fn proposals(build: &str) -> (BTreeSet<&'static str>, usize) {
    let path = site::dist().join("workers").join(build).join("glue_bg.wasm");
    let module = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut used, mut count) = (BTreeSet::new(), 0);
    for payload in Parser::new(0).parse_all(&module) {
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
        let (used, count) = proposals(build);
        println!("{build}: {count} instructions of {used:?}");
        assert!(count > 100_000, "{build} has only {count} instructions: is that the worker?");
        assert!(used.contains("simd"), "{build}: {used:?}");
        assert_eq!(used.contains("relaxed_simd"), relaxed, "{build}: {used:?}");
        assert_eq!(used.contains("threads"), threads, "{build}: {used:?}");
        // All that browsers with SIMD know.
        let known = [
            "mvp",
            "sign_extension",
            "saturating_float_to_int",
            "bulk_memory",
            "reference_types",
            "simd",
            "threads",
            "relaxed_simd",
        ];
        let unknown: Vec<_> = used.iter().filter(|proposal| !known.contains(proposal)).collect();
        assert!(unknown.is_empty(), "{build} uses {unknown:?} too");
    }
}

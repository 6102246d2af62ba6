//! The builds of the worker. A wasm module with one unknown instruction is refused as a whole, so
//! each instruction set has its own build, and a probe module for each asks the browser's validator, never
//! its name.

use crate::isolation;
use js_sys::{Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::JsValue;
use web_sys::MessageChannel;

/// A build of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerBuild {
    /// Fixed-width SIMD, one thread.
    Simd128,
    /// Fixed-width SIMD on shared memory.
    Simd128Threads,
    /// Relaxed SIMD on shared memory.
    RelaxedThreads,
}

impl WorkerBuild {
    const ALL: [Self; 3] = [Self::Simd128, Self::Simd128Threads, Self::RelaxedThreads];

    /// Its folder below `workers/`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simd128 => "simd128",
            Self::Simd128Threads => "simd128-threads",
            Self::RelaxedThreads => "relaxed-threads",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|build| build.name() == name)
    }

    /// The build's entry, relative to the page.
    pub fn entry(self) -> String {
        format!("workers/{}/worker.js", self.name())
    }

    /// Whether it runs on shared memory.
    pub fn has_threads(self) -> bool {
        self != Self::Simd128
    }

    /// Whether a browser of these abilities can run it.
    pub fn runs_with(self, abilities: &Abilities) -> bool {
        abilities.simd128
            && (abilities.shared_memory || !self.has_threads())
            && (abilities.relaxed_simd || self != Self::RelaxedThreads)
    }

    /// Whether it runs and shared memory is of use to it: with fixed-width SIMD it is for threads alone.
    fn suits(self, abilities: &Abilities) -> bool {
        self.runs_with(abilities) && (abilities.sharing || self != Self::Simd128Threads)
    }

    /// The fastest that suits a browser of these abilities.
    pub fn fastest(abilities: &Abilities) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|build| build.suits(abilities))
    }
}

/// What the browser can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    pub simd128: bool,
    pub relaxed_simd: bool,
    /// Memory that threads can share, and what Rust's futures on it need.
    pub shared_memory: bool,
    /// The page is cross-origin isolated, without which it may not hand such memory to other threads.
    pub isolated: bool,
    /// It can hand it to them. WebKit as GTK has it refuses that to isolated pages too.
    pub sharing: bool,
    /// Logical processors; some browsers tell fewer than there are.
    pub cores: usize,
}

impl Abilities {
    /// Asks the browser.
    pub fn probe() -> Self {
        let window = web_sys::window();
        let cores = window.as_ref().map_or(1.0, |window| window.navigator().hardware_concurrency());
        let isolated = window.as_ref().is_some_and(isolation::is_isolated);
        let memory = understands(THREADS).then(shared_memory).flatten().filter(|_| can_wait());
        Self {
            simd128: understands(SIMD128),
            relaxed_simd: understands(RELAXED_SIMD),
            shared_memory: memory.is_some(),
            isolated,
            sharing: isolated && memory.is_some_and(|memory| can_send(&memory)),
            cores: (cores as usize).max(1),
        }
    }
}

/// A function `() -> v128` that returns a constant.
const SIMD128: &[u8] = &[
    0x00, b'a', b's', b'm', 1, 0, 0, 0, // magic, version
    0x01, 5, 1, 0x60, 0, 1, 0x7b, // types: one, no parameters, one v128
    0x03, 2, 1, 0, // functions: one, of type 0
    0x0a, 22, 1, 20, 0, // code: one body of 20 bytes, no locals
    0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    // v128.const 0
    0x0b, // end
];

/// A function `(v128, v128, v128) -> v128` with both dot products of relaxed SIMD.
const RELAXED_SIMD: &[u8] = &[
    0x00, b'a', b's', b'm', 1, 0, 0, 0, // magic, version
    0x01, 8, 1, 0x60, 3, 0x7b, 0x7b, 0x7b, 1, 0x7b, // types: one, three v128, one v128
    0x03, 2, 1, 0, // functions: one, of type 0
    0x0a, 18, 1, 16, 0, // code: one body of 16 bytes, no locals
    0x20, 0, 0x20, 1, 0xfd, 0x92, 2, // i16x8.relaxed_dot_i8x16_i7x16 of the first two
    0x20, 1, 0x20, 2, 0xfd, 0x93, 2,    // i32x4.relaxed_dot_i8x16_i7x16_add of that and the other two
    0x0b, // end
];

/// A function on shared memory that loads a number atomically.
const THREADS: &[u8] = &[
    0x00, b'a', b's', b'm', 1, 0, 0, 0, // magic, version
    0x01, 4, 1, 0x60, 0, 0, // types: one, no parameters, no results
    0x03, 2, 1, 0, // functions: one, of type 0
    0x05, 4, 1, 3, 1, 1, // memory: shared, one page at least and at most
    0x0a, 11, 1, 9, 0, // code: one body of 9 bytes, no locals
    0x41, 0, 0xfe, 0x10, 2, 0, 0x1a, // i32.const 0, i32.atomic.load, drop
    0x0b, // end
];

fn understands(module: &[u8]) -> bool {
    WebAssembly::validate(&Uint8Array::from(module)).unwrap_or(false)
}

/// Shared memory, if it can be had, which is another question than whether its instructions are known.
fn shared_memory() -> Option<WebAssembly::Memory> {
    let descriptor = Object::new();
    let set = |name: &str, value: JsValue| Reflect::set(&descriptor, &name.into(), &value).is_ok();
    let is_set = set("initial", 1.into()) && set("maximum", 1.into()) && set("shared", true.into());
    WebAssembly::Memory::new(&descriptor).ok().filter(|_| is_set)
}

/// Whether a page may send this memory: having it is not enough.
fn can_send(memory: &WebAssembly::Memory) -> bool {
    let buffer = Reflect::get(&js_sys::global(), &"SharedArrayBuffer".into());
    let Ok(channel) = MessageChannel::new() else { return false };
    let sent = channel.port1().post_message(memory);
    channel.port1().close();
    sent.is_ok() && buffer.is_ok_and(|constructor| constructor.is_function())
}

/// Whether a thread can wait without being held up. Rust's futures use it, and where it is missing they would
/// start a worker from a `data:` address.
fn can_wait() -> bool {
    let atomics = Reflect::get(&js_sys::global(), &"Atomics".into());
    let wait = atomics.and_then(|atomics| Reflect::get(&atomics, &"waitAsync".into()));
    wait.is_ok_and(|wait| wait.is_function())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{Validator, WasmFeatures};

    /// Each probe is a valid module that needs its feature.
    #[test]
    fn each_probe_asks_for_its_feature() {
        for (probe, feature) in [
            (SIMD128, WasmFeatures::SIMD),
            (RELAXED_SIMD, WasmFeatures::RELAXED_SIMD),
            (THREADS, WasmFeatures::THREADS),
        ] {
            let all = WasmFeatures::all();
            let valid = |features| Validator::new_with_features(features).validate_all(probe).map(drop);
            assert!(valid(all).is_ok(), "{feature:?}: {:?}", valid(all));
            // Relaxed SIMD is nothing without SIMD.
            let without =
                if feature == WasmFeatures::SIMD { feature | WasmFeatures::RELAXED_SIMD } else { feature };
            assert!(valid(all.difference(without)).is_err(), "{feature:?} is not asked for");
        }
    }

    const ALL: Abilities = Abilities {
        simd128: true,
        relaxed_simd: true,
        shared_memory: true,
        isolated: true,
        sharing: true,
        cores: 8,
    };

    #[test]
    fn the_fastest_build_is_what_the_browser_can_run() {
        let all = ALL;
        for (abilities, fastest) in [
            (all, Some(WorkerBuild::RelaxedThreads)),
            (Abilities { relaxed_simd: false, ..all }, Some(WorkerBuild::Simd128Threads)),
            (Abilities { shared_memory: false, sharing: false, ..all }, Some(WorkerBuild::Simd128)),
            (Abilities { sharing: false, ..all }, Some(WorkerBuild::RelaxedThreads)),
            (Abilities { relaxed_simd: false, sharing: false, ..all }, Some(WorkerBuild::Simd128)),
            (Abilities { simd128: false, ..all }, None),
        ] {
            assert_eq!(WorkerBuild::fastest(&abilities), fastest, "{abilities:?}");
        }
    }

    /// `web/embed` chooses for other pages, in JavaScript, by the same rules.
    #[test]
    fn the_embedded_module_has_the_same_probes_and_builds() {
        let script = include_str!("../embed/builds.js");
        for (name, probe) in [("simd128", SIMD128), ("relaxedSimd", RELAXED_SIMD), ("threads", THREADS)] {
            let digits: String = probe.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(script.contains(&format!("{name}: \"{digits}\"")), "{name}: {digits}");
        }
        // Fastest first, each with what it needs.
        let needs = |build: WorkerBuild| {
            let without = [
                ("simd128", Abilities { simd128: false, ..ALL }),
                ("relaxedSimd", Abilities { relaxed_simd: false, ..ALL }),
                ("sharedMemory", Abilities { shared_memory: false, ..ALL }),
                ("sharing", Abilities { sharing: false, ..ALL }),
            ];
            let needed = without.iter().filter(|(_, abilities)| !build.suits(abilities));
            needed.map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
        };
        let build =
            |build: WorkerBuild| format!("{{ name: \"{}\", needs: [{}] }}", build.name(), needs(build));
        let builds: Vec<String> = WorkerBuild::ALL.into_iter().rev().map(build).collect();
        assert!(script.contains(&builds.join(",\n  ")), "{builds:#?}");
    }

    #[test]
    fn builds_go_by_the_names_of_their_folders() {
        for build in WorkerBuild::ALL {
            assert_eq!(WorkerBuild::named(build.name()), Some(build));
        }
        assert_eq!(WorkerBuild::named("avx2"), None);
    }
}

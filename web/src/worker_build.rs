//! Which build of the worker this browser can run. A wasm module with one unknown instruction is
//! refused as a whole, so each instruction set has its own build, and a probe module for each asks
//! the browser's validator, never its name.

use js_sys::{Uint8Array, WebAssembly};

/// A build of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerBuild {
    /// Fixed-width SIMD, one thread.
    Simd128,
}

impl WorkerBuild {
    /// The best build that this browser can run.
    pub fn best() -> Option<Self> {
        understands(SIMD128_PROBE).then_some(Self::Simd128)
    }

    /// The build's entry, relative to the page.
    pub fn entry(self) -> &'static str {
        match self {
            Self::Simd128 => "workers/simd128/worker.js",
        }
    }
}

/// A module with one function `() -> v128` that returns a constant.
const SIMD128_PROBE: &[u8] = &[
    0x00, b'a', b's', b'm', 1, 0, 0, 0, // magic, version
    0x01, 5, 1, 0x60, 0, 1, 0x7b, // types: one, no parameters, one v128
    0x03, 2, 1, 0, // functions: one, of type 0
    0x0a, 22, 1, 20, 0, // code: one body of 20 bytes, no locals
    0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    // v128.const 0
    0x0b, // end
];

fn understands(module: &[u8]) -> bool {
    WebAssembly::validate(&Uint8Array::from(module)).unwrap_or(false)
}

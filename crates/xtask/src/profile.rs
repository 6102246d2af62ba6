//! How the page and its workers are compiled.

use std::process::Command;

/// The workspace's profile for both: what they are linked from is compiled once.
pub const CARGO_PROFILE: &str = "wasm";

/// How they are linked, and what is done to the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// For `serve` and the tests: thin LTO, which takes a fraction of the time, and no wasm-opt.
    Dev,
    /// For visitors: whole-program optimisation, then wasm-opt.
    Release,
}

impl Profile {
    /// What tells this one's output from the other's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    /// The folder that the site is built into unless another is named.
    pub fn site(self) -> &'static str {
        match self {
            Self::Dev => "target/site",
            Self::Release => "dist",
        }
    }

    pub fn is_release(self) -> bool {
        self == Self::Release
    }

    /// Lets cargo, or Trunk, which runs it, link in this way.
    pub fn apply(self, command: &mut Command) {
        if self == Self::Dev {
            command.env("CARGO_PROFILE_WASM_LTO", "thin");
        }
    }
}

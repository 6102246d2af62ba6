//! How the page and its workers are compiled.

/// A profile of the workspace's Cargo.toml, and what is done to its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// For `serve` and the tests: linked in a fraction of the time, not passed through wasm-opt.
    Dev,
    /// For visitors: whole-program optimisation, then wasm-opt.
    Release,
}

impl Profile {
    /// Its name in Cargo.toml, and of its folder below cargo's target folder.
    pub fn cargo_name(self) -> &'static str {
        match self {
            Self::Dev => "wasm-dev",
            Self::Release => "wasm",
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
}

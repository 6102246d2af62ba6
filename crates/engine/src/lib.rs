//! What the web worker decides, as plain Rust that is tested without a browser. `crates/worker` measures and acts.

pub mod device_selection;

//! How fast one thread rounds weights: megabytes of F32 a second, the best of many short runs, so that other work on the
//! machine matters little.
//!
//! ```sh
//! RAYON_NUM_THREADS=1 cargo run --release -p checkpoint --example bench_rounding
//! ```

use beit::config::Config;
use beit::weights::Storage;
use checkpoint::{quantize, seeded};
use std::time::Instant;

const RUNS: usize = 200;
/// Values in a run: some milliseconds of rounding.
const VALUES: usize = 1 << 16;

fn main() {
    let config = Config::beitv2_large();
    let linear = config.tensors().into_iter().find(|spec| spec.name == "blocks.0.attn.proj.weight");
    let weights = seeded::tensor(&config, &linear.expect("a tensor of the network"));
    let weights = &weights[..VALUES];
    for (name, storage) in [("q8_0", Storage::Q8_0), ("q4_0", Storage::Q4_0)] {
        let seconds = || {
            let begun = Instant::now();
            std::hint::black_box(quantize::encode(storage, weights));
            begun.elapsed().as_secs_f64()
        };
        let best = (0..RUNS).map(|_| seconds()).fold(f64::INFINITY, f64::min);
        println!("{name}: {:.0} MB/s", size_of_val(weights) as f64 / best / 1e6);
    }
}

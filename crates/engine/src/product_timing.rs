//! How long one matrix product of a network's shape takes on the processor.

use beit::config::Config;
use kernels::{Activation, BLOCK, Isa, Output, PackedWeights, QuantizedActivations, WeightFormat, gemm};

/// Runs of which the fastest counts; a browser compiles a function well only after it has run for a while.
const RUNS: usize = 6;
/// A run is of so many products that it takes this long at least: some browsers' clocks are coarse.
const LEAST_RUN_MS: f64 = 4.0;
const MOST_PRODUCTS: u32 = 1 << 10;

/// Milliseconds of one product of the MLP's shape on the threads there are. The network itself need not be in memory
/// for that. `now` is a clock in milliseconds.
pub fn product_ms(config: &Config, isa: Isa, format: WeightFormat, now: impl Fn() -> f64) -> f64 {
    let (rows, k, n) = (config.tokens(), config.width, config.mlp_width);
    let blocks = vec![1; n * k / BLOCK * format.block_bytes()];
    let w = PackedWeights::pack(format, n, k, blocks).expect("codes of 1, or of nibbles 1, and a tiny scale");
    let x: Vec<f32> = (0..rows * k).map(|i| (i % 255) as f32 - 127.0).collect();
    let mut activations = QuantizedActivations::default();
    activations.quantize(isa, format, &x, rows, k);
    let mut out = vec![0.0; rows * n];
    let mut run = |products: u32| {
        let begun = now();
        for _ in 0..products {
            gemm(isa, &activations, &w, None, Activation::None, Output::Values(&mut out));
        }
        now() - begun
    };
    let mut products = 1;
    while run(products) < LEAST_RUN_MS && products < MOST_PRODUCTS {
        products *= 2;
    }
    let best = (0..RUNS).map(|_| run(products)).fold(f64::INFINITY, f64::min);
    best / f64::from(products)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_coarse_clock_still_gives_a_time() {
        let config =
            Config { image_size: 32, width: 32, depth: 1, heads: 1, mlp_width: 64, ..Config::beitv2_large() };
        // Each product moves it by a tenth, and it shows whole tens: like a browser's that hides how fast a machine is.
        let time = Cell::new(0.0);
        let coarse = || {
            time.set(time.get() + 0.1);
            f64::floor(time.get() / 10.0) * 10.0
        };
        assert!(product_ms(&config, Isa::Scalar, WeightFormat::Q8_0, coarse).is_finite());
        let ticks = Cell::new(0.0);
        let fine = || {
            ticks.set(ticks.get() + 5.0);
            ticks.get()
        };
        assert_eq!(product_ms(&config, Isa::Scalar, WeightFormat::Q4_0, fine), 5.0);
    }
}

//! Which instruction set is fastest here, found by timing a small product.

use crate::{Activation, BLOCK, Isa, Output, PackedWeights, QuantizedActivations, WeightFormat, gemm};

/// Milliseconds that [`Isa::fastest`] may take. A browser compiles a function well only after it has
/// run for a while, in the background; before that, times say nothing.
const BUDGET_MS: f64 = 250.0;

const ROWS: usize = 48;
const N: usize = 32;
const K: usize = 1024;

impl Isa {
    /// The variant with the fastest product of `format` weights on this machine, by taking the
    /// available ones in turns for a quarter of a second, and how many times as long the next one takes. `now` is
    /// a clock in milliseconds. With a single variant beside the reference nothing is timed, and the lead is
    /// infinite.
    pub fn fastest(format: WeightFormat, now: impl Fn() -> f64) -> (Isa, f64) {
        let mut candidates = Isa::available();
        if candidates.len() > 1 {
            candidates.retain(|&isa| isa != Isa::Scalar);
        }
        if let [only] = candidates[..] {
            return (only, f64::INFINITY);
        }
        let blocks = vec![1; N * K / BLOCK * format.block_bytes()];
        let w =
            PackedWeights::pack(format, N, K, blocks).expect("codes of 1, or of nibbles 1, and a tiny scale");
        let x: Vec<f32> = (0..ROWS * K).map(|i| (i % 255) as f32 - 127.0).collect();
        let activations = candidates.iter().map(|&isa| {
            let mut a = QuantizedActivations::default();
            a.quantize(isa, format, &x, ROWS, K);
            a
        });
        let activations: Vec<_> = activations.collect();
        let mut out = vec![0.0; ROWS * N];

        let mut best = vec![f64::INFINITY; candidates.len()];
        let begin = now();
        while now() - begin < BUDGET_MS {
            for (i, &isa) in candidates.iter().enumerate() {
                let start = now();
                // Four at a time: browsers' clocks are coarse.
                for _ in 0..4 {
                    gemm(isa, &activations[i], &w, None, Activation::None, Output::Values(&mut out));
                }
                best[i] = best[i].min(now() - start);
            }
        }
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by(|&i, &j| best[i].total_cmp(&best[j]));
        (candidates[order[0]], best[order[1]] / best[order[0]])
    }
}

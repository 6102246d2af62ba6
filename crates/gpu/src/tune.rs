//! Chooses each product's tile by timing, after each variant gave right results.

use crate::gpu::Gpu;
use crate::kernel::{Kernel, Tile};
use crate::random::Random;
use crate::tiles::{Choice, Tiles};
use crate::weights::{Format, PANEL};
use beit::backend::{Activation, Arithmetic, Backend, BackendError, Linear};
use beit::config::Config;
use beit::weights::TensorData;
use kernels::{DenseWeights, Isa, Output, PackedWeights, QuantizedActivations, WeightFormat};

/// Milliseconds that a run of one product lasts at least, by repeating it: the clocks of browsers have steps of 0.1 ms.
const RUN_MS: f64 = 2.0;
/// The most repetitions in a run: also the end for a clock that stands still.
const MOST_CALLS: usize = 16;
/// The best of so many runs counts.
const RUNS: usize = 3;
/// What would take longer than so many milliseconds in all is decided by size.
const MOST_MS: f64 = 1_000.0;

/// Rows, columns and depth of the product that checks a variant: on both sides of every tile's edge.
const CHECKED: [usize; 3] = [130, 129, 96];
/// The most that a result may differ from its reference, relative to the larger of 1 and the expected magnitude: F32
/// summed in another order, and F16's 11 bits.
const TOLERANCE: f32 = 1e-4;
const TOLERANCE_F16: f32 = 1e-2;

/// A size of product that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    rows: usize,
    n: usize,
    k: usize,
}

impl Gpu {
    /// Times a network's products with each tile in these arithmetics, alone and with `most_photos` in a pass, and uses
    /// the fastest from now on. Timing takes a second at most, beside compiling what is not compiled yet; a tile whose
    /// results are wrong on this device is never chosen. `now` gives milliseconds.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn tune(
        &self,
        config: &Config,
        format: Format,
        arithmetics: &[Arithmetic],
        most_photos: usize,
        now: &dyn Fn() -> f64,
    ) -> Result<Tiles, BackendError> {
        // Without compiling, which a network needs anyway.
        let mut spent = 0.0;
        let before = self.arithmetic();
        let mut tiles = Tiles::default();
        for &arithmetic in arithmetics {
            if !self.set_arithmetic(arithmetic) {
                continue;
            }
            let mut right = Vec::new();
            for tile in Tile::ALL {
                if self.is_right(format, tile).await? {
                    right.push(tile);
                }
            }
            for size in sizes(config, most_photos) {
                let begun = now();
                let fastest = self.fastest(format, size, &right, MOST_MS - spent, now).await?;
                spent += now() - begun;
                // The later sizes are larger.
                let Some(tile) = fastest else { break };
                let (rows, panels) = (size.rows, size.n.div_ceil(PANEL));
                tiles.push(Choice { format, arithmetic, rows, panels, tile });
            }
        }
        self.set_arithmetic(before);
        self.set_tiles(tiles.clone());
        Ok(tiles)
    }

    /// The tile of `candidates` with which a product of this size takes the least time; none where timing them would take
    /// longer than `most_ms`, as one run of the first foretells.
    async fn fastest(
        &self,
        format: Format,
        size: Size,
        candidates: &[Tile],
        most_ms: f64,
        now: &dyn Fn() -> f64,
    ) -> Result<Option<Tile>, BackendError> {
        if most_ms <= 0.0 {
            return Ok(None);
        }
        let Size { rows, n, k } = size;
        let linear =
            Linear::<Self> { weight: self.blank_matrix(format, n, k)?, bias: self.vector(vec![0.0; n])? };
        // Whatever it holds.
        let x = self.tokens(1, rows, k)?;
        let end = self.upload(&[0.0; 4], 1, 1, 4)?;
        let run = async |tile: Tile, calls: usize| {
            let begun = now();
            for _ in 0..calls {
                self.product(&x, &linear, Activation::None, tile)?;
            }
            // Read after everything recorded before.
            self.read(&end).await?;
            Ok::<f64, BackendError>(now() - begun)
        };
        let Some(&first) = candidates.first() else { return Ok(None) };
        // The first run allocates.
        run(first, 1).await?;
        let mut ms = run(first, 1).await?;
        if ms * (candidates.len() * RUNS + 1) as f64 > most_ms {
            return Ok(None);
        }
        let mut calls = 1;
        while ms < RUN_MS && calls < MOST_CALLS {
            calls *= 2;
            ms = run(first, calls).await?;
        }
        let mut best: Option<(f64, Tile)> = None;
        // In turn, so that what else the device does meets all of them.
        for _ in 0..RUNS {
            for &tile in candidates {
                let ms = run(tile, calls).await?;
                if best.is_none_or(|(least, _)| ms < least) {
                    best = Some((ms, tile));
                }
            }
        }
        Ok(best.map(|(_, tile)| tile))
    }

    /// Whether a product with this tile gives the processor's results.
    async fn is_right(&self, format: Format, tile: Tile) -> Result<bool, BackendError> {
        let arithmetic = self.arithmetic();
        let kernel = Kernel::product(format, arithmetic, tile);
        let needed = if kernel.is_of_codes() { vec![Kernel::Quantize, kernel] } else { vec![kernel] };
        self.prepare(&needed, |_| ()).await?;
        let [rows, n, k] = CHECKED;
        let mut random = Random(0x71E5);
        let x: Vec<f32> = (0..rows * k).map(|_| random.spread(1.0)).collect();
        let (data, expected) = reference(format, arithmetic, &x, &mut random)?;
        let linear = Linear::<Self> { weight: self.matrix(n, k, data)?, bias: self.vector(vec![0.0; n])? };
        let x = self.upload(&x, 1, rows, k)?;
        let got = self.read(&self.product(&x, &linear, Activation::None, tile)?).await?;
        let tolerance = if arithmetic == Arithmetic::F16 { TOLERANCE_F16 } else { TOLERANCE };
        Ok(are_near(&got, &expected, tolerance))
    }
}

/// The products of a block for one photo, and the widest for as many as go together, where workgroups are no longer few;
/// the smallest first.
fn sizes(config: &Config, most_photos: usize) -> Vec<Size> {
    let (width, tokens) = (config.width, config.tokens());
    let size = |photos: usize, n, k| Size { rows: photos * tokens, n, k };
    let mut sizes = vec![size(1, width, width), size(1, 3 * width, width), size(1, config.mlp_width, width)];
    if most_photos > 1 {
        sizes.push(size(most_photos, config.mlp_width, width));
    }
    sizes
}

/// Random weights, and the product that is expected of them.
fn reference(
    format: Format,
    arithmetic: Arithmetic,
    x: &[f32],
    random: &mut Random,
) -> Result<(TensorData, Vec<f32>), BackendError> {
    let [rows, n, k] = CHECKED;
    let isa = Isa::best();
    let mut expected = vec![f32::NAN; rows * n];
    let format = match format {
        Format::F32 => {
            let values: Vec<f32> = (0..n * k).map(|_| random.spread(0.1)).collect();
            let weights = DenseWeights::pack(n, k, &values);
            kernels::dense(isa, x, &weights, None, Activation::None, &mut expected);
            return Ok((TensorData::Dense(values), expected));
        }
        Format::Q8_0 => WeightFormat::Q8_0,
        Format::Q4_0 => WeightFormat::Q4_0,
    };
    let bytes = random.blocks(format, n, k);
    let weights = PackedWeights::pack(format, n, k, bytes.clone())?;
    if arithmetic == Arithmetic::Int8 {
        let mut quantized = QuantizedActivations::default();
        quantized.quantize(isa, format, x, rows, k);
        let out = Output::Values(&mut expected);
        kernels::gemm(isa, &quantized, &weights, None, Activation::None, out);
    } else {
        let weights = DenseWeights::pack(n, k, &weights.dequantize());
        kernels::dense(isa, x, &weights, None, Activation::None, &mut expected);
    }
    Ok((TensorData::Blocks { format, bytes }, expected))
}

/// No value differs by more than `tolerance`; a NaN does.
fn are_near(got: &[f32], expected: &[f32], tolerance: f32) -> bool {
    let near = |(got, expected): (&f32, &f32)| (got - expected).abs() <= tolerance * expected.abs().max(1.0);
    got.len() == expected.len() && got.iter().zip(expected).all(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_timed_alone_and_its_widest_product_for_many() {
        let large = Config::beitv2_large();
        let sizes = |photos| sizes(&large, photos);
        let shape = |size: &Size| (size.rows, size.n, size.k);
        let of_eight: Vec<_> = sizes(8).iter().map(shape).collect();
        assert_eq!(of_eight, [(197, 1024, 1024), (197, 3072, 1024), (197, 4096, 1024), (1576, 4096, 1024)]);
        assert_eq!(sizes(1).len(), 3);
    }

    #[test]
    fn wrong_results_are_noticed() {
        let expected = [1.0, 200.0, -0.5];
        assert!(are_near(&[1.00001, 200.01, -0.5], &expected, TOLERANCE));
        for wrong in [[1.0, 200.0, 0.5], [f32::NAN, 200.0, -0.5], [1.0, f32::INFINITY, -0.5], [0.0; 3]] {
            assert!(!are_near(&wrong, &expected, TOLERANCE_F16), "{wrong:?}");
        }
        assert!(!are_near(&expected[..2], &expected, TOLERANCE));
    }

    #[test]
    fn references_are_numbers_of_a_natural_size() {
        for format in Format::ALL {
            for arithmetic in [Arithmetic::F32, Arithmetic::Int8] {
                if format == Format::F32 && arithmetic == Arithmetic::Int8 {
                    continue;
                }
                let mut random = Random(1);
                let x: Vec<f32> = (0..CHECKED[0] * CHECKED[2]).map(|_| random.spread(1.0)).collect();
                let (_, expected) = reference(format, arithmetic, &x, &mut random).unwrap();
                let mean = expected.iter().map(|v| v * v).sum::<f32>() / expected.len() as f32;
                assert!((0.01..10.0).contains(&mean), "{format:?} {arithmetic:?}: {mean}");
            }
        }
    }
}

//! Quantisation of activations and the products, whose integer part must be exact.

use crate::common::{FORMATS, Random, assert_close, blocks, code_range, product, random_weights};
use kernels::{
    Activation, BLOCK, DenseWeights, Isa, Output, PackedWeights, QuantizedActivations, WeightFormat, dense,
    gemm,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Values where rounding is hard (halves), extremes, zero blocks, tiny and huge blocks.
fn awkward_activations(random: &mut Random, rows: usize, k: usize, largest: i32) -> Vec<f32> {
    let mut x = random.floats(rows * k);
    for (block, values) in x.chunks_exact_mut(BLOCK).enumerate() {
        match block % 8 {
            0 => values.fill(0.0),
            // The largest magnitude is the largest code: scale 1, every other code a tie.
            1 => {
                values.iter_mut().for_each(|v| *v = random.integer(1 - largest, largest - 2) as f32 + 0.5);
                values[5] = -largest as f32;
            }
            2 => values.iter_mut().for_each(|v| *v *= 1e30),
            3 => values.iter_mut().for_each(|v| *v *= 1e-28),
            4 => values.iter_mut().for_each(|v| *v *= 1e-38),
            5 => values.iter_mut().for_each(|v| *v = 3.0e38f32.copysign(*v)),
            _ => {}
        }
    }
    x
}

#[test]
fn codes_are_equal_bit_for_bit() {
    let mut random = Random(2);
    let shapes = [(1, 32), (5, 96), (7, 256), (13, 1024)];
    for (format, (rows, k)) in FORMATS.into_iter().flat_map(|format| shapes.map(|shape| (format, shape))) {
        let largest = f32::from(format.largest_activation());
        let x = awkward_activations(&mut random, rows, k, largest as i32);
        for isa in Isa::available() {
            let mut a = QuantizedActivations::default();
            a.quantize(isa, format, &x, rows, k);
            for row in 0..rows {
                for block in 0..k / BLOCK {
                    let x = &x[row * k + block * BLOCK..][..BLOCK];
                    let (scale, codes, sum) = a.block(row, block);
                    let amax = x.iter().fold(0f32, |m, v| m.max(v.abs()));
                    let zero = amax < 1e-30;
                    assert_eq!(scale, if zero { 0.0 } else { amax / largest }, "{}", isa.name());
                    for (code, x) in codes.iter().zip(x) {
                        let expected = if zero { 0.0 } else { (x * (largest / amax)).round_ties_even() };
                        assert_eq!(f32::from(*code), expected, "{}: {x} of {amax}", isa.name());
                    }
                    assert_eq!(sum, codes.iter().map(|&c| i32::from(c)).sum::<i32>(), "{}", isa.name());
                }
            }
        }
    }
}

#[test]
fn infinities_and_nans_reach_the_product_as_nan() {
    let mut random = Random(3);
    let w = random_weights(&mut random, WeightFormat::Q8_0, 9, 64);
    for isa in Isa::available() {
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = random.floats(3 * 64);
            x[64 + 40] = bad;
            let out = product(isa, &x, &w, None, Activation::None);
            assert!(out[9..18].iter().all(|v| v.is_nan()), "{}: {bad}", isa.name());
            assert!(out[..9].iter().chain(&out[18..]).all(|v| v.is_finite()), "{}: {bad}", isa.name());
        }
    }
}

/// With all scales 1 and at most 64 blocks every partial sum is an integer below 2²⁴, so f32 holds
/// it exactly: the whole product must equal integer arithmetic, bit for bit.
#[test]
fn integer_part_is_exact() {
    let mut random = Random(4);
    // Rows on both sides of every tile height, columns on both sides of a panel, one and several
    // blocks, and more than one chunk of 32 blocks.
    let shapes = [
        (1, 1, 32),
        (2, 7, 32),
        (3, 8, 64),
        (4, 9, 96),
        (5, 16, 32),
        (6, 24, 160),
        (7, 15, 64),
        (8, 17, 32),
        (11, 1000, 32),
        (13, 8, 1024),
        (197, 33, 64),
        (9, 10, 2048),
        (241, 9, 64),
    ];
    for (rows, n, k) in shapes {
        for format in FORMATS {
            let (low, high) = code_range(format);
            let largest = i32::from(format.largest_activation());
            for extremes in [false, true] {
                let pick = |random: &mut Random, low, high| match extremes {
                    true => {
                        if random.next().is_multiple_of(2) {
                            low
                        } else {
                            high
                        }
                    }
                    false => random.integer(low, high),
                };
                let w: Vec<i32> = (0..n * k).map(|_| pick(&mut random, low, high)).collect();
                let mut a: Vec<i32> = (0..rows * k).map(|_| pick(&mut random, -largest, largest)).collect();
                // One of the largest in every block makes its scale 1.
                a.iter_mut().step_by(BLOCK).for_each(|a| *a = largest);
                check_integers(format, rows, n, k, &a, &w);
            }
        }
    }
}

/// All pairs of products of one sign, as large as they can be: where saturation would show.
#[test]
fn nothing_saturates() {
    for format in FORMATS {
        let (low, high) = code_range(format);
        let largest = i32::from(format.largest_activation());
        for w in [low, high] {
            for a in [-largest, largest] {
                check_integers(format, 5, 9, 64, &[a; 5 * 64], &[w; 9 * 64]);
            }
        }
    }
}

fn check_integers(format: WeightFormat, rows: usize, n: usize, k: usize, a: &[i32], w: &[i32]) {
    let bytes = blocks(format, n, k, &mut |row, column| w[row * k + column], &mut || 1.0);
    let packed = PackedWeights::pack(format, n, k, bytes).unwrap();
    let x: Vec<f32> = a.iter().map(|&a| a as f32).collect();
    let dot = |i: usize| -> i32 { (0..k).map(|j| a[i / n * k + j] * w[i % n * k + j]).sum() };
    let expected: Vec<f32> = (0..rows * n).map(|i| dot(i) as f32).collect();
    for isa in Isa::available() {
        let got = product(isa, &x, &packed, None, Activation::None);
        assert!(got == expected, "{}: {format:?}, {rows} × {n} × {k}", isa.name());
    }
}

#[test]
fn product_bias_and_gelu_follow_the_reference() {
    let mut random = Random(5);
    for (rows, n, k) in [(1, 1000, 64), (5, 7, 32), (6, 16, 1024), (50, 40, 1056), (197, 24, 128)] {
        let x = random.floats(rows * k);
        let bias = random.floats(n);
        for format in FORMATS {
            let w = random_weights(&mut random, format, n, k);
            for (bias, activation) in [
                (None, Activation::None),
                (Some(&bias[..]), Activation::None),
                (Some(&bias[..]), Activation::Gelu),
            ] {
                let expected = product(Isa::Scalar, &x, &w, bias, activation);
                for isa in Isa::available() {
                    assert_close(isa, "product", &product(isa, &x, &w, bias, activation), &expected);
                }
            }
        }
    }
}

/// The product against f64 arithmetic on the unquantised activations: bounded by quantisation alone.
#[test]
fn product_is_near_the_unquantised_one() {
    let mut random = Random(6);
    let (rows, n, k) = (4, 16, 512);
    let x = random.floats(rows * k);
    for format in FORMATS {
        let w = random_weights(&mut random, format, n, k);
        let weights = w.dequantize();
        let got = product(Isa::best(), &x, &w, None, Activation::None);
        for (i, got) in got.iter().enumerate() {
            let pairs = (0..k).map(|j| (f64::from(x[i / n * k + j]), f64::from(weights[i % n * k + j])));
            let exact: f64 = pairs.clone().map(|(x, w)| x * w).sum();
            // Half a step in every activation, at worst.
            let step = 1.0 / f64::from(format.largest_activation());
            let bound: f64 = pairs.map(|(_, w)| w.abs() * step / 2.0).sum::<f64>() + 1e-5;
            assert!((f64::from(*got) - exact).abs() <= bound, "{format:?}: {got}, exact {exact} ± {bound}");
        }
    }
}

#[test]
fn buffers_are_reused_for_other_shapes() {
    let mut random = Random(7);
    for isa in Isa::available() {
        let mut a = QuantizedActivations::default();
        for (rows, k) in [(9, 64), (2, 32), (30, 128), (1, 1024)] {
            let w = random_weights(&mut random, WeightFormat::Q4_0, 9, k);
            let x = random.floats(rows * k);
            a.quantize(isa, WeightFormat::Q4_0, &x, rows, k);
            let mut out = vec![0.0; rows * 9];
            gemm(isa, &a, &w, None, Activation::None, Output::Values(&mut out));
            assert_close(isa, "product", &out, &product(Isa::Scalar, &x, &w, None, Activation::None));
        }
    }
}

#[test]
fn dense_products_follow_the_reference() {
    // Rows around the tile's 4, columns around the panel's 16, any depth.
    for (rows, n, k) in [(1, 1, 1), (3, 15, 7), (4, 16, 588), (5, 17, 32), (9, 50, 100)] {
        let mut random = Random(5);
        let (x, values) = (random.floats(rows * k), random.floats(n * k));
        let (bias, w) = (random.floats(n), DenseWeights::pack(n, k, &values));
        for activation in [Activation::None, Activation::Gelu] {
            let product = |isa| {
                let mut out = vec![f32::NAN; rows * n];
                dense(isa, &x, &w, Some(&bias), activation, &mut out);
                out
            };
            let expected = product(Isa::Scalar);
            let plain = |at: usize| {
                let (row, column) = (at / n, at % n);
                (0..k).map(|i| x[row * k + i] * values[column * k + i]).sum::<f32>() + bias[column]
            };
            if activation == Activation::None {
                let plain: Vec<f32> = (0..rows * n).map(plain).collect();
                assert_close(Isa::Scalar, "dense", &expected, &plain);
            }
            for isa in Isa::available() {
                assert_close(isa, "dense", &product(isa), &expected);
            }
        }
    }
}

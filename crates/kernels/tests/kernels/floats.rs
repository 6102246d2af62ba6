//! The float stages: near the reference, and accurate over the whole range.

use crate::common::{Random, assert_close, product, random_weights};
use kernels::{
    Activation, AttentionOutput, AttentionScratch, Heads, Isa, PositionBias, WeightFormat, add_scaled,
    attention, gelu, layer_norm, softmax,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn rows_follow_the_reference() {
    let mut random = Random(8);
    for (rows, width) in [(1, 1), (3, 7), (2, 16), (5, 197), (197, 1024), (3, 33)] {
        let x: Vec<f32> = random.floats(rows * width).iter().map(|x| 8.0 * x).collect();
        let (y, gamma, bias) = (random.floats(rows * width), random.floats(width), random.floats(width));
        let run = |isa| {
            let mut normed = vec![f32::NAN; x.len()];
            layer_norm(isa, &x, rows, width, &gamma, &bias, 1e-6, &mut normed);
            let (mut soft, mut curved, mut added) = (x.clone(), x.clone(), x.clone());
            softmax(isa, &mut soft, width);
            gelu(isa, &mut curved);
            add_scaled(isa, &mut added, &y, &gamma, rows, width);
            [normed, soft, curved, added]
        };
        let expected = run(Isa::Scalar);
        for isa in Isa::available() {
            for (what, (got, expected)) in
                ["layer norm", "softmax", "GELU", "scaled sum"].iter().zip(run(isa).iter().zip(&expected))
            {
                assert_close(isa, what, got, expected);
            }
        }
    }
}

#[test]
fn attention_follows_the_reference() {
    let mut random = Random(9);
    let shapes = [
        (1, 1, 1, 8),
        (1, 2, 3, 5),
        (3, 5, 2, 64),
        (1, 65, 3, 64),
        (1, 197, 2, 64),
        (2, 17, 1, 33),
        (1, 40, 5, 32),
    ];
    for (photos, tokens, heads, width) in shapes {
        let qkv: Vec<f32> =
            random.floats(photos * tokens * 3 * heads * width).iter().map(|x| 2.0 * x).collect();
        let bias = random.floats(heads * tokens * tokens);
        for bias in [None, Some(PositionBias::Dense(&bias))] {
            let run = |isa| {
                let mut out = vec![f32::NAN; photos * tokens * heads * width];
                let mut scratch = AttentionScratch::default();
                // Twice, so that scratch from another shape is in the way.
                let one = Heads { photos: 1, tokens: 1, heads, head_width: width };
                let first = AttentionOutput::Values(&mut out[..heads * width]);
                attention(isa, &qkv[..3 * heads * width], one, None, &mut scratch, first);
                let shape = Heads { photos, tokens, ..one };
                attention(isa, &qkv, shape, bias, &mut scratch, AttentionOutput::Values(&mut out));
                out
            };
            let expected = run(Isa::Scalar);
            for isa in Isa::available() {
                assert_close(isa, "attention", &run(isa), &expected);
            }
        }
    }
}

/// Distance in units in the last place of `expected`.
fn ulps(got: f32, expected: f64) -> f64 {
    let unit = f64::from(f32::EPSILON) * 2f64.powi((expected.abs() as f32).log2().floor() as i32);
    (f64::from(got) - expected).abs() / unit
}

/// GELU over all magnitudes and signs: every 997th float, against f64, within two units in the last
/// place of x.
#[test]
fn gelu_is_accurate_over_the_whole_range() {
    let mut x: Vec<f32> = (0..0x7f80_0000u32).step_by(997).map(f32::from_bits).collect();
    x.extend(x.clone().iter().map(|x| -x));
    let mut reference = x.clone();
    gelu(Isa::Scalar, &mut reference);
    for isa in Isa::available() {
        let mut got = x.clone();
        gelu(isa, &mut got);
        for i in 0..x.len() {
            let (x, expected) = (f64::from(x[i]), f64::from(reference[i]));
            let error = (f64::from(got[i]) - expected).abs();
            let allowed = 2f64.powi(-22) * x.abs() + f64::from(f32::MIN_POSITIVE);
            assert!(error <= allowed, "{}: GELU({x}) = {}, expected {expected}", isa.name(), got[i]);
        }
        let mut special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0];
        gelu(isa, &mut special);
        assert!(
            special[0].is_nan() && special[1] == f32::INFINITY && special[3] == 0.0,
            "{}: {special:?}",
            isa.name()
        );
    }
}

/// eˣ through a softmax of (0, x): the second weight is eˣ/(1 + eˣ).
#[test]
fn softmax_is_accurate_over_the_whole_range() {
    for isa in Isa::available() {
        let mut worst = 0f64;
        for i in 0..200_000 {
            let x = -(i as f32) * (87.0 / 200_000.0);
            let mut row = [0.0, x];
            softmax(isa, &mut row, 2);
            let e = f64::from(x).exp();
            worst = worst.max(ulps(row[1], e / (1.0 + e)));
        }
        assert!(worst <= 3.0, "{}: {worst} units in the last place", isa.name());
        let mut row = [0.0, -1e4, f32::NEG_INFINITY, -88.0];
        softmax(isa, &mut row, 4);
        assert!(row[0] == 1.0 && row[1] == 0.0 && row[2] == 0.0 && row[3] < 1e-37, "{}: {row:?}", isa.name());
    }
}

#[test]
fn empty_inputs_are_fine() {
    for isa in Isa::available() {
        softmax(isa, &mut [], 0);
        gelu(isa, &mut []);
        layer_norm(isa, &[], 0, 4, &[1.0; 4], &[0.0; 4], 1e-6, &mut []);
        let none = Heads { photos: 0, tokens: 3, heads: 2, head_width: 4 };
        attention(isa, &[], none, None, &mut AttentionScratch::default(), AttentionOutput::Values(&mut []));
        let w = random_weights(&mut Random(10), WeightFormat::Q8_0, 8, 32);
        assert!(product(isa, &[], &w, None, Activation::Gelu).is_empty());
    }
}

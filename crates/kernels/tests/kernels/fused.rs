//! Fused stages give exactly what one stage after the other gives.

use crate::common::{FORMATS, Random, product, random_weights};
use kernels::{
    Activation, AttentionOutput, AttentionScratch, BLOCK, Heads, Isa, Output, QuantizedActivations,
    WeightFormat, add_scaled, attention, gemm, layer_norm, layer_norm_codes,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn quantized(isa: Isa, format: WeightFormat, x: &[f32], k: usize) -> QuantizedActivations {
    let mut codes = QuantizedActivations::default();
    codes.quantize(isa, format, x, x.len() / k, k);
    codes
}

/// Codes that an earlier use of another shape, for other weights, has left.
fn used(isa: Isa) -> QuantizedActivations {
    quantized(isa, WeightFormat::Q4_0, &Random(1).floats(7 * 64), 64)
}

fn assert_same(isa: Isa, what: &str, got: &QuantizedActivations, expected: &QuantizedActivations) {
    assert_eq!((got.rows(), got.k()), (expected.rows(), expected.k()), "{}: {what}", isa.name());
    for row in 0..got.rows() {
        for block in 0..got.k() / BLOCK {
            let (scale, codes, sum) = got.block(row, block);
            let (expected_scale, expected_codes, expected_sum) = expected.block(row, block);
            let place = format!("{}: {what}, row {row}, block {block}", isa.name());
            assert_eq!(scale.to_bits(), expected_scale.to_bits(), "{place}");
            assert_eq!((codes, sum), (expected_codes, expected_sum), "{place}");
        }
    }
}

#[test]
fn a_product_quantised_at_once() {
    let mut random = Random(21);
    // More rows than are kept at a time, and a last tile of one row.
    for (rows, n, k) in [(1, 32, 32), (5, 96, 1056), (241, 64, 32)] {
        let x = random.floats(rows * k);
        let bias = random.floats(n);
        for format in FORMATS {
            let w = random_weights(&mut random, format, n, k);
            for isa in Isa::available() {
                for activation in [Activation::None, Activation::Gelu] {
                    let mut got = used(isa);
                    let a = quantized(isa, format, &x, k);
                    gemm(isa, &a, &w, Some(&bias), activation, Output::Codes(&mut got, format));
                    let values = product(isa, &x, &w, Some(&bias), activation);
                    assert_same(isa, "product", &got, &quantized(isa, format, &values, n));
                    // The next product reads them.
                    let next = random_weights(&mut Random(5), format, 9, n);
                    let mut out = vec![f32::NAN; rows * 9];
                    gemm(isa, &got, &next, None, Activation::None, Output::Values(&mut out));
                    assert_eq!(out, product(isa, &values, &next, None, Activation::None));
                }
            }
        }
    }
}

#[test]
fn a_product_added_with_its_layer_scale() {
    let mut random = Random(22);
    for (rows, n, k) in [(1, 1, 32), (6, 37, 64), (241, 40, 32)] {
        let (x, gamma, residual) = (random.floats(rows * k), random.floats(n), random.floats(rows * n));
        for format in FORMATS {
            let w = random_weights(&mut random, format, n, k);
            for isa in Isa::available() {
                let mut got = residual.clone();
                let out = Output::AddScaled { x: &mut got, gamma: &gamma };
                gemm(isa, &quantized(isa, format, &x, k), &w, None, Activation::None, out);
                let mut expected = residual.clone();
                let values = product(isa, &x, &w, None, Activation::None);
                add_scaled(isa, &mut expected, &values, &gamma, rows, n);
                assert_eq!(got, expected, "{}: {rows} × {n}", isa.name());
            }
        }
    }
}

#[test]
fn a_layer_norm_quantised_at_once() {
    let mut random = Random(23);
    for (rows, width) in [(1, 32), (5, 96), (33, 1024)] {
        let x = random.floats(rows * width);
        let (weight, bias) = (random.floats(width), random.floats(width));
        for isa in Isa::available() {
            let mut normed = vec![f32::NAN; x.len()];
            layer_norm(isa, &x, rows, width, &weight, &bias, 1e-6, &mut normed);
            for format in FORMATS {
                let mut got = used(isa);
                layer_norm_codes(isa, &x, rows, width, &weight, &bias, 1e-6, format, &mut got);
                assert_same(isa, "layer norm", &got, &quantized(isa, format, &normed, width));
            }
        }
    }
}

#[test]
fn attention_quantised_at_once() {
    let mut random = Random(24);
    for (photos, tokens, heads, head_width) in [(1, 1, 1, 32), (2, 21, 3, 32), (1, 50, 2, 64)] {
        let shape = Heads { photos, tokens, heads, head_width };
        let width = heads * head_width;
        let qkv = random.floats(photos * tokens * 3 * width);
        for isa in Isa::available() {
            let mut scratch = AttentionScratch::default();
            let mut values = vec![f32::NAN; photos * tokens * width];
            attention(isa, &qkv, shape, None, &mut scratch, AttentionOutput::Values(&mut values));
            for format in FORMATS {
                let mut got = used(isa);
                attention(isa, &qkv, shape, None, &mut scratch, AttentionOutput::Codes(&mut got, format));
                assert_same(isa, "attention", &got, &quantized(isa, format, &values, width));
            }
        }
    }
}

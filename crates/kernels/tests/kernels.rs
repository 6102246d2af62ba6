//! Every kernel of every instruction set that this build and this machine have, against the scalar
//! reference. The same tests run natively and, as WebAssembly, in a browser.

use half::f16;
use kernels::{
    Activation, AttentionScratch, BLOCK, DenseWeights, Isa, PackError, PackedWeights, QuantizedActivations,
    WeightFormat, add_scaled, attention, dense, gelu, gemm, layer_norm, softmax,
};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

const FORMATS: [WeightFormat; 2] = [WeightFormat::Q8_0, WeightFormat::Q4_0];

/// Numbers that are the same in every run: a 64-bit linear congruential generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// Uniform in low..=high.
    fn integer(&mut self, low: i32, high: i32) -> i32 {
        low + (self.next() % (high - low + 1) as u32) as i32
    }

    /// Uniform in −1..1.
    fn float(&mut self) -> f32 {
        self.next() as f32 / (1u32 << 30) as f32 - 1.0
    }

    fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float()).collect()
    }
}

/// GGUF blocks of weights `[n, k]` from signed codes and scales.
fn blocks(
    format: WeightFormat,
    n: usize,
    k: usize,
    code: &mut dyn FnMut(usize, usize) -> i32,
    scale: &mut dyn FnMut() -> f32,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in 0..n {
        for block in 0..k / BLOCK {
            bytes.extend(f16::from_f32(scale()).to_le_bytes());
            let codes: Vec<i32> = (0..BLOCK).map(|i| code(row, block * BLOCK + i)).collect();
            match format {
                WeightFormat::Q8_0 => bytes.extend(codes.iter().map(|&c| c as i8 as u8)),
                WeightFormat::Q4_0 => {
                    bytes.extend((0..16).map(|i| (codes[i] + 8) as u8 | ((codes[i + 16] + 8) as u8) << 4));
                }
            }
        }
    }
    bytes
}

fn code_range(format: WeightFormat) -> (i32, i32) {
    match format {
        WeightFormat::Q8_0 => (-63, 63),
        WeightFormat::Q4_0 => (-8, 7),
    }
}

fn random_weights(random: &mut Random, format: WeightFormat, n: usize, k: usize) -> PackedWeights {
    let (low, high) = code_range(format);
    let mut other = Random(random.next().into());
    let bytes = blocks(format, n, k, &mut |_, _| random.integer(low, high), &mut || other.float() * 0.01);
    PackedWeights::pack(format, n, k, bytes).unwrap()
}

/// Every value within 1e-4, relative to the larger of 1 and the expected magnitude.
fn assert_close(isa: Isa, what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let tolerance = 1e-4 * expected.abs().max(1.0);
        assert!(
            (got - expected).abs() <= tolerance,
            "{}: {what}[{i}]: {got}, reference {expected}",
            isa.name()
        );
    }
}

fn product(isa: Isa, x: &[f32], w: &PackedWeights, bias: Option<&[f32]>, activation: Activation) -> Vec<f32> {
    let rows = x.len() / w.k();
    let mut a = QuantizedActivations::default();
    a.quantize(isa, x, rows, w.k());
    let mut out = vec![f32::NAN; rows * w.n()];
    gemm(isa, &a, w, bias, activation, &mut out);
    out
}

#[test]
fn scalar_and_best_are_available() {
    let all = Isa::available();
    assert!(all.contains(&Isa::Scalar) && all.contains(&Isa::best()), "{all:?}");
    #[cfg(target_feature = "relaxed-simd")]
    assert!(all.contains(&Isa::RelaxedPairs) && all.contains(&Isa::RelaxedQuads), "{all:?}");
    #[cfg(target_feature = "simd128")]
    assert!(all.contains(&Isa::Simd128), "{all:?}");
}

/// A clock that only counts: every candidate takes one tick, so the choice is any, but it ends.
#[test]
fn the_fastest_is_an_available_one() {
    for format in FORMATS {
        let ticks = std::cell::Cell::new(0.0);
        let clock = || {
            ticks.set(ticks.get() + 1.0);
            ticks.get()
        };
        let fastest = Isa::fastest(format, clock);
        assert!(Isa::available().contains(&fastest) && fastest != Isa::Scalar || Isa::available().len() == 1);
    }
}

#[test]
fn packing_keeps_every_weight() {
    let mut random = Random(1);
    for format in FORMATS {
        for (n, k) in [(1, 32), (7, 64), (8, 32), (9, 96), (1000, 64)] {
            let (low, high) = code_range(format);
            let codes: Vec<i32> = (0..n * k).map(|_| random.integer(low, high)).collect();
            let scales: Vec<f32> =
                (0..n * k / BLOCK).map(|_| f16::from_f32(random.float()).to_f32()).collect();
            let mut next = scales.iter().copied();
            let bytes = blocks(format, n, k, &mut |row, column| codes[row * k + column], &mut || {
                next.next().unwrap()
            });
            let packed = PackedWeights::pack(format, n, k, bytes.clone()).unwrap();
            assert_eq!((packed.n(), packed.k(), packed.format()), (n, k, format));
            assert_eq!(packed.bytes(), bytes.len() / n * n.next_multiple_of(8), "no second copy");
            let expected: Vec<f32> =
                codes.iter().enumerate().map(|(i, &code)| scales[i / BLOCK] * code as f32).collect();
            assert_eq!(packed.dequantize(), expected, "{format:?} {n} × {k}");
        }
    }
}

#[test]
fn packing_names_what_is_wrong() {
    let pack = PackedWeights::pack;
    let q8 = WeightFormat::Q8_0;
    assert_eq!(pack(q8, 0, 32, vec![]).unwrap_err(), PackError::Shape { n: 0, k: 32 });
    assert_eq!(pack(q8, 1, 33, vec![0; 34]).unwrap_err(), PackError::Shape { n: 1, k: 33 });
    assert_eq!(
        pack(WeightFormat::Q4_0, 2, 64, vec![0; 71]).unwrap_err(),
        PackError::Length { format: WeightFormat::Q4_0, n: 2, k: 64, expected: 72, got: 71 }
    );
    for (code, fits) in [(63, true), (-63, true), (64, false), (-64, false), (-128, false), (127, false)] {
        let at = |row, column| if (row, column) == (9, 37) { code } else { 0 };
        let bytes = blocks(q8, 10, 64, &mut { at }, &mut || 1.0);
        let expected = if fits {
            None
        } else {
            Some(PackError::CodeOutOfRange { row: 9, column: 37, code: code as i8 })
        };
        assert_eq!(pack(q8, 10, 64, bytes).err(), expected);
    }
    let bytes = blocks(q8, 1, 32, &mut |_, _| 0, &mut || f32::INFINITY);
    assert_eq!(
        pack(q8, 1, 32, bytes).unwrap_err(),
        PackError::Scale { row: 0, block: 0, scale: f32::INFINITY }
    );
}

/// Values where rounding is hard (halves), extremes, zero blocks, tiny and huge blocks.
fn awkward_activations(random: &mut Random, rows: usize, k: usize) -> Vec<f32> {
    let mut x = random.floats(rows * k);
    for (block, values) in x.chunks_exact_mut(BLOCK).enumerate() {
        match block % 8 {
            0 => values.fill(0.0),
            // amax 127: scale 1, every code a tie.
            1 => {
                values.iter_mut().for_each(|v| *v = random.integer(-126, 125) as f32 + 0.5);
                values[5] = -127.0;
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
    for (rows, k) in [(1, 32), (5, 96), (7, 256), (13, 1024)] {
        let x = awkward_activations(&mut random, rows, k);
        for isa in Isa::available() {
            let mut a = QuantizedActivations::default();
            a.quantize(isa, &x, rows, k);
            for row in 0..rows {
                for block in 0..k / BLOCK {
                    let x = &x[row * k + block * BLOCK..][..BLOCK];
                    let (scale, codes, sum) = a.block(row, block);
                    let amax = x.iter().fold(0f32, |m, v| m.max(v.abs()));
                    let zero = amax < 1e-30;
                    assert_eq!(scale, if zero { 0.0 } else { amax / 127.0 }, "{}", isa.name());
                    for (code, x) in codes.iter().zip(x) {
                        let expected = if zero { 0.0 } else { (x * (127.0 / amax)).round_ties_even() };
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
                let mut a: Vec<i32> = (0..rows * k).map(|_| pick(&mut random, -127, 127)).collect();
                // One 127 in every block makes its scale 1.
                a.iter_mut().step_by(BLOCK).for_each(|a| *a = 127);
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
        for w in [low, high] {
            for a in [-127, 127] {
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
            // Half a step of 1/127 in every activation, at worst.
            let bound: f64 = pairs.map(|(_, w)| w.abs() / 254.0).sum::<f64>() + 1e-5;
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
            a.quantize(isa, &x, rows, k);
            let mut out = vec![0.0; rows * 9];
            gemm(isa, &a, &w, None, Activation::None, &mut out);
            assert_close(isa, "product", &out, &product(Isa::Scalar, &x, &w, None, Activation::None));
        }
    }
}

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
    for (tokens, heads, width) in [(1, 1, 8), (2, 3, 5), (5, 2, 64), (65, 3, 64), (197, 2, 64), (17, 1, 33)] {
        let qkv: Vec<f32> = random.floats(tokens * 3 * heads * width).iter().map(|x| 2.0 * x).collect();
        let bias = random.floats(heads * tokens * tokens);
        for bias in [None, Some(&bias[..])] {
            let run = |isa| {
                let mut out = vec![f32::NAN; tokens * heads * width];
                let mut scratch = AttentionScratch::default();
                // Twice, so that scratch from another shape is in the way.
                attention(
                    isa,
                    &qkv[..3 * heads * width],
                    1,
                    heads,
                    width,
                    None,
                    &mut scratch,
                    &mut out[..heads * width],
                );
                attention(isa, &qkv, tokens, heads, width, bias, &mut scratch, &mut out);
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
        attention(isa, &[], 0, 2, 4, None, &mut AttentionScratch::default(), &mut []);
        let w = random_weights(&mut Random(10), WeightFormat::Q8_0, 8, 32);
        assert!(product(isa, &[], &w, None, Activation::Gelu).is_empty());
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

/// One last bit can move an activation to another 8-bit code, and then the logits by a thousandth:
/// so a photo has the same answer everywhere only if every kernel gives the same bits everywhere.
/// The hashes were made by the AVX2 kernels; this test also runs as WebAssembly.
#[test]
fn every_instruction_set_gives_the_same_bits() {
    let (tokens, heads, head_width) = (21, 2, 64);
    let width = heads * head_width;
    let mut random = Random(11);
    let mut x = random.floats(tokens * width);
    let [weight, bias, gamma] = [0; 3].map(|_| random.floats(width));
    let position_bias = random.floats(heads * tokens * tokens);
    let stem = DenseWeights::pack(width, width, &random.floats(width * width));
    for format in FORMATS {
        let qkv = random_weights(&mut random, format, 3 * width, width);
        let mlp = random_weights(&mut random, format, 4 * width, width);
        x.iter_mut().for_each(|x| *x *= 1.5);
        for isa in Isa::available().into_iter().filter(|&isa| isa != Isa::Scalar) {
            let mut normed = vec![0.0; x.len()];
            layer_norm(isa, &x, tokens, width, &weight, &bias, 1e-6, &mut normed);
            let mut embedded = vec![0.0; x.len()];
            dense(isa, &normed, &stem, Some(&bias), Activation::None, &mut embedded);
            let mut qkv = product(isa, &embedded, &qkv, None, Activation::None);
            // Scores of a few units, so that no softmax is all one key.
            scale_to(&mut qkv, 2.0);
            let mut attended = vec![0.0; x.len()];
            let mut scratch = AttentionScratch::default();
            attention(
                isa,
                &qkv,
                tokens,
                heads,
                head_width,
                Some(&position_bias),
                &mut scratch,
                &mut attended,
            );
            add_scaled(isa, &mut attended, &x, &gamma, tokens, width);
            let hidden = product(isa, &attended, &mlp, None, Activation::Gelu);
            let mut soft = hidden[..4 * width - 3].to_vec();
            scale_to(&mut soft, 8.0);
            let soft_len = soft.len();
            softmax(isa, &mut soft, soft_len);
            let expected: [u64; 6] = match format {
                WeightFormat::Q8_0 => SAME_BITS[0],
                WeightFormat::Q4_0 => SAME_BITS[1],
            };
            let all = [&normed, &embedded, &qkv, &attended, &hidden, &soft];
            let hashes = all.map(|values| hash(values));
            assert_eq!(
                hashes,
                expected,
                "norm, stem, qkv, attention, mlp, softmax of {}, {format:?}",
                isa.name()
            );
        }
    }
}

const SAME_BITS: [[u64; 6]; 2] = [
    [
        5932908743326020787,
        8241807477256955206,
        11452234024466119143,
        16296368200212043396,
        15049733542163940523,
        9866125060228909801,
    ],
    [
        2613226712419436353,
        11566475600619517308,
        8251605527344581691,
        8786522502732884330,
        11273266865049422723,
        11165462733068953439,
    ],
];

/// Scales values so that the largest magnitude is `largest`.
fn scale_to(values: &mut [f32], largest: f32) {
    let factor = largest / values.iter().fold(0f32, |max, v| max.max(v.abs()));
    values.iter_mut().for_each(|v| *v *= factor);
}

/// FNV-1a of the values' bits.
fn hash(values: &[f32]) -> u64 {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

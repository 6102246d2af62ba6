//! Every kernel against the processor's scalar reference, at sizes on both sides of every tile's edge.

use crate::common::{Random, assert_close, gpu, gpu_with, gpu_without_subgroups};
use ::kernels::{
    AttentionOutput, AttentionScratch, DenseWeights, Heads, Isa, Output, PackedWeights, PositionBias,
    QuantizedActivations, WeightFormat,
};
use beit::backend::{Activation, Backend, BackendError, LayerNorm, Linear};
use beit::weights::TensorData;
use gpu::{Arithmetic, Gpu, GpuTokens, Tile};

/// F32 against F32, summed in another order.
const TOLERANCE: f32 = 2e-5;

fn read(gpu: &Gpu, tokens: &GpuTokens) -> Vec<f32> {
    pollster::block_on(gpu.read(tokens)).unwrap()
}

fn vector(gpu: &Gpu, values: &[f32]) -> gpu::GpuVector {
    gpu.vector(values.to_vec()).unwrap()
}

#[test]
fn products_with_dense_weights() {
    let mut random = Random(1);
    for tile in Tile::ALL {
        let gpu = gpu_with(Some(tile));
        // Rows and columns around the tile's edges, depths around the step of 16, widths that no vector divides.
        for (rows, n, k) in
            [(1, 1, 1), (31, 64, 16), (33, 5, 588), (64, 65, 17), (65, 63, 48), (129, 130, 20), (3, 50, 147)]
        {
            let (x, bias) = (random.floats(rows * k), random.floats(n));
            let values = random.floats(n * k);
            let reference = DenseWeights::pack(n, k, &values);
            let linear = Linear::<Gpu> {
                weight: gpu.matrix(n, k, TensorData::Dense(values)).unwrap(),
                bias: vector(&gpu, &bias),
            };
            let tokens = gpu.upload(&x, 1, rows, k).unwrap();
            for activation in [Activation::None, Activation::Gelu] {
                let mut expected = vec![f32::NAN; rows * n];
                ::kernels::dense(Isa::Scalar, &x, &reference, Some(&bias), activation, &mut expected);
                // 8-bit arithmetic is for quantised weights: it leaves these as they are.
                for arithmetic in [Arithmetic::F32, Arithmetic::Int8] {
                    gpu.set_arithmetic(arithmetic);
                    let got = read(&gpu, &gpu.linear(&tokens, &linear, activation).unwrap());
                    let what = format!("{rows} × {k} × {n}, {activation:?}, {tile:?}, {arithmetic:?}");
                    assert_close(&what, &got, &expected, TOLERANCE);
                }
            }
        }
    }
}

#[test]
fn products_with_quantised_weights() {
    let mut random = Random(2);
    for tile in Tile::ALL {
        let gpu = gpu_with(Some(tile));
        for format in [WeightFormat::Q8_0, WeightFormat::Q4_0] {
            for (rows, n, k) in
                [(1, 1, 32), (31, 64, 96), (33, 1000, 64), (64, 65, 160), (65, 63, 32), (129, 130, 1056)]
            {
                let (bytes, values) = random.blocks(format, n, k);
                let (x, bias) = (random.floats(rows * k), random.floats(n));
                let linear = Linear::<Gpu> {
                    weight: gpu.matrix(n, k, TensorData::Blocks { format, bytes: bytes.clone() }).unwrap(),
                    bias: vector(&gpu, &bias),
                };
                let tokens = gpu.upload(&x, 1, rows, k).unwrap();
                for &arithmetic in gpu.offered() {
                    assert!(gpu.set_arithmetic(arithmetic));
                    let mut expected = vec![f32::NAN; rows * n];
                    let activation = if rows % 2 == 0 { Activation::Gelu } else { Activation::None };
                    if arithmetic == Arithmetic::Int8 {
                        let weights = PackedWeights::pack(format, n, k, bytes.clone()).unwrap();
                        let mut quantized = QuantizedActivations::default();
                        quantized.quantize(Isa::Scalar, format, &x, rows, k);
                        ::kernels::gemm(
                            Isa::Scalar,
                            &quantized,
                            &weights,
                            Some(&bias),
                            activation,
                            Output::Values(&mut expected),
                        );
                    } else {
                        let weights = DenseWeights::pack(n, k, &values);
                        ::kernels::dense(Isa::Scalar, &x, &weights, Some(&bias), activation, &mut expected);
                    }
                    let got = read(&gpu, &gpu.linear(&tokens, &linear, activation).unwrap());
                    let what = format!("{rows} × {k} × {n}, {format:?}, {tile:?}, {arithmetic:?}");
                    // F16 has 11 bits, and four products are added in it.
                    let tolerance = if arithmetic == Arithmetic::F16 { 1e-2 } else { TOLERANCE };
                    assert_close(&what, &got, &expected, tolerance);
                }
            }
        }
    }
}

/// Blocks of zeros, tiny values and huge ones, and halves to round.
#[test]
fn quantised_activations_follow_the_processors_rule() {
    let gpu = gpu();
    if !gpu.set_arithmetic(Arithmetic::Int8) {
        println!("{} has no 8-bit dot products: nothing to test", gpu.name());
        return;
    }
    let mut random = Random(8);
    let k = 6 * 32;
    let mut x = random.floats(2 * k);
    for row in x.chunks_exact_mut(k) {
        row[..32].fill(0.0);
        row[32..64].iter_mut().for_each(|x| *x *= 1e-33);
        row[64..96].iter_mut().for_each(|x| *x *= 1e30);
        // The largest is the largest code: scale 1, every other code a tie.
        row[96..128].iter_mut().for_each(|x| *x = (*x * 50.0).round() + 0.5);
        row[96] = -64.0;
    }
    let format = WeightFormat::Q8_0;
    // One column a block, which adds the codes of the block.
    let mut bytes = Vec::new();
    for column in 0..6 {
        for block in 0..6 {
            bytes.extend(half::f16::ONE.to_le_bytes());
            bytes.extend([u8::from(block == column); 32]);
        }
    }
    let weights = PackedWeights::pack(format, 6, k, bytes.clone()).unwrap();
    let mut quantized = QuantizedActivations::default();
    quantized.quantize(Isa::Scalar, format, &x, 2, k);
    let mut expected = vec![f32::NAN; 2 * 6];
    ::kernels::gemm(Isa::Scalar, &quantized, &weights, None, Activation::None, Output::Values(&mut expected));
    let linear = Linear::<Gpu> {
        weight: gpu.matrix(6, k, TensorData::Blocks { format, bytes }).unwrap(),
        bias: vector(&gpu, &[0.0; 6]),
    };
    let got = gpu.linear(&gpu.upload(&x, 1, 2, k).unwrap(), &linear, Activation::None).unwrap();
    assert_close("sums of codes", &read(&gpu, &got), &expected, 1e-6);
}

#[test]
fn gelu_over_the_whole_range() {
    let gpu = gpu();
    let x: Vec<f32> = (-1200..=1200).map(|i| i as f32 / 100.0).collect();
    let linear = Linear::<Gpu> {
        weight: gpu.matrix(1, 1, TensorData::Dense(vec![1.0])).unwrap(),
        bias: vector(&gpu, &[0.0]),
    };
    let tokens = gpu.upload(&x, 1, x.len(), 1).unwrap();
    let got = read(&gpu, &gpu.linear(&tokens, &linear, Activation::Gelu).unwrap());
    let mut expected = x.clone();
    ::kernels::gelu(Isa::Scalar, &mut expected);
    for ((x, got), expected) in x.iter().zip(got).zip(expected) {
        assert!((got - expected).abs() <= 4e-7 * x.abs().max(1.0), "GELU({x}) = {got}, expected {expected}");
    }
}

#[test]
fn layer_norms() {
    let (with, without) = (gpu(), gpu_without_subgroups());
    assert!(!without.has_subgroups());
    if !with.has_subgroups() {
        println!("{} has no subgroups: only the other kernel is tested", with.name());
    }
    for gpu in [with, without] {
        layer_norms_on(&gpu);
    }
}

fn layer_norms_on(gpu: &Gpu) {
    let mut random = Random(3);
    for (rows, width) in [(1, 1), (3, 7), (2, 16), (5, 197), (197, 1024), (3, 511), (2, 513)] {
        // Far from zero, where a careless variance cancels.
        let x: Vec<f32> = random.floats(rows * width).iter().map(|x| 8.0 * x + 50.0).collect();
        let (weight, bias) = (random.floats(width), random.floats(width));
        let norm = LayerNorm::<Gpu> { weight: vector(gpu, &weight), bias: vector(gpu, &bias), eps: 1e-6 };
        let tokens = gpu.upload(&x, 1, rows, width).unwrap();
        let got = read(gpu, &gpu.layer_norm(&tokens, &norm).unwrap());
        let mut expected = vec![f32::NAN; x.len()];
        ::kernels::layer_norm(Isa::Scalar, &x, rows, width, &weight, &bias, 1e-6, &mut expected);
        // The mean itself is known to 50 · 2⁻²⁴, and a row's deviation is about 4.6.
        assert_close(&format!("layer norm {rows} × {width}"), &got, &expected, 2e-5);
    }
}

#[test]
fn attentions() {
    let gpu = gpu();
    let mut random = Random(4);
    // Tokens around the tiles' 16 queries and 32 keys; heads narrower than the tile.
    for (tokens, heads, width) in
        [(1, 1, 8), (2, 3, 4), (15, 2, 64), (16, 1, 60), (17, 2, 32), (33, 3, 64), (197, 2, 64)]
    {
        let qkv: Vec<f32> = random.floats(tokens * 3 * heads * width).iter().map(|x| 2.0 * x).collect();
        let bias = random.floats(heads * tokens * tokens);
        let uploaded = gpu.upload(&qkv, 1, tokens, 3 * heads * width).unwrap();
        for bias in [None, Some(bias)] {
            let stored = bias.as_ref().map(|bias| vector(&gpu, bias));
            let got = read(&gpu, &gpu.attention(&uploaded, heads, stored.as_ref()).unwrap());
            let mut expected = vec![f32::NAN; tokens * heads * width];
            let mut scratch = AttentionScratch::default();
            let bias = bias.as_deref().map(PositionBias::Dense);
            let shape = Heads { photos: 1, tokens, heads, head_width: width };
            let out = AttentionOutput::Values(&mut expected);
            ::kernels::attention(Isa::Scalar, &qkv, shape, bias, &mut scratch, out);
            let what = format!("{tokens} tokens, {heads} heads of {width}, bias {}", bias.is_some());
            assert_close(&what, &got, &expected, TOLERANCE);
        }
    }
}

/// The maximum grows from tile to tile, so that what is summed has to be scaled down, by factors up to e⁻¹⁰⁰.
#[test]
fn attention_with_growing_scores() {
    let gpu = gpu();
    let (tokens, width) = (100, 8);
    let mut random = Random(5);
    let mut qkv = random.floats(tokens * 3 * width);
    for (token, row) in qkv.chunks_exact_mut(3 * width).enumerate() {
        row[..width].fill(1.0);
        row[width..2 * width].fill(token as f32 / 3.0);
    }
    let uploaded = gpu.upload(&qkv, 1, tokens, 3 * width).unwrap();
    let got = read(&gpu, &gpu.attention(&uploaded, 1, None).unwrap());
    let mut expected = vec![f32::NAN; tokens * width];
    let mut scratch = AttentionScratch::default();
    let shape = Heads { photos: 1, tokens, heads: 1, head_width: width };
    ::kernels::attention(
        Isa::Scalar,
        &qkv,
        shape,
        None,
        &mut scratch,
        AttentionOutput::Values(&mut expected),
    );
    assert_close("growing scores", &got, &expected, 1e-4);
}

#[test]
fn heads_too_wide_for_the_kernel_are_refused() {
    let gpu = gpu();
    for width in [6, 68] {
        let qkv = gpu.upload(&vec![0.0; 2 * 3 * width], 1, 2, 3 * width).unwrap();
        let error = gpu.attention(&qkv, 1, None).err().unwrap();
        assert!(matches!(error, BackendError::Shape { expected: 64, got, .. } if got == width), "{error}");
    }
}

#[test]
fn scaled_sums() {
    let gpu = gpu();
    let mut random = Random(6);
    for (rows, width) in [(1, 1), (3, 7), (2, 16), (33, 129), (197, 1024)] {
        let (x, y, gamma) = (random.floats(rows * width), random.floats(rows * width), random.floats(width));
        let mut sum = gpu.upload(&x, 1, rows, width).unwrap();
        let added = gpu.upload(&y, 1, rows, width).unwrap();
        gpu.add_scaled(&mut sum, &added, &vector(&gpu, &gamma)).unwrap();
        let mut expected = x.clone();
        ::kernels::add_scaled(Isa::Scalar, &mut expected, &y, &gamma, rows, width);
        assert_close(&format!("sum {rows} × {width}"), &read(&gpu, &sum), &expected, 1e-6);
    }
}

#[test]
fn class_tokens_and_means() {
    let gpu = gpu();
    let mut random = Random(7);
    for (patches, width) in [(1, 4), (5, 8), (16, 64), (17, 68), (196, 1024)] {
        let values = random.floats(patches * width);
        let (class, position) = (random.floats(width), random.floats((patches + 1) * width));
        let uploaded = gpu.upload(&values, 1, patches, width).unwrap();
        for position in [None, Some(&position)] {
            let stored = position.map(|position| vector(&gpu, position));
            let tokens = gpu.prepend_class_token(&uploaded, &vector(&gpu, &class), stored.as_ref()).unwrap();
            let mut expected = [&class[..], &values].concat();
            if let Some(position) = position {
                expected.iter_mut().zip(position).for_each(|(e, p)| *e += p);
            }
            assert_eq!(read(&gpu, &tokens), expected, "{patches} patches of {width}");
            let mean = read(&gpu, &gpu.mean_of_patches(&tokens).unwrap());
            let sum = |i: usize| expected[width..].iter().skip(i).step_by(width).sum::<f32>();
            let expected: Vec<f32> = (0..width).map(|i| sum(i) / patches as f32).collect();
            assert_close(&format!("mean of {patches} × {width}"), &mean, &expected, 1e-6);
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let gpu = gpu();
    let x = gpu.upload(&[0.0; 12], 1, 3, 4).unwrap();
    let mut y = gpu.upload(&[0.0; 16], 1, 4, 4).unwrap();
    let linear = Linear::<Gpu> {
        weight: gpu.matrix(2, 5, TensorData::Dense(vec![0.0; 10])).unwrap(),
        bias: vector(&gpu, &[0.0; 2]),
    };
    assert!(gpu.linear(&x, &linear, Activation::None).is_err());
    assert!(gpu.upload(&[0.0; 12], 1, 3, 5).is_err());
    assert!(gpu.add_scaled(&mut y, &x, &vector(&gpu, &[0.0; 4])).is_err());
    assert!(gpu.attention(&x, 1, None).is_err());
    assert!(gpu.prepend_class_token(&x, &vector(&gpu, &[0.0; 3]), None).is_err());
    assert!(gpu.matrix(2, 5, TensorData::Dense(vec![0.0; 9])).is_err());
    let format = WeightFormat::Q8_0;
    assert!(gpu.matrix(1, 32, TensorData::Blocks { format, bytes: vec![0; 33] }).is_err());
}

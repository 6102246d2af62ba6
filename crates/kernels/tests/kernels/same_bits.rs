//! A layer's stages one after the other, with the same bits from every instruction set.

use crate::common::{FORMATS, Random, product, random_weights};
use kernels::{
    Activation, AttentionOutput, AttentionScratch, DenseWeights, Heads, Isa, PositionBias, WeightFormat,
    add_scaled, attention, dense, layer_norm, softmax,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

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
            let shape = Heads { photos: 1, tokens, heads, head_width };
            let bias = Some(PositionBias::Dense(&position_bias));
            attention(isa, &qkv, shape, bias, &mut scratch, AttentionOutput::Values(&mut attended));
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
        11413078772683027412,
        8037122840818690519,
        14417083487959924585,
        2626162089514319142,
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

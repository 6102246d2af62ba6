//! Quantisation of weights in blocks.
//!
//! Weights of linear layers are cut into blocks of 32 along the input dimension; a block is an F16
//! scale `d` and 32 integer codes `q`, standing for `d·q` (GGUF's `Q8_0` and `Q4_0`). `Levels`
//! says which codes there are; `Levels::round` chooses `d` and the codes so that the block's
//! squared error is small, the codes being rounded against `d` as F16 keeps it. With calibration photos
//! `calibrate` chooses both instead.

use crate::levels::Levels;
use beit::weights::Storage;
use beit::weights::schema::{Role, TensorSpec};
use half::f16;
use kernels::BLOCK;

/// Bytes of a `Q8_0` block: the scale and a byte a code.
const Q8_0_BYTES: usize = 2 + BLOCK;
/// Bytes of a `Q4_0` block: the scale and half a byte a code.
const Q4_0_BYTES: usize = 2 + BLOCK / 2;
/// `Q4_0` stores its codes with this added.
const Q4_0_OFFSET: i32 = 8;
const LARGEST_F16: f32 = 65504.0;
/// 63 × 2⁻¹⁸: a scale this small still has 64 steps.
const SMALLEST_SCALED: f32 = 63.0 / 262_144.0;
/// Relative error in 8 bits from which on a head's weights count as heavy-tailed: it is 0.010 for normal weights, 0.013
/// for Laplace's distribution, 0.016 for Student's t with three degrees of freedom.
const HEAVY_TAILED: f64 = 0.0115;
/// Blocks quantised by one thread at a time.
const BLOCKS_A_TASK: usize = 1024;

/// How a model's linear weights are to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantization {
    /// 8 bits, of which 7 are used: see `Levels::SEVEN_BIT`.
    Q8_0,
    /// 4 bits.
    Q4_0,
    /// Half precision.
    F16,
    /// Single precision.
    F32,
}

impl Quantization {
    /// Every quantisation, best first.
    pub const ALL: [Self; 4] = [Self::F32, Self::F16, Self::Q8_0, Self::Q4_0];

    /// As the command line, file names and manifests spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
            Self::F16 => "f16",
            Self::F32 => "f32",
        }
    }

    /// How a tensor is stored. The head decides between neighbouring classes and is small, so it
    /// keeps 8 bits. Rows that are no whole number of blocks keep F16, like the patch embedding,
    /// whose input is the photo itself. Norms, biases, layer scales and position tables are F32:
    /// all of them together are 0.3 % of an 8-bit BEiTv2-large.
    pub fn storage(self, spec: &TensorSpec) -> Storage {
        let whole_blocks = spec.shape.last().is_some_and(|columns| columns.is_multiple_of(BLOCK));
        match (self, spec.role) {
            (Self::F32, _) | (_, Role::Small) => Storage::F32,
            (Self::F16, _) | (_, Role::PatchEmbedding) => Storage::F16,
            _ if !whole_blocks => Storage::F16,
            (Self::Q8_0, Role::Linear) => Storage::Q8_0,
            (Self::Q4_0, Role::Linear) if is_head(spec) => Storage::Q8_0,
            (Self::Q4_0, Role::Linear) => Storage::Q4_0,
        }
    }

    /// [`Quantization::storage`], but F16 for a head whose weights are heavy-tailed, and F32 for values that an F16 number
    /// or scale could not hold.
    pub fn storage_of(self, spec: &TensorSpec, values: &[f32]) -> Storage {
        let largest = values.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
        let mut storage = self.storage(spec);
        if storage == Storage::Q8_0 && is_head(spec) && is_heavy_tailed(values) {
            storage = Storage::F16;
        }
        let fits = match storage {
            Storage::F32 => true,
            Storage::F16 => largest <= LARGEST_F16,
            // The smallest scales are F16 subnormals, of few digits.
            Storage::Q8_0 | Storage::Q4_0 => {
                largest == 0.0 || (SMALLEST_SCALED..=LARGEST_F16).contains(&largest)
            }
        };
        if fits { storage } else { Storage::F32 }
    }

    /// Whether [`Quantization::storage_of`] may say so for some values.
    pub(crate) fn may_store(self, spec: &TensorSpec, storage: Storage) -> bool {
        let usual = self.storage(spec);
        storage == usual || storage == Storage::F32 || self.keeps_head(spec, storage)
    }

    /// Whether the tensor is a head that is kept in 16 bits because its weights are heavy-tailed.
    pub(crate) fn keeps_head(self, spec: &TensorSpec, storage: Storage) -> bool {
        is_head(spec) && self.storage(spec) == Storage::Q8_0 && storage == Storage::F16
    }

    /// Whether weights are rounded in blocks.
    pub(crate) fn has_blocks(self) -> bool {
        matches!(self, Self::Q8_0 | Self::Q4_0)
    }

    /// Rounds a tensor, each block for itself: how it is stored, and its bytes.
    pub(crate) fn quantize(self, spec: &TensorSpec, values: &[f32]) -> (Storage, Vec<u8>) {
        let storage = self.storage_of(spec, values);
        (storage, encode(storage, values))
    }
}

fn is_head(spec: &TensorSpec) -> bool {
    spec.name == "head.weight"
}

/// Whether a few weights are so large that 8 bits lose much more of the others than of normal weights.
fn is_heavy_tailed(values: &[f32]) -> bool {
    let rounded = decode_blocks(Storage::Q8_0, &encode(Storage::Q8_0, values));
    relative_rms_error(values, &rounded) > HEAVY_TAILED
}

impl std::str::FromStr for Quantization {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|q| q.name() == text);
        found.ok_or_else(|| format!("expected q8_0, q4_0, f16 or f32, got {text}"))
    }
}

impl std::fmt::Display for Quantization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A tensor's values, row-major, in GGUF's layout. `values` must be a whole number of blocks where
/// the storage has blocks; [`Quantization::storage`] sees to it.
pub fn encode(storage: Storage, values: &[f32]) -> Vec<u8> {
    match storage {
        Storage::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Storage::F16 => values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect(),
        Storage::Q8_0 => encode_blocks::<Q8_0_BYTES>(values, |block, out| {
            let (scale, codes) = Levels::SEVEN_BIT.round(block);
            put_q8_0(scale, &codes, out);
        }),
        Storage::Q4_0 => encode_blocks::<Q4_0_BYTES>(values, |block, out| {
            let (scale, codes) = Levels::FOUR_BIT.round(block);
            put_q4_0(scale, &codes, out);
        }),
    }
}

/// Blocks of `Q8_0` (else of `Q4_0`) in GGUF's layout, from a scale and 32 codes each.
#[cfg(feature = "files")]
pub(crate) fn encode_codes(storage: Storage, scales: &[f16], codes: &[i8]) -> Vec<u8> {
    let eight = storage == Storage::Q8_0;
    let bytes = if eight { Q8_0_BYTES } else { Q4_0_BYTES };
    let mut out = vec![0; scales.len() * bytes];
    for ((out, &scale), codes) in out.chunks_exact_mut(bytes).zip(scales).zip(codes.as_chunks().0) {
        if eight { put_q8_0(scale, codes, out) } else { put_q4_0(scale, codes, out) }
    }
    out
}

fn put_q8_0(scale: f16, codes: &[i8; BLOCK], out: &mut [u8]) {
    out[..2].copy_from_slice(&scale.to_le_bytes());
    for (byte, &code) in out[2..].iter_mut().zip(codes) {
        *byte = code as u8;
    }
}

fn put_q4_0(scale: f16, codes: &[i8; BLOCK], out: &mut [u8]) {
    out[..2].copy_from_slice(&scale.to_le_bytes());
    // Byte j holds code j in its low nibble and code j + 16 in its high one.
    let nibble = |code: i8| (i32::from(code) + Q4_0_OFFSET) as u8;
    for j in 0..BLOCK / 2 {
        out[2 + j] = nibble(codes[j]) | nibble(codes[j + BLOCK / 2]) << 4;
    }
}

fn encode_blocks<const BYTES: usize>(
    values: &[f32],
    encode: impl Fn(&[f32; BLOCK], &mut [u8; BYTES]) + Sync,
) -> Vec<u8> {
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    debug_assert!(rest.is_empty(), "{} values are no whole number of blocks", values.len());
    let mut bytes = vec![0; blocks.len() * BYTES];
    kernels::for_each_chunk(&mut bytes, BYTES * BLOCKS_A_TASK, |task, out| {
        let blocks = &blocks[task * BLOCKS_A_TASK..];
        for (out, block) in out.as_chunks_mut::<BYTES>().0.iter_mut().zip(blocks) {
            encode(block, out);
        }
    });
    bytes
}

/// What blocks of `Q8_0` (else of `Q4_0`) stand for. Written apart from [`encode`], to check it.
pub fn decode_blocks(storage: Storage, bytes: &[u8]) -> Vec<f32> {
    let scale = |block: &[u8]| f16::from_le_bytes([block[0], block[1]]).to_f32();
    if storage == Storage::Q8_0 {
        let value = |block: &[u8; Q8_0_BYTES], i: usize| scale(block) * f32::from(block[2 + i] as i8);
        return bytes.as_chunks().0.iter().flat_map(|b| (0..BLOCK).map(move |i| value(b, i))).collect();
    }
    let code =
        |block: &[u8; Q4_0_BYTES], i: usize| if i < 16 { block[2 + i] & 15 } else { block[2 + i - 16] >> 4 };
    let value = move |block: &[u8; Q4_0_BYTES], i: usize| scale(block) * (f32::from(code(block, i)) - 8.0);
    bytes.as_chunks().0.iter().flat_map(|b| (0..BLOCK).map(move |i| value(b, i))).collect()
}

/// `‖approximation − exact‖ / ‖exact‖`; 0 where both are zero.
pub fn relative_rms_error(exact: &[f32], approximation: &[f32]) -> f64 {
    let square = |v: f64| v * v;
    let error: f64 =
        exact.iter().zip(approximation).map(|(&a, &b)| square(f64::from(a) - f64::from(b))).sum();
    let energy: f64 = exact.iter().map(|&v| square(v.into())).sum();
    if error == 0.0 { 0.0 } else { (error / energy).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate;

    /// As small as weights are.
    fn noise(seed: u64, n: usize) -> Vec<f32> {
        calibrate::tests::noise(seed, n).into_iter().map(|v| v * 0.05).collect()
    }

    fn round_trip(storage: Storage, values: &[f32]) -> f64 {
        let decoded = decode_blocks(storage, &encode(storage, values));
        relative_rms_error(values, &decoded)
    }

    #[test]
    fn seven_bit_codes_stay_within_63() {
        for values in [noise(1, 3200), vec![65504.0; 32], vec![-1e-6; 32], vec![0.0; 32]] {
            for block in encode(Storage::Q8_0, &values).as_chunks::<Q8_0_BYTES>().0 {
                assert!(block[2..].iter().all(|&q| (-63..=63).contains(&(q as i8))));
                assert!(f16::from_le_bytes([block[0], block[1]]).is_finite());
            }
        }
    }

    #[test]
    fn the_nibble_order_is_ggufs() {
        // Codes −8…7 twice: the scale that gives them back exactly is 1.
        let values: Vec<f32> = (0..32).map(|i| (i % 16) as f32 - 8.0).collect();
        let bytes = encode(Storage::Q4_0, &values);
        assert_eq!(f16::from_le_bytes([bytes[0], bytes[1]]), f16::ONE);
        let expected: Vec<u8> = (0..16).map(|j| j | j << 4).collect();
        assert_eq!(bytes[2..], expected);
        let mut lone = [0.0f32; 32];
        lone[17] = -8.0;
        let bytes = encode(Storage::Q4_0, &lone);
        let nibbles = |byte: u8| (byte & 15, byte >> 4);
        assert_eq!(nibbles(bytes[2]), (8, 8));
        assert_ne!(nibbles(bytes[3]).1, 8, "element 17 is the high nibble of byte 1");
        assert_eq!(decode_blocks(Storage::Q4_0, &bytes), lone);
    }

    /// What plain rounding by the largest magnitude does.
    fn plain(values: &[f32], highest: f32) -> f64 {
        let round = |block: &[f32; BLOCK]| {
            let largest = block.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let d = f16::from_f32(largest / highest).to_f32();
            block.map(|v| (v / d).round().clamp(-highest, highest) * d)
        };
        let rounded: Vec<f32> = values.as_chunks::<BLOCK>().0.iter().flat_map(round).collect();
        relative_rms_error(values, &rounded)
    }

    #[test]
    fn the_search_beats_plain_rounding() {
        let values = noise(2, 32 * 4096);
        let (eight, four) = (round_trip(Storage::Q8_0, &values), round_trip(Storage::Q4_0, &values));
        let (plain_eight, plain_four) = (plain(&values, 63.0), plain(&values, 7.0));
        println!("8-bit {eight:.5} against {plain_eight:.5}; 4-bit {four:.5} against {plain_four:.5}");
        assert!(eight < 0.97 * plain_eight, "{eight} {plain_eight}");
        assert!(four < 0.90 * plain_four, "{four} {plain_four}");
    }

    #[test]
    fn storage_follows_the_role() {
        let spec = |name: &str, shape: &[usize], role| TensorSpec {
            name: name.into(),
            shape: shape.into(),
            role,
            head_width: None,
        };
        let qkv = spec("blocks.0.attn.qkv.weight", &[96, 32], Role::Linear);
        let odd = spec("blocks.0.mlp.fc2.weight", &[32, 40], Role::Linear);
        let head = spec("head.weight", &[10, 32], Role::Linear);
        let patch = spec("patch_embed.proj.weight", &[32, 768], Role::PatchEmbedding);
        let bias = spec("head.bias", &[32], Role::Small);
        let table = [
            (Quantization::Q8_0, [Storage::Q8_0, Storage::F16, Storage::Q8_0, Storage::F16, Storage::F32]),
            (Quantization::Q4_0, [Storage::Q4_0, Storage::F16, Storage::Q8_0, Storage::F16, Storage::F32]),
            (Quantization::F16, [Storage::F16, Storage::F16, Storage::F16, Storage::F16, Storage::F32]),
            (Quantization::F32, [Storage::F32; 5]),
        ];
        for (quantization, expected) in table {
            let got = [&qkv, &odd, &head, &patch, &bias].map(|spec| quantization.storage(spec));
            assert_eq!(got, expected, "{quantization}");
        }
    }
}

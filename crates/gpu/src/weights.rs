//! Weights as `linear.wgsl` reads them: panels of 64 rows, whose words lie in the order in which
//! neighbouring threads load them.

use half::f16;
use kernels::{BLOCK, PackError, WeightFormat};

/// How the weights of a matrix are stored on the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Not quantised.
    F32,
    /// Signed 8-bit codes, a scale for each 32.
    Q8_0,
    /// Codes 0…15, offset 8, a scale for each 32.
    Q4_0,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::F32, Self::Q8_0, Self::Q4_0];

    /// The constant that stands for it in `linear.wgsl`.
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::Q8_0 => 1,
            Self::Q4_0 => 2,
        }
    }

    /// The largest code of quantised activations that meet such weights; none meet F32.
    pub(crate) const fn largest_activation(self) -> Option<i8> {
        match self {
            Self::F32 => None,
            Self::Q8_0 => Some(WeightFormat::Q8_0.largest_activation()),
            Self::Q4_0 => Some(WeightFormat::Q4_0.largest_activation()),
        }
    }
}

impl From<WeightFormat> for Format {
    fn from(format: WeightFormat) -> Self {
        match format {
            WeightFormat::Q8_0 => Self::Q8_0,
            WeightFormat::Q4_0 => Self::Q4_0,
        }
    }
}

/// Rows of W in a panel.
pub(crate) const PANEL: usize = 64;
/// Columns of W that the kernel takes at a time.
const STEP: usize = 16;
/// Consecutive columns that a thread works on as one vector.
const QUAD: usize = 4;

/// Weights `[n, k]`, padded with zeros to whole panels and steps.
///
/// ```text
/// words  [panel][quad][row of the panel]   F32: 4 words; Q8_0: one of 4 codes; Q4_0: one of 8 for two quads,
///                                          the first quad's codes in the low nibbles
/// scales [panel][block][row of the panel]  f16, two in a word, the first in the low half
/// ```
#[derive(Debug, PartialEq)]
pub(crate) struct Packed {
    pub words: Vec<u32>,
    /// Never empty, since no binding may be: a zero stands for none.
    pub scales: Vec<u32>,
}

/// Quads in which `k` columns are stored.
pub(crate) fn stored_quads(k: usize) -> usize {
    k.next_multiple_of(STEP) / QUAD
}

/// The 32-bit words of packed weights `[n, k]`, and of their scales.
pub(crate) fn stored_words(format: Format, n: usize, k: usize) -> [usize; 2] {
    let panels = n.div_ceil(PANEL);
    let weights = panels * k.div_ceil(BLOCK) * PANEL;
    match format {
        Format::F32 => [panels * stored_quads(k) * PANEL * QUAD, 1],
        Format::Q8_0 => [weights * BLOCK / 4, weights / 2],
        Format::Q4_0 => [weights * BLOCK / 8, weights / 2],
    }
}

/// Packs row-major F32 weights; `values` holds `n · k`.
pub(crate) fn pack_dense(n: usize, k: usize, values: &[f32]) -> Packed {
    let quads = stored_quads(k);
    let mut words = vec![0; n.div_ceil(PANEL) * quads * PANEL * QUAD];
    for (row, values) in values.chunks_exact(k.max(1)).enumerate() {
        let (panel, row) = (row / PANEL, row % PANEL);
        for (column, value) in values.iter().enumerate() {
            let place = (panel * quads + column / QUAD) * PANEL + row;
            words[place * QUAD + column % QUAD] = value.to_bits();
        }
    }
    Packed { words, scales: vec![0] }
}

/// Packs GGUF blocks of weights `[n, k]`, in row-major order.
///
/// # Errors
/// When the shape isn't one of whole blocks, the bytes aren't as many as it wants, or a scale is not finite.
pub(crate) fn pack_blocks(
    format: WeightFormat,
    n: usize,
    k: usize,
    bytes: &[u8],
) -> Result<Packed, PackError> {
    let block_bytes = format.block_bytes();
    if n == 0 || k == 0 || !k.is_multiple_of(BLOCK) {
        return Err(PackError::Shape { n, k });
    }
    let expected = (k / BLOCK).checked_mul(block_bytes).and_then(|row| row.checked_mul(n));
    let expected = expected.ok_or(PackError::Shape { n, k })?;
    if bytes.len() != expected {
        return Err(PackError::Length { format, n, k, expected, got: bytes.len() });
    }
    let blocks = k / BLOCK;
    let panels = n.div_ceil(PANEL);
    let block_words = match format {
        WeightFormat::Q8_0 => BLOCK / 4,
        WeightFormat::Q4_0 => BLOCK / 8,
    };
    let mut words = vec![0; panels * blocks * block_words * PANEL];
    let mut scales = vec![0; panels * blocks * PANEL / 2];
    for (index, source) in bytes.chunks_exact(block_bytes).enumerate() {
        let (row, block) = (index / blocks, index % blocks);
        let ([low, high], codes) = (source.first_chunk().copied().unwrap_or_default(), &source[2..]);
        let scale = f16::from_le_bytes([low, high]);
        if !scale.is_finite() {
            return Err(PackError::Scale { row, block, scale: scale.to_f32() });
        }
        let (panel, row) = (row / PANEL, row % PANEL);
        let place = (panel * blocks + block) * PANEL + row;
        scales[place / 2] |= u32::from(scale.to_bits()) << (16 * (place % 2));
        for word in 0..block_words {
            words[((panel * blocks + block) * block_words + word) * PANEL + row] = match format {
                WeightFormat::Q8_0 => u32::from_le_bytes(std::array::from_fn(|i| codes[4 * word + i])),
                WeightFormat::Q4_0 => {
                    let code = |k: usize| nibble(codes, 8 * word + k);
                    u32::from_le_bytes(std::array::from_fn(|i| code(i) | code(i + 4) << 4))
                }
            };
        }
    }
    Ok(Packed { words, scales })
}

/// Code `k` of a Q4_0 block: its byte j holds code j (low) and code j + 16 (high).
fn nibble(codes: &[u8], k: usize) -> u8 {
    if k < BLOCK / 2 { codes[k] & 15 } else { codes[k - BLOCK / 2] >> 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bit_codes_lie_by_panel_quad_row() {
        // One block a row, 65 rows: a second panel begins. Code i of row r is r + i, as a byte.
        let block = |row: usize| {
            let scale = f16::from_f32(row as f32).to_le_bytes();
            scale.into_iter().chain((0..32).map(move |i| (row + i) as u8))
        };
        let bytes: Vec<u8> = (0..65).flat_map(block).collect();
        let packed = pack_blocks(WeightFormat::Q8_0, 65, 32, &bytes).unwrap();
        assert_eq!(packed.words.len(), 2 * 8 * 64);
        assert_eq!(packed.words[2 * 64 + 3].to_le_bytes(), [11, 12, 13, 14]);
        assert_eq!(packed.words[8 * 64].to_le_bytes(), [64, 65, 66, 67]);
        assert_eq!(packed.words[8 * 64 + 1], 0, "padding");
        let scale = |at: usize| f16::from_bits((packed.scales[at / 2] >> (16 * (at % 2))) as u16).to_f32();
        assert_eq!((scale(3), scale(64), scale(65)), (3.0, 64.0, 0.0));
    }

    #[test]
    fn four_bit_codes_of_two_quads_share_a_word() {
        // Codes 0…15 twice: byte j holds j and j again.
        let mut bytes = f16::from_f32(1.0).to_le_bytes().to_vec();
        bytes.extend((0..16).map(|j| j | j << 4));
        let packed = pack_blocks(WeightFormat::Q4_0, 1, 32, &bytes).unwrap();
        assert_eq!(packed.words[0].to_le_bytes(), [0x40, 0x51, 0x62, 0x73]);
        assert_eq!(packed.words[64].to_le_bytes(), [0xc8, 0xd9, 0xea, 0xfb]);
        assert_eq!(packed.words[2 * 64], packed.words[0]);
    }

    #[test]
    fn as_many_words_are_stored_as_are_foretold() {
        for (n, k) in [(1, 32), (64, 96), (65, 1024)] {
            let packed = [
                (Format::F32, pack_dense(n, k, &vec![0.0; n * k])),
                (Format::Q8_0, pack_blocks(WeightFormat::Q8_0, n, k, &vec![0; n * k / 32 * 34]).unwrap()),
                (Format::Q4_0, pack_blocks(WeightFormat::Q4_0, n, k, &vec![0; n * k / 32 * 18]).unwrap()),
            ];
            for (format, Packed { words, scales }) in packed {
                assert_eq!([words.len(), scales.len()], stored_words(format, n, k), "{format:?} {n} × {k}");
            }
        }
    }

    #[test]
    fn dense_values_are_padded_to_steps() {
        let values: Vec<f32> = (0..2 * 18).map(|v| v as f32).collect();
        let packed = pack_dense(2, 18, &values);
        assert_eq!(stored_quads(18), 8);
        assert_eq!(packed.words.len(), 8 * 64 * 4);
        let at = |quad: usize, row: usize, i: usize| f32::from_bits(packed.words[(quad * 64 + row) * 4 + i]);
        assert_eq!((at(4, 1, 1), at(4, 1, 2), at(5, 1, 0)), (35.0, 0.0, 0.0));
    }

    #[test]
    fn wrong_shapes_lengths_and_scales_are_refused() {
        let block = [0u8; 34];
        let pack = |n, k, bytes: &[u8]| pack_blocks(WeightFormat::Q8_0, n, k, bytes).unwrap_err();
        assert!(matches!(pack(1, 33, &block), PackError::Shape { .. }));
        assert!(matches!(pack(1, usize::MAX & !31, &block), PackError::Shape { .. }));
        assert!(matches!(pack(2, 32, &block), PackError::Length { expected: 68, got: 34, .. }));
        let infinite: Vec<u8> = f16::INFINITY.to_le_bytes().into_iter().chain([0; 32]).collect();
        assert!(matches!(pack(1, 32, &infinite), PackError::Scale { row: 0, block: 0, .. }));
    }
}

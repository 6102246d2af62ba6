//! Where a tensor's numbers are in a checkpoint's files, and how they are stored.

#[cfg(feature = "files")]
use crate::deflated::Deflated;
use half::{bf16, f16};
use std::ops::Range;

/// The type of a tensor's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Dtype {
    F32,
    F16,
    BF16,
    F64,
    /// Something no weight is stored as, by its name.
    Other(String),
}

impl Dtype {
    /// Bytes of one number; 0 for [`Dtype::Other`], whose values are never read.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Other(_) => 0,
        }
    }
}

/// Where one tensor is.
#[derive(Clone, Debug)]
pub struct TensorEntry {
    /// The type of its numbers.
    pub dtype: Dtype,
    /// As the checkpoint has it.
    pub shape: Vec<usize>,
    /// Numbers from one element to the next along each dimension.
    pub(crate) strides: Vec<usize>,
    /// The bytes from the tensor's first element on, in the file or in the inflated member. Every
    /// element lies inside: the readers check it.
    pub(crate) bytes: Range<usize>,
    #[cfg(feature = "files")]
    pub(crate) deflated: Option<Deflated>,
    /// Number of the file among the source's.
    #[cfg(feature = "files")]
    pub(crate) file: usize,
}

impl TensorEntry {
    /// A tensor without gaps, row-major.
    pub(crate) fn contiguous(dtype: Dtype, shape: Vec<usize>, bytes: Range<usize>) -> Self {
        let strides = contiguous_strides(&shape);
        Self {
            dtype,
            shape,
            strides,
            bytes,
            #[cfg(feature = "files")]
            deflated: None,
            #[cfg(feature = "files")]
            file: 0,
        }
    }

    #[cfg(feature = "files")]
    /// The tensor's values, row-major, from its bytes; [`Dtype::Other`] has none. F64 is narrowed.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        let mut values = Vec::new();
        self.decode_into(bytes, &mut values);
        values
    }

    /// Appends what [`TensorEntry::decode`] gives.
    pub(crate) fn decode_into(&self, bytes: &[u8], values: &mut Vec<f32>) {
        match self.dtype {
            Dtype::F32 => gather(self, bytes.as_chunks::<4>().0, f32::from_le_bytes, values),
            Dtype::F64 => gather(self, bytes.as_chunks::<8>().0, |b| f64::from_le_bytes(b) as f32, values),
            Dtype::F16 => gather(self, bytes.as_chunks::<2>().0, |b| f16::from_le_bytes(b).to_f32(), values),
            Dtype::BF16 => {
                gather(self, bytes.as_chunks::<2>().0, |b| bf16::from_le_bytes(b).to_f32(), values);
            }
            Dtype::Other(_) => {}
        }
    }
}

pub(crate) fn contiguous_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i]);
    }
    strides
}

fn gather<B: Copy>(entry: &TensorEntry, numbers: &[B], widen: impl Fn(B) -> f32, values: &mut Vec<f32>) {
    let elements = entry.shape.iter().product();
    if entry.strides == contiguous_strides(&entry.shape) {
        values.extend(numbers[..elements].iter().map(|&b| widen(b)));
        return;
    }
    values.reserve_exact(elements);
    let mut index = vec![0; entry.shape.len()];
    for _ in 0..elements {
        let at: usize = index.iter().zip(&entry.strides).map(|(i, stride)| i * stride).sum();
        values.push(widen(numbers[at]));
        for (i, &len) in index.iter_mut().zip(&entry.shape).rev() {
            *i += 1;
            if *i < len {
                break;
            }
            *i = 0;
        }
    }
}

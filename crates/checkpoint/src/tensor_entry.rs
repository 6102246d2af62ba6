//! Where a tensor's numbers are in a checkpoint's files, and how they are stored.

use crate::deflated::Deflated;
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
    pub(crate) deflated: Option<Deflated>,
    /// Number of the file among the source's.
    pub(crate) file: usize,
}

impl TensorEntry {
    /// A tensor without gaps, row-major.
    pub(crate) fn contiguous(dtype: Dtype, shape: Vec<usize>, bytes: Range<usize>) -> Self {
        let strides = contiguous_strides(&shape);
        Self { dtype, shape, strides, bytes, deflated: None, file: 0 }
    }
}

pub(crate) fn contiguous_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i]);
    }
    strides
}

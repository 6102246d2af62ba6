//! Rotates the values of each attention head, so that outliers among its channels spread over all of them.
//!
//! Attention's output is a weighted sum of a head's values, and the projection is linear in it: with an orthonormal
//! matrix `H`, values `v·H` and weights `W·H` of the projection's columns give `(v·H)·(W·H)ᵀ = v·Wᵀ`. `H` is Sylvester's
//! Hadamard matrix, whose entries all have the same magnitude: one large channel becomes as many equal ones. Blocks of
//! 32, of weights and of attention's output alike, then have a largest magnitude closer to the others, so a step of
//! their codes is finer (QuaRot, Ashkboos et al. 2024). Nothing is computed at run time.
//!
//! Each tensor is rotated by itself, whenever it comes. `H` is its own inverse.

use crate::TensorFault;
use crate::quantize::Quantization;
use beit::weights::schema::TensorSpec;

/// Rotates a tensor that has attention's values as rows or columns, if it is to be rounded in blocks; others stay as
/// they are. `values` are the tensor's, row-major.
///
/// # Errors
/// When finite values are so large that their sums are not.
pub(crate) fn rotate(
    quantization: Quantization,
    spec: &TensorSpec,
    values: &mut [f32],
) -> Result<(), TensorFault> {
    let Some(head_width) = spec.head_width.filter(|_| quantization.has_blocks()) else { return Ok(()) };
    // Of a width that is no power of two, parts as large as one are rotated.
    let length = 1 << head_width.trailing_zeros();
    match spec.shape[..] {
        // q ‖ k ‖ v: of each head's value rows, column by column.
        [rows, columns] if rows == 3 * columns => {
            let values = &mut values[2 * columns * columns..];
            values.chunks_exact_mut(length * columns).for_each(|rows| transform(rows, columns));
        }
        _ => values.chunks_exact_mut(length).for_each(|values| transform(values, 1)),
    }
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(TensorFault {
            name: spec.name.clone(),
            expected: "values that can be added up, or quantisation as f16 or f32".into(),
            got: "values close to the largest of F32".into(),
        }),
    }
}

/// The product of the Hadamard matrix, divided by the square root of its size, and a matrix with `columns` columns and
/// a power of two of rows. Plain f32 in a fixed order, so every machine gives the same bytes.
fn transform(matrix: &mut [f32], columns: usize) {
    let rows = matrix.len() / columns;
    // Before the sums, which could overflow.
    let scale = 1.0 / (rows as f32).sqrt();
    matrix.iter_mut().for_each(|value| *value *= scale);
    let mut half = columns;
    while half < matrix.len() {
        for pair in matrix.chunks_exact_mut(2 * half) {
            let (upper, lower) = pair.split_at_mut(half);
            for (a, b) in upper.iter_mut().zip(lower) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::tests::noise;
    use beit::weights::schema::Role;

    fn spec(name: &str, shape: &[usize], head_width: Option<usize>) -> TensorSpec {
        TensorSpec { name: name.into(), shape: shape.into(), role: Role::Linear, head_width }
    }

    /// Entry (i, j) of Sylvester's matrix is −1 to the number of bits that i and j have in common.
    fn hadamard(size: usize, i: usize, j: usize) -> f64 {
        let sign = if (i & j).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
        sign / (size as f64).sqrt()
    }

    #[test]
    fn it_is_the_product_with_the_hadamard_matrix() {
        for (rows, columns) in [(1, 3), (2, 1), (8, 5), (64, 1), (128, 2)] {
            let matrix = noise(rows as u64, rows * columns);
            let mut transformed = matrix.clone();
            transform(&mut transformed, columns);
            for i in 0..rows {
                for c in 0..columns {
                    let expected: f64 =
                        (0..rows).map(|j| hadamard(rows, i, j) * f64::from(matrix[j * columns + c])).sum();
                    let got = f64::from(transformed[i * columns + c]);
                    assert!((got - expected).abs() < 1e-5, "{rows} × {columns}: {got} {expected}");
                }
            }
        }
    }

    #[test]
    fn products_of_values_and_projection_stay_as_they_were() {
        // 96 has a largest part of 32.
        for (width, head_width) in [(128, 64), (192, 96), (10, 5)] {
            let qkv = spec("blocks.0.attn.qkv.weight", &[3 * width, width], Some(head_width));
            let projection = spec("blocks.0.attn.proj.weight", &[width, width], Some(head_width));
            let (first, second) = (noise(1, 3 * width * width), noise(2, width * width));
            let (mut rotated_first, mut rotated_second) = (first.clone(), second.clone());
            rotate(Quantization::Q8_0, &qkv, &mut rotated_first).unwrap();
            rotate(Quantization::Q8_0, &projection, &mut rotated_second).unwrap();
            let unchanged = 2 * width * width;
            assert_eq!(first[..unchanged], rotated_first[..unchanged], "queries and keys");
            assert_eq!(head_width % 2 == 1, first == rotated_first);
            // The sum over a head's channels of projection and values, for one row and one column.
            let product = |projection: &[f32], qkv: &[f32], row: usize, column: usize, head: usize| -> f64 {
                (head * head_width..(head + 1) * head_width)
                    .map(|channel| {
                        let value = qkv[(2 * width + channel) * width + column];
                        f64::from(projection[row * width + channel]) * f64::from(value)
                    })
                    .sum()
            };
            for (row, column, head) in [(0, 0, 0), (3, 9, width / head_width - 1), (7, 2, 1)] {
                let exact = product(&second, &first, row, column, head);
                let got = product(&rotated_second, &rotated_first, row, column, head);
                assert!((exact - got).abs() < 1e-5, "{exact} {got}");
            }
        }
    }

    #[test]
    fn an_outlier_spreads_over_its_head() {
        let bias = spec("blocks.0.attn.v_bias", &[128], Some(64));
        let mut values = vec![0.0; 128];
        values[70] = 8.0;
        rotate(Quantization::Q4_0, &bias, &mut values).unwrap();
        assert!(values[..64].iter().all(|v| *v == 0.0) && values[64..].iter().all(|v| v.abs() == 1.0));
    }

    #[test]
    fn only_what_is_rounded_is_rotated() {
        let (bias, other) =
            (spec("blocks.0.attn.v_bias", &[64], Some(64)), spec("blocks.0.attn.q_bias", &[64], None));
        for (quantization, spec) in
            [(Quantization::F16, &bias), (Quantization::F32, &bias), (Quantization::Q8_0, &other)]
        {
            let mut values = noise(3, 64);
            rotate(quantization, spec, &mut values).unwrap();
            assert_eq!(values, noise(3, 64));
        }
    }

    #[test]
    fn sums_that_overflow_are_refused() {
        let bias = spec("blocks.0.attn.v_bias", &[64], Some(64));
        let fault = rotate(Quantization::Q8_0, &bias, &mut [3e38; 64]).unwrap_err();
        assert_eq!(fault.name, "blocks.0.attn.v_bias");
        rotate(Quantization::F32, &bias, &mut [3e38; 64]).unwrap();
        rotate(Quantization::Q8_0, &bias, &mut [4e37; 64]).unwrap();
    }
}

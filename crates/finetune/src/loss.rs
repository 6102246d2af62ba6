//! What training lowers.

use crate::FinetuneError;
use candle_core::{D, Tensor};

/// The mean over the batch of `−Σ_k target_k · ln softmax(logits)_k`, with a target of `1 − smoothing` for the right
/// class and `smoothing` shared by all (label smoothing). `logits` is `[batch, classes]`.
pub(crate) fn smoothed_cross_entropy(
    logits: &Tensor,
    labels: &[usize],
    smoothing: f64,
) -> Result<Tensor, FinetuneError> {
    let (batch, classes) = logits.dims2()?;
    let mut targets = vec![smoothing / classes as f64; batch * classes];
    for (row, &label) in labels.iter().enumerate() {
        targets[row * classes + label] += 1.0 - smoothing;
    }
    let targets = Tensor::from_vec(targets, (batch, classes), logits.device())?.to_dtype(logits.dtype())?;
    let top = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&top)?;
    let sum = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let log_probabilities = shifted.broadcast_sub(&sum)?;
    Ok(((log_probabilities * targets)?.sum_all()?.neg()? / batch as f64)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn smoothing_shares_a_part_among_all_classes() {
        let logits =
            Tensor::from_vec(vec![2.0f64, 0.0, -1.0, 900.0, 0.0, 0.0], (2, 3), &Device::Cpu).unwrap();
        let loss = |smoothing| {
            smoothed_cross_entropy(&logits, &[0, 0], smoothing).unwrap().to_scalar::<f64>().unwrap()
        };
        let sum = (2f64.exp() + 1.0 + (-1f64).exp()).ln();
        let p = [2.0 - sum, -sum, -1.0 - sum];
        assert!((loss(0.0) - -p[0] / 2.0).abs() < 1e-12);
        let first = -(0.8 * p[0] + 0.1 * p[1] + 0.1 * p[2]);
        let second = 0.2 * 900.0;
        assert!((loss(0.3) - (first + second) / 2.0).abs() < 1e-9, "{}", loss(0.3));
    }
}

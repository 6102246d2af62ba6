//! A GPU to trust: checked against the processor before it sees a photo.

use beit::builder::BuildError;
use gpu::{Arithmetic, Gpu, self_check};
use kernels::WeightFormat;

/// Which arithmetic of the GPU gives right answers on a small network of weights in `format`. None: the cosine
/// to the processor's answer is too low in all of them, which is told.
///
/// # Errors
/// When the GPU fails.
pub async fn check(gpu: &Gpu, format: WeightFormat) -> Result<Result<Vec<Arithmetic>, f64>, BuildError> {
    let mut passed = Vec::new();
    let mut cosine = f64::NAN;
    for arithmetic in candidates(gpu) {
        gpu.set_arithmetic(arithmetic);
        let agreement = self_check(gpu, format).await?;
        cosine = agreement.cosine;
        if agreement.holds(arithmetic) {
            passed.push(arithmetic);
        }
    }
    Ok(if passed.is_empty() { Err(cosine) } else { Ok(passed) })
}

/// On a GPU of silicon all arithmetic it offers, since which is fastest is measured; on an imitated one only
/// 8-bit, where a photo in F32 takes several times as long.
fn candidates(gpu: &Gpu) -> Vec<Arithmetic> {
    let offered = gpu.offered();
    if gpu.is_software() && offered.contains(&Arithmetic::Int8) {
        return vec![Arithmetic::Int8];
    }
    [Arithmetic::F16, Arithmetic::Int8, Arithmetic::F32].into_iter().filter(|a| offered.contains(a)).collect()
}

//! The GPU's own check, in every arithmetic it offers.

use crate::common::gpu;
use ::kernels::WeightFormat;
use gpu::{Arithmetic, self_check};

#[test]
fn every_arithmetic_passes() {
    let gpu = gpu();
    for format in [WeightFormat::Q8_0, WeightFormat::Q4_0] {
        for &arithmetic in gpu.offered() {
            assert!(gpu.set_arithmetic(arithmetic));
            let agreement = pollster::block_on(self_check(&gpu, format)).unwrap();
            println!("{format:?} in {}: {agreement:?}", arithmetic.name());
            assert!(agreement.holds(arithmetic), "{format:?}, {arithmetic:?}: {agreement:?}");
        }
    }
}

#[test]
fn arithmetics_differ_as_much_as_they_should() {
    let gpu = gpu();
    let agreement = |arithmetic| {
        gpu.set_arithmetic(arithmetic)
            .then(|| pollster::block_on(self_check(&gpu, WeightFormat::Q8_0)).unwrap())
    };
    let exact = agreement(Arithmetic::F32).unwrap();
    if let Some(half) = agreement(Arithmetic::F16) {
        // If this were no larger, F16 would not be what ran.
        assert!(half.worst > 4.0 * exact.worst, "{half:?}, in F32 {exact:?}");
    }
}

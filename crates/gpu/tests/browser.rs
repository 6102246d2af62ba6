//! The same kernels by a browser's WebGPU, in a worker, as the page runs them. Natively there is nothing here:
//! `tests/gpu` holds every kernel against the reference.
#![cfg(target_arch = "wasm32")]

use gpu::{Arithmetic, Fault, Gpu, GpuError, GpuOptions, self_check};
use kernels::WeightFormat;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

async fn gpu() -> Gpu {
    let options = GpuOptions { allow_software: true, ..GpuOptions::default() };
    Gpu::request(options).await.unwrap_or_else(|error| panic!("{error}"))
}

#[wasm_bindgen_test]
async fn every_arithmetic_passes_its_check() {
    let gpu = gpu().await;
    console_log!("{}, software: {}, offers {:?}", gpu.name(), gpu.is_software(), gpu.offered());
    for format in [WeightFormat::Q8_0, WeightFormat::Q4_0] {
        for &arithmetic in gpu.offered() {
            assert!(gpu.set_arithmetic(arithmetic));
            let agreement = self_check(&gpu, format).await.unwrap();
            console_log!("{format:?} in {}: {agreement:?}", arithmetic.name());
            assert!(agreement.holds(arithmetic), "{format:?}, {arithmetic:?}: {agreement:?}");
        }
    }
    assert_eq!(gpu.offered()[0], Arithmetic::F32);
    assert_eq!(gpu.fault(), None);
}

#[wasm_bindgen_test]
async fn a_lost_device_is_an_error() {
    let gpu = gpu().await;
    gpu.destroy();
    let error = self_check(&gpu, WeightFormat::Q8_0).await.unwrap_err();
    console_log!("{error}");
    assert!(matches!(gpu.fault(), Some(Fault::Lost(_))), "{:?}", gpu.fault());
}

#[wasm_bindgen_test]
async fn software_adapters_are_refused_unless_allowed() {
    let software = gpu().await.is_software();
    match Gpu::request(GpuOptions::default()).await {
        Err(GpuError::Software { .. }) => assert!(software),
        Err(error) => panic!("{error}"),
        Ok(gpu) => assert!(!gpu.is_software()),
    }
}

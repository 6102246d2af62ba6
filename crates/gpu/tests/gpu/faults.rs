//! Devices that are lost, and requests that can't be met.

use crate::common::gpu;
use beit::backend::{Activation, Backend, BackendError, Linear};
use beit::weights::TensorData;
use gpu::{Fault, Gpu, GpuError, GpuOptions};
use std::sync::mpsc;

#[test]
fn a_lost_device_is_an_error_and_is_told() {
    let gpu = gpu();
    let (sender, receiver) = mpsc::channel();
    gpu.on_fault(move |fault| drop(sender.send(fault.clone())));
    let tokens = gpu.upload(&[1.0; 4], 1, 1, 4).unwrap();
    assert_eq!(pollster::block_on(gpu.read(&tokens)).unwrap(), [1.0; 4]);
    assert_eq!(gpu.fault(), None);
    gpu.destroy();
    let error = pollster::block_on(gpu.read(&tokens)).unwrap_err();
    assert!(matches!(&error, BackendError::Device(why) if why.contains("lost")), "{error}");
    assert!(matches!(gpu.fault(), Some(Fault::Lost(_))), "{:?}", gpu.fault());
    assert!(matches!(receiver.try_recv().unwrap(), Fault::Lost(_) | Fault::Driver(_)));
    assert!(gpu.vector(vec![0.0; 4]).is_err());
}

/// The product's output would be larger than any buffer: refused before the device hears of it.
#[test]
fn more_than_a_buffer_holds_is_refused() {
    let gpu = gpu();
    let limits = gpu.limits();
    let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
    let rows = 2000;
    let n = usize::try_from(most).unwrap() / 4 / rows + 1;
    let linear = Linear::<Gpu> {
        weight: gpu.matrix(n, 1, TensorData::Dense(vec![0.0; n])).unwrap(),
        bias: gpu.vector(vec![0.0; n]).unwrap(),
    };
    let x = gpu.upload(&vec![0.0; rows], 1, rows, 1).unwrap();
    let error = gpu.linear(&x, &linear, Activation::None).err().unwrap();
    assert!(matches!(error, BackendError::Shape { got, .. } if got as u64 > most), "{error}");
    assert_eq!(gpu.fault(), None);
}

#[test]
fn software_adapters_are_refused_unless_allowed() {
    if !gpu().is_software() {
        println!("skipped: this machine has a real GPU, so no software adapter is chosen");
        return;
    }
    match pollster::block_on(Gpu::request(GpuOptions::default())) {
        Err(GpuError::Software { name }) => assert!(!name.is_empty()),
        Err(error) => panic!("{error}"),
        Ok(gpu) => panic!("{} was taken", gpu.name()),
    }
}

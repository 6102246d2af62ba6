//! What device selection needs of a GPU beside the operations of a backend.
#![allow(async_fn_in_trait)]

use super::{Agreement, Arithmetic, Backend, BackendError};
use crate::builder::BuildError;
use crate::config::Config;
use kernels::WeightFormat;

/// A GPU that can be used.
pub trait GpuBackend: Backend + Clone {
    /// For a person to read.
    fn name(&self) -> String;

    /// Tells one GPU and driver from another.
    fn identity(&self) -> String;

    /// Whether it is imitated on the processor.
    fn is_software(&self) -> bool;

    /// The arithmetic that it supports.
    fn offered(&self) -> Vec<Arithmetic>;

    /// The arithmetic in use.
    fn arithmetic(&self) -> Arithmetic;

    /// What is not offered changes nothing.
    fn set_arithmetic(&self, arithmetic: Arithmetic);

    /// Runs a small network here and on the processor, and compares their logits.
    async fn self_check(&self, format: WeightFormat) -> Result<Agreement, BuildError>;

    /// Times variants of the network's products in these arithmetics, uses the fastest from now on, and gives their
    /// names, to be remembered for this device and driver. `now` gives milliseconds. Comes after [`GpuBackend::compile`],
    /// which compiles all of them, while nothing else keeps the device or this thread busy.
    async fn tune(
        &self,
        config: &Config,
        quantization: &str,
        arithmetics: &[Arithmetic],
        most_photos: usize,
        now: &dyn Fn() -> f64,
    ) -> Result<String, BackendError>;

    /// Uses the variants that [`GpuBackend::tune`] named. Gives false and changes nothing where it doesn't know them. Comes
    /// before [`GpuBackend::compile`].
    fn recall(&self, tuned: &str) -> bool;

    /// Compiles what the network runs. `ready` is called with the number of programs that are compiled, and of all.
    async fn compile(
        &self,
        config: &Config,
        quantization: &str,
        arithmetics: &[Arithmetic],
        most_photos: usize,
        ready: &dyn Fn(usize, usize),
    ) -> Result<(), BackendError>;

    /// The most photos in one pass.
    fn most_photos(&self, config: &Config) -> usize;
}

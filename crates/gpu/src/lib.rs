//! The network on a GPU: the kernels of [`beit::backend::Backend`] as WGSL, run by `wgpu` on WebGPU in a
//! browser and on Vulkan, Metal or DX12 natively.
//!
//! ```text
//! backend: a call ─▶ recorder: a dispatch ─▶ … ─▶ readback: one submission, one wait
//!    │ weights, buffers            └ pipelines ─▶ kernel ─▶ kernels/*.wgsl
//!    └ packed in GPU memory, dequantised in the matrix product's tile
//! ```
//!
//! Everything is summed in F32. Matrix products compute in F32 unless another [`Arithmetic`] is set: answers
//! are then those of the dequantised network to rounding. The limits that every WebGPU device has are enough (buffers
//! of 256 MiB, bindings of 128 MiB, 16 KiB of workgroup memory, 256 invocations).
//!
//! Kernels are compiled once and, if [`Gpu::prepare`] is called, before any photo. Where the device has subgroups, the
//! layer norm sums by them. The attention's and the mean's sums are shared by threads that meet at barriers which
//! they need anyway: subgroups would spare them none.
//!
//! Errors that the device reports late (out of memory, a lost device) are remembered in its [`Fault`] and
//! come back from the next call that waits.
#![warn(missing_docs)]

mod backend;
mod buffers;
mod compile;
#[cfg(target_arch = "wasm32")]
mod compile_async;
mod fault;
mod gpu;
mod gpu_backend;
#[cfg(not(target_arch = "wasm32"))]
mod gpu_time;
mod kernel;
mod network_kernels;
mod pipelines;
mod random;
mod readback;
mod recorder;
mod self_check;
mod tiles;
mod tune;
mod weights;

pub use backend::{GpuMatrix, GpuTokens, GpuVector};
pub use beit::backend::{Agreement, Arithmetic};
pub use fault::Fault;
pub use gpu::{Gpu, GpuError, GpuOptions};
#[cfg(not(target_arch = "wasm32"))]
pub use gpu_time::{Timed, TimedBy};
pub use kernel::{Bindings, Kernel, Tile};
pub use self_check::self_check;
pub use tiles::{NoTiles, Tiles};
pub use weights::Format;
pub use wgpu::AdapterInfo;

//! The network's arithmetic on the CPU: quantised matrix products and the float stages between them.
//!
//! Every kernel exists as plain loops (`scalar.rs`, the reference) and once for each instruction set
//! ([`Isa`]). All of those give the same bits (`tests/kernels/same_bits.rs`); the reference has the same integers,
//! and floats that differ by rounding.
//!
//! ```text
//! x [rows, k] ── quantize ──▶ signed codes + scale a block ┐
//!                                                          ├─ gemm ──▶ out [rows, n]
//! W [n, k] GGUF blocks ─ pack ─▶ panels of 8 rows, u7 each ┘
//! ```
//!
//! Weights are the 7-bit operand (offset 64 for 8-bit codes, 8 for 4-bit), so a pair of products fits in 16 bits:
//! no instruction used here can saturate. Activations have 8 bits beside 4-bit weights (−127…127) and 7 beside 8-bit
//! ones (−64…64), where two pairs fit.
//!
//! Files, from the bottom to the top:
//!
//! ```text
//! isa            which instruction sets there are
//! kernel_table   what each of them implements
//! float, attention_head, dense_tile     kernels over any SIMD register (lanes), ┐
//! x86*, simd128, extmul, relaxed,       compiled or written for each set        │ one thread
//! wasm*, scalar                                                                 │
//! dispatch       from an instruction set to its table                           ┘
//! gemm, attention, dense, rows          whole operations, shared among threads
//! ```
//!
//! The crate knows no model, no file format beyond a block of weights, and no clock.
#![warn(missing_docs)]
// Without SIMD there is only the scalar reference.
#![cfg_attr(
    not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))),
    allow(dead_code, unused_macros, unused_imports)
)]

mod activations;
mod attention;
mod attention_head;
mod dense;
mod dense_tile;
mod dispatch;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod extmul;
mod float;
mod float_kernels;
mod gemm;
mod isa;
mod isa_benchmark;
mod kernel_table;
mod lanes;
mod pack;
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
pub mod pool;
mod position_bias;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod relaxed;
mod rows;
mod rows_cut;
mod scalar;
mod shape;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(test)]
mod thread_model;
mod threads;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm_bytes;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm_tile;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_tile;

pub use activations::QuantizedActivations;
pub use attention::{AttentionOutput, AttentionScratch, Heads, attention};
pub use dense::{DenseWeights, dense};
pub use gemm::{Activation, Output, gemm};
pub use isa::Isa;
pub use pack::{PackError, PackedWeights, WeightFormat};
pub use position_bias::{PositionBias, RelativePositionBias};
pub use rows::{add_scaled, gelu, layer_norm, layer_norm_codes, softmax};
pub use threads::for_each_chunk;

/// Values that share a scale, in weights and in activations.
pub const BLOCK: usize = 32;

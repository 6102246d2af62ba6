//! BEiTv2 image classification, from a photo's bytes to its top-5.
//!
//! ```text
//! photo bytes → Rgb → Pixels → patch embedding → Block × depth → pooled → Logits → Predictions
//!            decode  preprocess     patch           block        model     model      topk
//! ```
//! Each arrow is one function, each noun one type, each stage one file named after it. A second output
//! branches off the last tokens: the [`heatmap`].
//! This crate knows no browser, no clock and no network; only [`weights`] knows the file format.
#![warn(missing_docs)]

pub mod backend;
mod batch;
pub mod block;
pub mod builder;
pub mod calibration;
pub mod classes;
pub mod config;
pub mod decode;
pub mod heatmap;
pub mod kinds;
pub mod labels;
pub mod model;
pub mod patch;
pub mod position;
pub mod preprocess;
pub mod topk;
pub mod weights;

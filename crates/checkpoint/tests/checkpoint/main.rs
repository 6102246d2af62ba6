//! Checkpoints: what is read, refused, rounded and written. One program, which is compiled and linked once.

mod beit_version;
mod calibration;
mod containers;
mod conversion;
mod outliers;
mod photo_agreement;
mod pth;
mod refusals;
mod streaming;
mod streaming_pytorch;
mod streaming_resumed;
mod support;
mod wrapped;

//! Photos and networks against Pillow's and timm's. One program, which is compiled and linked once.

mod common;
mod decode;
mod golden;
mod heatmap;
mod jpeg;
mod odd_photos;
mod preprocess;
mod tiff;
mod tiny;

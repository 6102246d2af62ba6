//! The kernels on a GPU against the processor's scalar reference, and whole networks. Any adapter serves, also one
//! that imitates a GPU on the processor, such as Mesa's lavapipe (Debian: `apt-get install mesa-vulkan-drivers`).

mod common;
mod faults;
mod kernels;
mod networks;
mod pipelines;
mod self_checks;
mod tuning;

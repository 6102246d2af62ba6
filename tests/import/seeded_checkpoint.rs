//! A small network with BEiTv2's names and 1,000 classes, seeded.

use crate::checkpoints::{Tensors, TestTensor};
use beit::config::Config;
use beit::weights::schema::Role;
use checkpoint::seeded;
use safetensors::Dtype;

/// 12 million values: an import takes several pieces, a photo a moment.
pub fn tensors() -> Tensors {
    let config = Config { width: 384, heads: 6, mlp_width: 1536, depth: 6, ..Config::beitv2_large() };
    let tensor = |spec| {
        let values = seeded::tensor(&config, &spec);
        // PyTorch's shapes, where they differ.
        let shape = match (spec.role, spec.name.as_str()) {
            (Role::PatchEmbedding, _) => vec![config.width, 3, config.patch_size, config.patch_size],
            (_, "cls_token") => vec![1, 1, config.width],
            _ => spec.shape,
        };
        (spec.name, TestTensor { dtype: Dtype::F32, shape, values })
    };
    config.tensors().into_iter().map(tensor).collect()
}

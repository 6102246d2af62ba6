//! Writes a BEiTv2-large checkpoint with seeded random weights (1.2 GB in F32), to measure conversions
//! at the true size, or with fewer of its 24 blocks where that would take too long:
//!
//! ```sh
//! cargo run --release -p checkpoint --example seeded_checkpoint -- large.safetensors [BLOCKS]
//! ```

use beit::config::Config;
use beit::weights::schema::Role;
use checkpoint::seeded;
use safetensors::tensor::{Dtype, TensorView};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: seeded_checkpoint FILE.safetensors [BLOCKS]")?;
    let mut config = Config::beitv2_large();
    if let Some(blocks) = std::env::args().nth(2) {
        config.depth = blocks.parse()?;
    }
    let tensor = |spec| {
        let bytes = seeded::tensor(&config, &spec).iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        // PyTorch's shapes, where they differ from ours.
        let shape = match (spec.role, spec.name.as_str()) {
            (Role::PatchEmbedding, _) => vec![config.width, 3, config.patch_size, config.patch_size],
            (_, "cls_token") => vec![1, 1, config.width],
            _ => spec.shape,
        };
        (spec.name, shape, bytes)
    };
    let tensors: Vec<_> = config.tensors().into_iter().map(tensor).collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    safetensors::serialize_to_file(views, None, Path::new(&path))?;
    Ok(())
}

//! Writes a BEiTv2-large checkpoint with seeded random weights (1.2 GB in F32), to measure conversions
//! at the true size, or with fewer of its 24 blocks where that would take too long; with outliers as trained networks
//! have them, of the kinds that `checkpoint::seeded::Outliers` describes:
//!
//! ```sh
//! cargo run --release -p checkpoint --example seeded_checkpoint -- large.safetensors [BLOCKS] [--outliers channels,tokens,tails]
//! ```

use beit::config::Config;
use beit::weights::schema::Role;
use checkpoint::seeded::{self, Outliers};
use safetensors::tensor::{Dtype, TensorView};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut outliers: Vec<Outliers> = Vec::new();
    if let Some(at) = arguments.iter().position(|argument| argument == "--outliers") {
        arguments.remove(at);
        if at == arguments.len() {
            return Err("--outliers: expected kinds such as channels,tokens,tails".into());
        }
        outliers = arguments.remove(at).split(',').map(str::parse).collect::<Result<_, _>>()?;
    }
    let mut arguments = arguments.into_iter();
    let usage = "usage: seeded_checkpoint FILE.safetensors [BLOCKS] [--outliers KIND,…]";
    let path = arguments.next().ok_or(usage)?;
    let mut config = Config::beitv2_large();
    if let Some(blocks) = arguments.next() {
        config.depth = blocks.parse()?;
    }
    let tensor = |spec| {
        let values = seeded::tensor_with(&config, &spec, &outliers);
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
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

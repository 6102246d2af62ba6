//! Infers a network's configuration from its tensors' shapes.

use beit::config::{Config, Position};
use beit::preprocess::Preprocessing;
use std::collections::BTreeMap;

/// Width of a head in every published BEiT; decides the number of heads where there is no bias
/// table to count them in.
const USUAL_HEAD_WIDTH: usize = 64;
/// More blocks than this are taken for an error.
const MAX_DEPTH: usize = 256;

/// Shapes of a checkpoint's tensors under our names, parts joined, leading ones kept.
pub(crate) type Shapes = BTreeMap<String, Vec<usize>>;

/// The network that these tensors belong to.
///
/// Each size is what most of the tensors that show it say, so one misshapen tensor is found out
/// later instead of misleading; a size that no tensor shows gets a usual value, and the tensors
/// that should have shown it are found missing or misshapen later.
pub(crate) fn config(shapes: &Shapes, name: &str) -> Config {
    let dim = |tensor: &str, i: usize, rank: usize| {
        shapes.get(tensor).filter(|s| s.len() == rank).map(|s| s[i]).filter(|&size| size > 0)
    };
    let depth = depth(shapes);
    let in_blocks = |tensor: &str, i: usize, rank: usize| {
        most((0..depth).filter_map(|block| dim(&format!("blocks.{block}.{tensor}"), i, rank)))
    };

    let width = most(
        [
            dim("patch_embed.proj.weight", 0, 4),
            dim("cls_token", 2, 3),
            dim("fc_norm.weight", 0, 1),
            in_blocks("norm1.weight", 0, 1),
        ]
        .into_iter()
        .flatten(),
    );
    let width = width.unwrap_or(768);
    let mlp_width =
        in_blocks("mlp.fc1.weight", 0, 2).or(in_blocks("mlp.fc1.bias", 0, 1)).unwrap_or(4 * width);
    let patch_size = dim("patch_embed.proj.weight", 3, 4).unwrap_or(16);
    let classes = dim("head.weight", 0, 2).or(dim("head.bias", 0, 1)).unwrap_or(1000);

    let absolute = shapes.contains_key("pos_embed");
    let position = if absolute { Position::AbsoluteEmbedding } else { Position::RelativeBias };
    let grid = if absolute {
        dim("pos_embed", 1, 3).and_then(grid_of_tokens)
    } else {
        in_blocks("attn.relative_position_bias_table", 0, 2).and_then(grid_of_relative_positions)
    };
    let grid = grid.unwrap_or(14);
    let heads = in_blocks("attn.relative_position_bias_table", 1, 2);
    let heads = heads.unwrap_or((width / USUAL_HEAD_WIDTH).max(1));

    let image_size = grid.saturating_mul(patch_size);
    Config {
        name: name.to_owned(),
        image_size,
        patch_size,
        width,
        depth,
        heads,
        mlp_width,
        classes,
        position,
        layer_norm_eps: 1e-6,
        preprocessing: preprocessing(image_size),
    }
}

/// BEiTv2's evaluation protocol (unilm): the short side is 256/224 of the image size, bicubic,
/// ImageNet's mean and standard deviation.
pub(crate) fn preprocessing(image_size: usize) -> Preprocessing {
    Preprocessing {
        short_side: image_size.saturating_mul(256) / 224,
        crop: image_size,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    }
}

/// The number of blocks that leaves least amiss, tensors missing and tensors to spare counted together:
/// a missing block is found missing, and a wild number is found surplus.
fn depth(shapes: &Shapes) -> usize {
    let number = |name: &String| name.strip_prefix("blocks.")?.split_once('.')?.0.parse::<usize>().ok();
    let mut counts = BTreeMap::new();
    for block in shapes.keys().filter_map(number) {
        *counts.entry(block).or_insert(0usize) += 1;
    }
    let whole = counts.values().copied().max().unwrap_or(0);
    let amiss = |depth: usize| {
        let inside: usize = counts.range(..depth).map(|(_, count)| count).sum();
        let outside: usize = counts.range(depth..).map(|(_, count)| count).sum();
        depth * whole - inside + outside
    };
    (1..=MAX_DEPTH).min_by_key(|&depth| amiss(depth)).unwrap_or(1)
}

/// `tokens = grid² + 1`
fn grid_of_tokens(tokens: usize) -> Option<usize> {
    exact_root(tokens.checked_sub(1)?)
}

/// `rows = (2·grid − 1)² + 3`
fn grid_of_relative_positions(rows: usize) -> Option<usize> {
    let side = exact_root(rows.checked_sub(3)?)?;
    (side % 2 == 1).then_some(side.div_ceil(2))
}

fn exact_root(square: usize) -> Option<usize> {
    let root = square.isqrt();
    (root > 0 && root * root == square).then_some(root)
}

/// The value that occurs most; the smallest of several.
fn most(values: impl Iterator<Item = usize>) -> Option<usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0usize) += 1;
    }
    let highest = counts.values().copied().max()?;
    counts.into_iter().find(|&(_, count)| count == highest).map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_follow_from_tables_and_embeddings() {
        assert_eq!(grid_of_relative_positions(732), Some(14));
        assert_eq!(grid_of_relative_positions(2212), Some(24));
        assert_eq!(grid_of_relative_positions(731), None);
        assert_eq!(grid_of_relative_positions(2), None);
        assert_eq!(grid_of_tokens(65), Some(8));
        assert_eq!(grid_of_tokens(66), None);
        assert_eq!(grid_of_tokens(0), None);
    }

    #[test]
    fn short_sides_follow_the_evaluation_protocol() {
        assert_eq!([224, 112, 384].map(|size| preprocessing(size).short_side), [256, 128, 438]);
    }

    #[test]
    fn a_missing_block_counts_and_a_wild_one_does_not() {
        let shapes = |blocks: &[usize]| {
            let names = blocks
                .iter()
                .flat_map(|b| ["norm1.weight", "gamma_1"].map(|name| format!("blocks.{b}.{name}")));
            names.map(|name| (name, vec![8])).collect::<Shapes>()
        };
        assert_eq!(depth(&shapes(&[0, 1, 3, 4])), 5);
        assert_eq!(depth(&shapes(&[0, 1, 2, 7])), 3);
        assert_eq!(depth(&shapes(&[0, 1, 2, 4_000_000_000])), 3);
        assert_eq!(depth(&shapes(&[])), 1);
        let mut last = shapes(&[0, 1]);
        last.insert("blocks.2.norm1.weight".into(), vec![8]);
        assert_eq!(depth(&last), 2, "half a block too many is no worse than half a block missing");
    }

    #[test]
    fn most_tensors_decide_a_size() {
        assert_eq!(most([3, 5, 5].into_iter()), Some(5));
        assert_eq!(most([5, 3].into_iter()), Some(3));
        assert_eq!(most(std::iter::empty()), None);
    }
}

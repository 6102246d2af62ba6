//! The bias that attention adds to its scores: any, or the relative position bias of a square of patches.

use crate::shape::length;
use std::ops::Range;

/// A bias on the scores of [`attention`](crate::attention).
#[derive(Clone, Copy)]
pub enum PositionBias<'a> {
    /// `[heads, tokens, tokens]`.
    Dense(&'a [f32]),
    /// Expanded head by head while attention runs: for BEiTv2-large 1.1 MB instead of 60 MB.
    Relative(&'a RelativePositionBias),
}

impl PositionBias<'_> {
    /// Whether it fits so many heads and tokens.
    pub(crate) fn fits(self, heads: usize, tokens: usize) -> bool {
        match self {
            Self::Dense(bias) => bias.len() == length([heads, tokens, tokens]),
            Self::Relative(bias) => bias.heads == heads && bias.grid * bias.grid + 1 == tokens,
        }
    }
}

/// The relative position bias of `grid`² patches and a class token before them (timm/models/beit.py,
/// `RelativePositionBias`): one number for each head and each way that two patches can lie apart.
pub struct RelativePositionBias {
    grid: usize,
    heads: usize,
    /// `[heads, rows]`, in each head `[distances down, distances across]` and the three of the class token.
    /// Distances across are reversed, so that what one patch adds to a row of others lies in one piece.
    table: Vec<f32>,
}

impl RelativePositionBias {
    /// From a checkpoint's table, `[(2·grid − 1)² + 3, heads]`. Its last three rows are for class token → patch,
    /// patch → class token, and class token → itself. `None` if the table has another length.
    pub fn new(table: &[f32], grid: usize, heads: usize) -> Option<Self> {
        let span = grid.checked_mul(2)?.checked_sub(1)?;
        let rows = span.checked_mul(span)?.checked_add(3)?;
        if table.len() != rows.checked_mul(heads)? {
            return None;
        }
        let mut by_head = vec![0.0; table.len()];
        for head in 0..heads {
            for row in 0..rows {
                let reversed = row / span * span + (span - 1 - row % span);
                let to = if row < span * span { reversed } else { row };
                by_head[head * rows + to] = table[row * heads + head];
            }
        }
        Some(Self { grid, heads, table: by_head })
    }

    /// One head's bias for some queries, `[queries, tokens]`.
    pub fn expand(&self, head: usize, queries: Range<usize>, out: &mut [f32]) {
        let (grid, tokens) = (self.grid, self.grid * self.grid + 1);
        let span = 2 * grid - 1;
        let rows = span * span + 3;
        let table = &self.table[head * rows..][..rows];
        let (distances, class) = table.split_at(span * span);
        for (query, row) in queries.zip(out.chunks_exact_mut(tokens)) {
            let Some(from) = query.checked_sub(1) else {
                row.fill(class[0]);
                row[0] = class[2];
                continue;
            };
            row[0] = class[1];
            let (down, across) = (from / grid + grid - 1, grid - 1 - from % grid);
            for (to, patches) in row[1..].chunks_exact_mut(grid).enumerate() {
                let biases = &distances[(down - to) * span + across..][..grid];
                // The usual grid apart: in WebAssembly a copy of a length that the compiler doesn't know is a call
                // out of it.
                match (<&mut [f32; 14]>::try_from(&mut *patches), <&[f32; 14]>::try_from(biases)) {
                    (Ok(patches), Ok(biases)) => *patches = *biases,
                    _ => patches.copy_from_slice(biases),
                }
            }
        }
    }
}

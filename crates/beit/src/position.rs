//! The relative position bias: one table a block, looked up by how far two patches lie apart.

/// For every pair of tokens the row of the bias table: `[tokens, tokens]`, row-major, with
/// `tokens = grid² + 1`. The last three rows of the table are for class token → patch,
/// patch → class token, and class token → itself (timm/models/beit.py, `gen_relative_position_index`).
fn relative_position_index(grid: usize) -> Vec<usize> {
    let tokens = grid * grid + 1;
    let span = 2 * grid - 1;
    let rows = relative_positions(grid);
    let mut index = vec![0; tokens * tokens];
    for from in 0..grid * grid {
        for to in 0..grid * grid {
            let down = from / grid + grid - 1 - to / grid;
            let across = from % grid + grid - 1 - to % grid;
            index[(1 + from) * tokens + 1 + to] = down * span + across;
        }
    }
    index[..tokens].fill(rows - 3);
    for token in 0..tokens {
        index[token * tokens] = rows - 2;
    }
    index[0] = rows - 1;
    index
}

/// Rows of a block's table for `grid`² patches and a class token.
pub fn relative_positions(grid: usize) -> usize {
    (2 * grid - 1).pow(2) + 3
}

/// Spreads a block's table `[rows, heads]` into a bias `[heads, tokens, tokens]`.
pub fn relative_position_bias(table: &[f32], grid: usize, heads: usize) -> Vec<f32> {
    let index = relative_position_index(grid);
    (0..heads).flat_map(|head| index.iter().map(move |&row| table[row * heads + head])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_timms() {
        let index = relative_position_index(14);
        let at = |from: usize, to: usize| index[from * 197 + to];
        // Read off timm 1.0.31's buffer for a 14×14 grid.
        let expected = [
            (0, 0, 731),
            (0, 1, 729),
            (1, 0, 730),
            (1, 1, 364),
            (1, 2, 363),
            (1, 15, 337),
            (196, 1, 728),
            (1, 196, 0),
        ];
        for (from, to, row) in expected {
            assert_eq!(at(from, to), row, "[{from}, {to}]");
        }
    }

    /// The processor's kernel keeps the table and expands it head by head.
    #[test]
    fn the_kernels_table_gives_the_same_bias() {
        for (grid, heads) in [(1, 1), (2, 3), (7, 2), (14, 2)] {
            let table: Vec<f32> = (0..relative_positions(grid) * heads).map(|i| i as f32).collect();
            let expected = relative_position_bias(&table, grid, heads);
            let bias = kernels::RelativePositionBias::new(&table, grid, heads).unwrap();
            let tokens = grid * grid + 1;
            let mut got = vec![f32::NAN; tokens * tokens];
            for (head, expected) in expected.chunks_exact(tokens * tokens).enumerate() {
                bias.expand(head, 0..tokens, &mut got);
                assert_eq!(got, expected, "grid {grid}, head {head}");
                bias.expand(head, 1..2, &mut got);
                assert_eq!(got[..tokens], expected[tokens..2 * tokens], "grid {grid}, head {head}, patch 0");
            }
            assert!(kernels::RelativePositionBias::new(&table[1..], grid, heads).is_none());
        }
    }

    #[test]
    fn each_head_reads_its_own_column() {
        let table: Vec<f32> = (0..12 * 2).map(|i| i as f32).collect();
        let bias = relative_position_bias(&table, 2, 2);
        let index = relative_position_index(2);
        assert_eq!(bias.len(), 2 * 25);
        for (i, &row) in index.iter().enumerate() {
            assert_eq!(bias[i], table[row * 2]);
            assert_eq!(bias[25 + i], table[row * 2 + 1]);
        }
    }
}

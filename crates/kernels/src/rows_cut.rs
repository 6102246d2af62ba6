//! How a product's rows are cut, so that all threads finish it together.

use std::ops::Range;

/// Rows of activations that share an unpacked chunk of weights, at most: a multiple of every tile height, 1 to 8.
pub(crate) const ROWS: usize = 240;

/// Into how many parts [`ROWS`] rows are cut where several threads share a product. A thread takes whole groups of
/// columns while there are many, then parts of one: at the end nobody waits longer than such a part takes. More parts
/// would cost more than they save, since each unpacks its weights anew.
const PARTS: usize = 4;

/// Rows cut in parts of nearly equal length. With groups of columns a part makes an item of the work: items are numbered
/// [`ROWS`] rows after [`ROWS`] rows, group after group, part after part.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    rows: usize,
    /// Rows of a part, but the last: a multiple of the tile's height.
    part: usize,
    /// Parts that share unpacked weights where one thread takes them together.
    pub together: usize,
    /// All parts.
    pub parts: usize,
}

impl Cut {
    /// For `rows` rows, at least one, in tiles of `tile` rows.
    pub fn of(rows: usize, tile: usize, threads: usize) -> Self {
        let wanted = if threads == 1 { 1 } else { PARTS };
        let sweeps = rows.div_ceil(ROWS);
        let part = rows.div_ceil(sweeps * wanted).next_multiple_of(tile);
        Self { rows, part, together: (ROWS / part).min(wanted), parts: rows.div_ceil(part) }
    }

    /// What the items are: for each group of columns some rows, at most [`ROWS`].
    pub fn pieces(self, groups: usize, items: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
        let mut next = items.start;
        std::iter::from_fn(move || {
            if next >= items.end {
                return None;
            }
            // All sweeps but the last have as many parts.
            let sweep = next / (self.together * groups);
            let first = sweep * self.together;
            let parts = self.together.min(self.parts - first);
            let within = next - first * groups;
            let (group, part) = (within / parts, within % parts);
            let count = (parts - part).min(items.end - next);
            next += count;
            let start = (first + part) * self.part;
            Some((group, start..(start + count * self.part).min(self.rows)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the items are divided, each row of each group is computed once, and no piece is longer than the scratch.
    #[test]
    fn each_row_of_each_group_is_in_one_piece() {
        for rows in (1..20).chain([49, 197, 239, 240, 241, 394, 480, 481, 1576]) {
            for (tile, threads) in [(1, 1), (4, 1), (5, 1), (4, 2), (5, 2), (5, 16), (8, 63)] {
                let (cut, groups) = (Cut::of(rows, tile, threads), 3);
                let items = cut.parts * groups;
                for step in [1, 2, 3, 5, items] {
                    let mut seen = vec![0; rows * groups];
                    for start in (0..items).step_by(step) {
                        for (group, range) in cut.pieces(groups, start..(start + step).min(items)) {
                            assert!(
                                range.start % tile == 0 && !range.is_empty() && range.len() <= ROWS,
                                "{range:?}"
                            );
                            range.for_each(|row| seen[group * rows + row] += 1);
                        }
                    }
                    assert!(
                        seen.iter().all(|&count| count == 1),
                        "{rows} rows, tiles of {tile}, {threads}: {seen:?}"
                    );
                }
            }
        }
    }

    /// BEiTv2-large's narrowest product has 32 groups of columns: cut by groups alone, twelve threads would take three
    /// turns of them where two and two thirds are their share.
    #[test]
    fn many_threads_have_equal_shares_of_a_narrow_product() {
        for (threads, longest) in [(2, 1.0), (4, 1.0), (8, 1.0), (12, 1.04), (16, 1.0)] {
            let cut = Cut::of(197, 5, threads);
            let items = cut.parts * 32;
            let rows = |thread| {
                let share = items * thread / threads..items * (thread + 1) / threads;
                cut.pieces(32, share).map(|(_, range)| range.len()).sum::<usize>()
            };
            let most = (0..threads).map(rows).max().unwrap() as f64;
            let fair = 197.0 * 32.0 / threads as f64;
            assert!(most <= longest * fair + 5.0, "{threads} threads: {most} rows, {fair} were fair");
        }
    }

    #[test]
    fn one_thread_cuts_nothing() {
        let cut = Cut::of(197, 5, 1);
        assert_eq!(cut.pieces(2, 0..cut.parts * 2).collect::<Vec<_>>(), [(0, 0..197), (1, 0..197)]);
    }
}

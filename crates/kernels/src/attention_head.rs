//! One head of attention on one thread, written once over [`Lanes`].

use crate::float::exp_row;
use crate::kernel_table::HeadArgs;
use crate::lanes::Lanes;
use crate::shape::{length, total};

/// Keys or head columns in a packed panel, at most: two registers of the widest variant.
const WIDEST_PANEL: usize = 32;

/// Queries in a register tile.
pub(crate) const QUERIES: usize = 4;

/// Queries that meet one panel of keys, or of values, after another while it is in the first-level cache.
const TOGETHER: usize = 4 * QUERIES;

/// Floats of scratch that a head needs: packed keys, packed values; of [`TOGETHER`] queries the scaled
/// queries, the scores and the packed weights.
pub(crate) fn scratch_floats(tokens: usize, width: usize) -> usize {
    let padded = tokens.next_multiple_of(WIDEST_PANEL);
    total([
        length([padded, width]),
        length([tokens, width.next_multiple_of(WIDEST_PANEL)]),
        length([TOGETHER, total([width, padded, tokens])]),
    ])
}

/// [`AttentionHead`](crate::kernel_table::AttentionHead) over registers.
///
/// Keys and values are packed in panels of two registers; then each few queries make their scores, the scores'
/// softmax and the output. Padding keys score −∞, so they weigh nothing.
#[inline(always)]
pub(crate) unsafe fn head<L: Lanes>(args: &HeadArgs) {
    let panel = 2 * L::N;
    let padded = args.tokens.next_multiple_of(panel);
    // SAFETY: the scratch is scratch_floats() long, and panels are at most WIDEST_PANEL wide.
    unsafe {
        let keys = args.scratch;
        let values = keys.add(padded * args.width);
        let queries = values.add(args.tokens * args.width.next_multiple_of(panel));
        let scores = queries.add(TOGETHER * args.width);
        let weights = scores.add(TOGETHER * padded);
        pack_keys(args, panel, keys);
        pack_values::<L>(args, values);
        for first in (0..args.queries).step_by(TOGETHER) {
            let count = TOGETHER.min(args.queries - first);
            let scale = 1.0 / (args.width as f32).sqrt();
            pack_rows(args.q.add(first * args.stride), count, args.stride, args.width, scale, queries);
            for token in (0..args.tokens).step_by(panel) {
                let keys = keys.add(token * args.width);
                multiply::<L>(count, queries, args.width, keys, |r, [low, high]| {
                    low.store(scores.add(r * padded + token));
                    high.store(scores.add(r * padded + token + L::N));
                });
            }
            let mut factors = [0.0; TOGETHER];
            for r in 0..count {
                let row = std::slice::from_raw_parts_mut(scores.add(r * padded), padded);
                if !args.bias.is_null() {
                    let bias = args.bias.add((first + r) * args.tokens);
                    let bias = std::slice::from_raw_parts(bias, args.tokens);
                    add_row::<L>(&mut row[..args.tokens], bias);
                }
                row[args.tokens..].fill(f32::NEG_INFINITY);
                factors[r] = exp_row::<L>(row);
            }
            pack_rows(scores, count, padded, args.tokens, 1.0, weights);
            for column in (0..args.width).step_by(panel) {
                let values = values.add(column * args.tokens);
                let out = args.out.add(first * args.out_stride + column);
                let present = panel.min(args.width - column);
                multiply::<L>(count, weights, args.tokens, values, |r, [low, high]| {
                    let factor = L::splat(factors[r]);
                    store([low.mul(factor), high.mul(factor)], out.add(r * args.out_stride), present);
                });
            }
        }
    }
}

/// to ← the first `present` of two registers.
#[inline(always)]
unsafe fn store<L: Lanes>([low, high]: [L; 2], to: *mut f32, present: usize) {
    // SAFETY: the pointer reaches `present` floats, at most two registers.
    unsafe {
        if present == 2 * L::N {
            low.store(to);
            high.store(to.add(L::N));
        } else {
            let mut row = [0.0; WIDEST_PANEL];
            low.store(row.as_mut_ptr());
            high.store(row[L::N..].as_mut_ptr());
            to.copy_from_nonoverlapping(row.as_ptr(), present);
        }
    }
}

/// packed ← `count` rows of `width` floats, `stride` apart, times `factor`: `[tile of 4 rows][width][4]`, the last tile
/// of as many rows as are left.
#[inline(always)]
unsafe fn pack_rows(
    rows: *const f32,
    count: usize,
    stride: usize,
    width: usize,
    factor: f32,
    packed: *mut f32,
) {
    for first in (0..count).step_by(QUERIES) {
        let height = QUERIES.min(count - first);
        for r in 0..height {
            for i in 0..width {
                // SAFETY: the caller's pointers reach `count` rows.
                unsafe {
                    *packed.add(first * width + i * height + r) =
                        *rows.add((first + r) * stride + i) * factor;
                }
            }
        }
    }
}

/// keys ← `[panel of tokens][width][panel]`, zeros behind the last token.
#[inline(always)]
unsafe fn pack_keys(args: &HeadArgs, panel: usize, keys: *mut f32) {
    for token in 0..args.tokens.next_multiple_of(panel) {
        // SAFETY: inside the scratch and the rows of k by construction.
        unsafe {
            let to = keys.add(token / panel * panel * args.width + token % panel);
            for d in 0..args.width {
                let key = if token < args.tokens { *args.k.add(token * args.stride + d) } else { 0.0 };
                *to.add(d * panel) = key;
            }
        }
    }
}

/// values ← `[panel of columns][tokens][panel]`, zeros behind the last column.
#[inline(always)]
unsafe fn pack_values<L: Lanes>(args: &HeadArgs, values: *mut f32) {
    let panel = 2 * L::N;
    for token in 0..args.tokens {
        for column in (0..args.width).step_by(panel) {
            let present = panel.min(args.width - column);
            // SAFETY: inside the scratch and the rows of v by construction.
            unsafe {
                let to = values.add(column * args.tokens + token * panel);
                let from = args.v.add(token * args.stride + column);
                if present == panel {
                    L::load(from).store(to);
                    L::load(from.add(L::N)).store(to.add(L::N));
                } else {
                    to.copy_from_nonoverlapping(from, present);
                    to.add(present).write_bytes(0, panel - present);
                }
            }
        }
    }
}

/// `a`, `count` rows of `depth` packed by [`pack_rows`], times a panel `[depth][2 registers]`, row by row to `take`;
/// depth > 0.
#[inline(always)]
unsafe fn multiply<L: Lanes>(
    count: usize,
    a: *const f32,
    depth: usize,
    panel: *const f32,
    mut take: impl FnMut(usize, [L; 2]),
) {
    let opaque = std::hint::black_box(usize::MAX);
    for first in (0..count).step_by(QUERIES) {
        // SAFETY: the pointers reach as far as the caller promises.
        unsafe {
            let a = a.add(first * depth);
            let mut take_all = |sums: &[[L; 2]]| {
                for (r, &sums) in sums.iter().enumerate() {
                    take(first + r, sums);
                }
            };
            match count - first {
                1 => take_all(&product::<L, 1>(a, panel, depth, opaque)),
                2 => take_all(&product::<L, 2>(a, panel, depth, opaque)),
                3 => take_all(&product::<L, 3>(a, panel, depth, opaque)),
                _ => take_all(&product::<L, QUERIES>(a, panel, depth, opaque)),
            }
        }
    }
}

/// `a`, `[depth][R]`, times a panel `[depth][2 registers]`; depth > 0. `opaque` keeps the pointers from
/// being rewritten, as in the tile kernels for WebAssembly.
#[inline(always)]
unsafe fn product<L: Lanes, const R: usize>(
    a: *const f32,
    panel: *const f32,
    depth: usize,
    opaque: usize,
) -> [[L; 2]; R] {
    // SAFETY: the pointers reach as far as the caller promises.
    unsafe {
        let mut sums = [[L::splat(0.0); 2]; R];
        let (mut a, mut panel) = (a, panel);
        let end = panel.add(depth * 2 * L::N);
        loop {
            let columns = [L::load(panel), L::load(panel.add(L::N))];
            for r in 0..R {
                let a = L::splat(*a.add(r));
                sums[r] = [a.mul_add(columns[0], sums[r][0]), a.mul_add(columns[1], sums[r][1])];
            }
            a = (a.add(R) as usize & opaque) as *const f32;
            panel = (panel.add(2 * L::N) as usize & opaque) as *const f32;
            if panel == end {
                return sums;
            }
        }
    }
}

/// x += y, of one length.
#[inline(always)]
unsafe fn add_row<L: Lanes>(x: &mut [f32], y: &[f32]) {
    let whole = x.len() / L::N * L::N;
    for at in (0..whole).step_by(L::N) {
        // SAFETY: at + N ≤ the length of both; the caller has the instructions of L.
        unsafe {
            let x = x.as_mut_ptr().add(at);
            L::load(x).add(L::load(y.as_ptr().add(at))).store(x);
        }
    }
    for (x, y) in x[whole..].iter_mut().zip(&y[whole..]) {
        *x += y;
    }
}

//! Multi-head self-attention with a bias on the scores (the relative position bias), in f32.

use std::ops::Range;

use crate::activations::Codes;
use crate::float::exp_row;
use crate::lanes::Lanes;
use crate::pack::WeightFormat;
use crate::position_bias::PositionBias;
use crate::shape::{length, total};
use crate::threads::{self, Shared};
use crate::{BLOCK, Isa, QuantizedActivations};

/// One head on one thread.
///
/// # Safety
/// Pointers reach as far as [`HeadArgs`] says.
pub(crate) type AttentionHead = unsafe fn(args: &HeadArgs);

/// Operands of one head, for some or all of its queries. A row of q, k, v follows the one before after `stride`
/// floats, of out after `out_stride`; each row is `width` floats.
pub(crate) struct HeadArgs {
    /// `[queries, width]`
    pub q: *const f32,
    /// `[tokens, width]`
    pub k: *const f32,
    /// `[tokens, width]`
    pub v: *const f32,
    pub stride: usize,
    pub queries: usize,
    pub tokens: usize,
    pub width: usize,
    /// `[queries, tokens]`, or null
    pub bias: *const f32,
    /// `[queries, width]`
    pub out: *mut f32,
    pub out_stride: usize,
    /// [`scratch_floats`] floats
    pub scratch: *mut f32,
}

/// Keys or head columns in a packed panel, at most: two registers of the widest variant.
const WIDEST_PANEL: usize = 32;

/// Queries in a register tile.
const QUERIES: usize = 4;

/// Queries that meet one panel of keys, or of values, after another while it is in the first-level cache.
const TOGETHER: usize = 4 * QUERIES;

/// Floats of scratch that a head needs: packed keys, packed values; of [`TOGETHER`] queries the scaled
/// queries, the scores and the packed weights.
fn scratch_floats(tokens: usize, width: usize) -> usize {
    let padded = tokens.next_multiple_of(WIDEST_PANEL);
    total([
        length([padded, width]),
        length([tokens, width.next_multiple_of(WIDEST_PANEL)]),
        length([TOGETHER, total([width, padded, tokens])]),
    ])
}

/// Scratch of [`attention`], kept between calls.
#[derive(Default)]
pub struct AttentionScratch {
    floats: Vec<f32>,
}

/// The shape of what [`attention`] works on.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    pub photos: usize,
    /// Of each photo.
    pub tokens: usize,
    pub heads: usize,
    pub head_width: usize,
}

/// Where attention's output goes, `[photos · tokens, heads · head_width]`.
pub enum Attended<'a> {
    Values(&'a mut [f32]),
    /// Quantised for the next product, with weights of this format: `head_width` is a multiple of 32.
    Codes(&'a mut QuantizedActivations, WeightFormat),
}

/// [`Attended`] as threads share it.
#[derive(Clone, Copy)]
enum Place {
    Values(Shared<f32>),
    Codes(Codes),
}

/// out = softmax(q·kᵀ/√head_width + bias)·v for every head, among the tokens of each photo.
///
/// `qkv` is `[photos · tokens, 3 · heads · head_width]`, rows q ‖ k ‖ v, each `[heads, head_width]`. Photos and
/// heads are shared among threads, and a head's queries too where heads alone leave threads without work.
///
/// # Panics
/// If a slice's length doesn't match.
pub fn attention(
    isa: Isa,
    qkv: &[f32],
    shape: Heads,
    bias: Option<PositionBias>,
    scratch: &mut AttentionScratch,
    out: Attended,
) {
    let Heads { photos, tokens, heads, head_width } = shape;
    let (rows, width) = (length([photos, tokens]), length([heads, head_width]));
    assert_eq!(qkv.len(), length([rows, 3, width]), "q, k, v of {shape:?}");
    assert!(bias.is_none_or(|b| b.fits(heads, tokens)), "bias of another shape than {shape:?}");
    let place = match out {
        Attended::Values(out) => {
            assert_eq!(out.len(), length([rows, width]), "output of {shape:?}");
            Place::Values(Shared::new(out))
        }
        Attended::Codes(out, format) => {
            assert!(head_width.is_multiple_of(BLOCK), "blocks of {BLOCK} in {shape:?}");
            Place::Codes(out.begin(isa, format, rows, width))
        }
    };
    if qkv.is_empty() {
        return;
    }
    let parts = parts(photos * heads, threads::count());
    let queries = tokens.div_ceil(parts).next_multiple_of(QUERIES);
    let sizes = Sizes::of(shape, queries, bias, place);
    let floats = sizes.floats();
    let all = length([floats, threads::count()]);
    if scratch.floats.len() < all {
        scratch.floats.resize(all, 0.0);
    }
    let scratch = Shared::new(&mut scratch.floats);
    threads::split(photos * heads * parts, |thread, items| {
        // SAFETY: every thread has its own scratch.
        let scratch = unsafe { scratch.slice(thread * floats..(thread + 1) * floats) };
        for item in items {
            let (photo, head, part) = (item / parts / heads, item / parts % heads, item % parts);
            let range = (part * queries).min(tokens)..((part + 1) * queries).min(tokens);
            if !range.is_empty() {
                // SAFETY: no other thread has these queries of this head.
                unsafe { some_queries(isa, qkv, shape, photo, head, range, bias, &sizes, scratch, place) };
            }
        }
    });
}

/// Into how many parts the queries of each of `items` heads are divided, so that `threads` have equal shares, or
/// nearly: each part packs the head's keys and values anew.
fn parts(items: usize, threads: usize) -> usize {
    if items.is_multiple_of(threads) || items >= 8 * threads {
        1
    } else {
        (4 * threads).div_ceil(items).min(4)
    }
}

/// Floats of one thread's scratch.
struct Sizes {
    /// For [`HeadArgs::scratch`].
    head: usize,
    /// For a head's expanded bias.
    bias: usize,
    /// For output on its way to codes.
    out: usize,
}

impl Sizes {
    fn of(shape: Heads, queries: usize, bias: Option<PositionBias>, place: Place) -> Self {
        let Heads { tokens, head_width, .. } = shape;
        let expands = matches!(bias, Some(PositionBias::Relative(_)));
        Self {
            head: scratch_floats(tokens, head_width),
            bias: if expands { length([queries, tokens]) } else { 0 },
            out: if matches!(place, Place::Codes(_)) { length([queries, head_width]) } else { 0 },
        }
    }

    /// Of one thread.
    fn floats(&self) -> usize {
        total([self.head, self.bias, self.out])
    }
}

/// The queries `range` of one head.
///
/// # Safety
/// Nobody else touches these rows and columns of `place`.
unsafe fn some_queries(
    isa: Isa,
    qkv: &[f32],
    shape: Heads,
    photo: usize,
    head: usize,
    range: Range<usize>,
    bias: Option<PositionBias>,
    sizes: &Sizes,
    scratch: &mut [f32],
    place: Place,
) {
    let Heads { tokens, heads, head_width, .. } = shape;
    let (width, column) = (heads * head_width, head * head_width);
    let (first, queries) = (range.start, range.len());
    let (scratch, rest) = scratch.split_at_mut(sizes.head);
    let (expanded, codes_to_be) = rest.split_at_mut(sizes.bias);
    let bias = match bias {
        None => std::ptr::null(),
        Some(PositionBias::Dense(bias)) => bias[(head * tokens + first) * tokens..].as_ptr(),
        Some(PositionBias::Relative(bias)) => {
            bias.expand(head, range, expanded);
            expanded.as_ptr()
        }
    };
    let row = photo * tokens;
    let (out, out_stride) = match place {
        Place::Values(out) => (out.at((row + first) * width + column), width),
        Place::Codes(_) => (codes_to_be.as_mut_ptr(), head_width),
    };
    let qkv = &qkv[row * 3 * width..];
    let args = HeadArgs {
        q: qkv[first * 3 * width + column..].as_ptr(),
        k: qkv[width + column..].as_ptr(),
        v: qkv[2 * width + column..].as_ptr(),
        stride: 3 * width,
        queries,
        tokens,
        width: head_width,
        bias,
        out,
        out_stride,
        scratch: scratch.as_mut_ptr(),
    };
    // SAFETY: kernels() has checked the instructions; `attention` has asserted the lengths that HeadArgs asks for;
    // the caller's promise.
    unsafe { (isa.kernels().attention_head)(&args) };
    if let Place::Codes(codes) = place {
        for (i, values) in codes_to_be[..queries * head_width].chunks_exact(head_width).enumerate() {
            // SAFETY: the caller's promise.
            unsafe { codes.write(row + first + i, column / BLOCK, values) };
        }
    }
}

/// [`AttentionHead`] over registers.
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

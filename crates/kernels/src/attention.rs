//! Multi-head self-attention with a bias on the scores (the relative position bias), in f32.

use crate::Isa;
use crate::float::exp_row;
use crate::lanes::Lanes;
use crate::position_bias::PositionBias;
use crate::threads::{self, Shared};

/// One head on one thread.
///
/// # Safety
/// Pointers reach as far as [`HeadArgs`] says.
pub(crate) type AttentionHead = unsafe fn(args: &HeadArgs);

/// Operands of one head. A row of q, k, v follows the one before after `stride` floats, of out after
/// `out_stride`; each row is `width` floats.
pub(crate) struct HeadArgs {
    pub q: *const f32,
    pub k: *const f32,
    pub v: *const f32,
    pub stride: usize,
    pub tokens: usize,
    pub width: usize,
    /// `[tokens, tokens]`, or null
    pub bias: *const f32,
    pub out: *mut f32,
    pub out_stride: usize,
    /// [`scratch_floats`] floats
    pub scratch: *mut f32,
}

/// Keys or head columns in a packed panel, at most: two registers of the widest variant.
const WIDEST_PANEL: usize = 32;

/// Queries handled at once.
const QUERIES: usize = 4;

/// Floats of scratch that a head needs: packed keys, packed values; of one tile the packed queries,
/// the scores, the packed weights.
fn scratch_floats(tokens: usize, width: usize) -> usize {
    let padded = tokens.next_multiple_of(WIDEST_PANEL);
    padded * width + tokens * width.next_multiple_of(WIDEST_PANEL) + QUERIES * (width + padded + tokens)
}

/// Floats of scratch beside those, for a head's expanded bias.
fn bias_floats(tokens: usize, bias: Option<PositionBias>) -> usize {
    if matches!(bias, Some(PositionBias::Relative(_))) { tokens * tokens } else { 0 }
}

/// Scratch of [`attention`], kept between calls.
#[derive(Default)]
pub struct AttentionScratch {
    floats: Vec<f32>,
}

/// out = softmax(q·kᵀ/√head_width + bias)·v for all heads.
///
/// `qkv` is `[tokens, 3 · heads · head_width]`, rows q ‖ k ‖ v, each `[heads, head_width]`; `out` is `[tokens, heads · head_width]`. Heads are shared among
/// threads.
///
/// # Panics
/// If a slice's length doesn't match.
pub fn attention(
    isa: Isa,
    qkv: &[f32],
    tokens: usize,
    heads: usize,
    head_width: usize,
    bias: Option<PositionBias>,
    scratch: &mut AttentionScratch,
    out: &mut [f32],
) {
    let width = heads * head_width;
    assert_eq!(qkv.len(), tokens * 3 * width, "q, k, v of {tokens} tokens, width {width}");
    assert_eq!(out.len(), tokens * width, "output of {tokens} tokens, width {width}");
    assert!(bias.is_none_or(|b| b.fits(heads, tokens)), "bias of another shape");
    if out.is_empty() {
        return;
    }
    let kernels = isa.kernels();
    let own = scratch_floats(tokens, head_width);
    let floats = own + bias_floats(tokens, bias);
    if scratch.floats.len() < floats * threads::count() {
        scratch.floats.resize(floats * threads::count(), 0.0);
    }
    let scratch = Shared::new(&mut scratch.floats);
    let all = Shared::new(out);
    threads::split(heads, |part, heads| {
        // SAFETY: every part has its own scratch.
        let scratch = unsafe { scratch.slice(part * floats..(part + 1) * floats) };
        let (scratch, expanded) = scratch.split_at_mut(own);
        for head in heads {
            let bias = match bias {
                None => std::ptr::null(),
                Some(PositionBias::Dense(bias)) => bias[head * tokens * tokens..].as_ptr(),
                Some(PositionBias::Relative(bias)) => {
                    bias.expand(head, expanded);
                    expanded.as_ptr()
                }
            };
            let column = head * head_width;
            let args = HeadArgs {
                q: qkv[column..].as_ptr(),
                k: qkv[width + column..].as_ptr(),
                v: qkv[2 * width + column..].as_ptr(),
                stride: 3 * width,
                tokens,
                width: head_width,
                bias,
                out: all.at(column),
                out_stride: width,
                scratch: scratch.as_mut_ptr(),
            };
            // SAFETY: kernels() has checked the instructions; the lengths asserted above are what
            // HeadArgs asks for; no other thread writes this head's columns.
            unsafe { (kernels.attention_head)(&args) };
        }
    });
}

/// Where a head's scratch holds what.
#[derive(Clone, Copy)]
struct Scratch {
    /// `[panel of tokens][width][panel]`
    keys: *mut f32,
    /// `[panel of columns][tokens][panel]`
    values: *mut f32,
    /// `[width][queries of the tile]`
    queries: *mut f32,
    /// `[queries of the tile][tokens, padded]`
    scores: *mut f32,
    /// `[tokens][queries of the tile]`
    weights: *mut f32,
    /// All ones, but the compiler doesn't know: see `product`.
    opaque: usize,
}

/// [`AttentionHead`] over registers.
///
/// Keys and values are packed in panels of two registers; then each tile of queries makes its scores,
/// their softmax and its output. Padding keys score −∞, so they weigh nothing.
#[inline(always)]
pub(crate) unsafe fn head<L: Lanes>(args: &HeadArgs) {
    let panel = 2 * L::N;
    let padded = args.tokens.next_multiple_of(panel);
    // SAFETY: the scratch is scratch_floats() long, and panels are at most WIDEST_PANEL wide.
    unsafe {
        let keys = args.scratch;
        let values = keys.add(padded * args.width);
        let queries = values.add(args.tokens * args.width.next_multiple_of(panel));
        let scores = queries.add(QUERIES * args.width);
        let weights = scores.add(QUERIES * padded);
        let opaque = std::hint::black_box(usize::MAX);
        let scratch = Scratch { keys, values, queries, scores, weights, opaque };
        pack_keys(args, panel, keys);
        pack_values::<L>(args, values);
        for first in (0..args.tokens).step_by(QUERIES) {
            match args.tokens - first {
                1 => query_tile::<L, 1>(args, first, scratch),
                2 => query_tile::<L, 2>(args, first, scratch),
                3 => query_tile::<L, 3>(args, first, scratch),
                _ => query_tile::<L, QUERIES>(args, first, scratch),
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

/// Rows `first`… of the head, R of them.
#[inline(always)]
unsafe fn query_tile<L: Lanes, const R: usize>(args: &HeadArgs, first: usize, scratch: Scratch) {
    let Scratch { keys, values, queries, scores, weights, opaque } = scratch;
    let panel = 2 * L::N;
    let padded = args.tokens.next_multiple_of(panel);
    // SAFETY: as in `head`; q has the rows first…first + R, and so has out.
    unsafe {
        let scale = 1.0 / (args.width as f32).sqrt();
        for r in 0..R {
            for d in 0..args.width {
                *queries.add(d * R + r) = *args.q.add((first + r) * args.stride + d) * scale;
            }
        }
        for token in (0..args.tokens).step_by(panel) {
            let sums = product::<L, R>(queries, keys.add(token * args.width), args.width, opaque);
            for r in 0..R {
                sums[r][0].store(scores.add(r * padded + token));
                sums[r][1].store(scores.add(r * padded + token + L::N));
            }
        }
        let mut factors = [0.0; R];
        for r in 0..R {
            let row = std::slice::from_raw_parts_mut(scores.add(r * padded), padded);
            if !args.bias.is_null() {
                let bias = std::slice::from_raw_parts(args.bias.add((first + r) * args.tokens), args.tokens);
                add_row::<L>(&mut row[..args.tokens], bias);
            }
            row[args.tokens..].fill(f32::NEG_INFINITY);
            factors[r] = exp_row::<L>(row);
        }
        for token in 0..args.tokens {
            for r in 0..R {
                *weights.add(token * R + r) = *scores.add(r * padded + token);
            }
        }
        for column in (0..args.width).step_by(panel) {
            let sums = product::<L, R>(weights, values.add(column * args.tokens), args.tokens, opaque);
            for r in 0..R {
                let factor = L::splat(factors[r]);
                let (low, high) = (sums[r][0].mul(factor), sums[r][1].mul(factor));
                let out = args.out.add((first + r) * args.out_stride + column);
                let present = panel.min(args.width - column);
                if present == panel {
                    low.store(out);
                    high.store(out.add(L::N));
                } else {
                    let mut row = [0.0; WIDEST_PANEL];
                    low.store(row.as_mut_ptr());
                    high.store(row[L::N..].as_mut_ptr());
                    out.copy_from_nonoverlapping(row.as_ptr(), present);
                }
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

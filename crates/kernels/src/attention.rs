//! Multi-head self-attention with a bias on the scores (the relative position bias), in f32.

use crate::Isa;
use crate::float::exp_row;
use crate::lanes::Lanes;
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

/// Floats of scratch that a head needs: packed keys, packed values, one tile of scores.
fn scratch_floats(tokens: usize, width: usize) -> usize {
    let padded = tokens.next_multiple_of(WIDEST_PANEL);
    padded * width + tokens * width.next_multiple_of(WIDEST_PANEL) + QUERIES * padded
}

/// Scratch of [`attention`], kept between calls.
#[derive(Default)]
pub struct AttentionScratch {
    floats: Vec<f32>,
}

/// out = softmax(q·kᵀ/√head_width + bias)·v for all heads.
///
/// `qkv` is `[tokens, 3 · heads · head_width]`, rows q ‖ k ‖ v, each `[heads, head_width]`; `bias`
/// is `[heads, tokens, tokens]`; `out` is `[tokens, heads · head_width]`. Heads are shared among
/// rayon's threads.
///
/// # Panics
/// If a slice's length doesn't match.
pub fn attention(
    isa: Isa,
    qkv: &[f32],
    tokens: usize,
    heads: usize,
    head_width: usize,
    bias: Option<&[f32]>,
    scratch: &mut AttentionScratch,
    out: &mut [f32],
) {
    let width = heads * head_width;
    assert_eq!(qkv.len(), tokens * 3 * width, "q, k, v of {tokens} tokens, width {width}");
    assert_eq!(out.len(), tokens * width, "output of {tokens} tokens, width {width}");
    assert!(bias.is_none_or(|b| b.len() == heads * tokens * tokens), "bias of another shape");
    if out.is_empty() {
        return;
    }
    let kernels = isa.kernels();
    let floats = scratch_floats(tokens, head_width);
    if scratch.floats.len() < floats * threads::count() {
        scratch.floats.resize(floats * threads::count(), 0.0);
    }
    let scratch = Shared::new(&mut scratch.floats);
    let all = Shared::new(out);
    threads::split(heads, |part, heads| {
        // SAFETY: every part has its own scratch.
        let scratch = unsafe { scratch.slice(part * floats..(part + 1) * floats) };
        for head in heads {
            let column = head * head_width;
            let args = HeadArgs {
                q: qkv[column..].as_ptr(),
                k: qkv[width + column..].as_ptr(),
                v: qkv[2 * width + column..].as_ptr(),
                stride: 3 * width,
                tokens,
                width: head_width,
                bias: bias.map_or(std::ptr::null(), |b| b[head * tokens * tokens..].as_ptr()),
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

/// [`AttentionHead`] over registers.
///
/// Keys are packed in panels `[width][2 registers of keys]` and values in panels
/// `[tokens][2 registers of columns]`; then each tile of queries makes its scores, their softmax and
/// its output. Padding keys score −∞, so they weigh nothing.
#[inline(always)]
pub(crate) unsafe fn head<L: Lanes>(args: &HeadArgs) {
    let panel = 2 * L::N;
    let padded = args.tokens.next_multiple_of(panel);
    // SAFETY: the scratch is scratch_floats() long, and panels are at most WIDEST_PANEL wide.
    unsafe {
        let keys = args.scratch;
        let values = keys.add(padded * args.width);
        let scores = values.add(args.tokens * args.width.next_multiple_of(panel));
        pack_keys(args, panel, keys);
        pack_values(args, panel, values);
        let mut first = 0;
        while first < args.tokens {
            match args.tokens - first {
                1 => query_tile::<L, 1>(args, first, keys, values, scores),
                2 => query_tile::<L, 2>(args, first, keys, values, scores),
                3 => query_tile::<L, 3>(args, first, keys, values, scores),
                _ => query_tile::<L, QUERIES>(args, first, keys, values, scores),
            }
            first += QUERIES;
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
unsafe fn pack_values(args: &HeadArgs, panel: usize, values: *mut f32) {
    for token in 0..args.tokens {
        for column in (0..args.width).step_by(panel) {
            let present = panel.min(args.width - column);
            // SAFETY: inside the scratch and the rows of v by construction.
            unsafe {
                let to = values.add(column * args.tokens + token * panel);
                to.copy_from_nonoverlapping(args.v.add(token * args.stride + column), present);
                to.add(present).write_bytes(0, panel - present);
            }
        }
    }
}

/// Rows `first`… of the head, R of them.
#[inline(always)]
unsafe fn query_tile<L: Lanes, const R: usize>(
    args: &HeadArgs,
    first: usize,
    keys: *const f32,
    values: *const f32,
    scores: *mut f32,
) {
    let panel = 2 * L::N;
    let padded = args.tokens.next_multiple_of(panel);
    // SAFETY: as in `head`; q has the rows first…first + R, and so has out.
    unsafe {
        let q = args.q.add(first * args.stride);
        let scale = L::splat(1.0 / (args.width as f32).sqrt());
        for token in (0..args.tokens).step_by(panel) {
            let sums = product::<L, R>(q, args.stride, keys.add(token * args.width), args.width);
            for r in 0..R {
                sums[r][0].mul(scale).store(scores.add(r * padded + token));
                sums[r][1].mul(scale).store(scores.add(r * padded + token + L::N));
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
        for column in (0..args.width).step_by(panel) {
            let sums = product::<L, R>(scores, padded, values.add(column * args.tokens), args.tokens);
            for r in 0..R {
                let mut row = [0.0; WIDEST_PANEL];
                sums[r][0].mul(L::splat(factors[r])).store(row.as_mut_ptr());
                sums[r][1].mul(L::splat(factors[r])).store(row[L::N..].as_mut_ptr());
                let out = args.out.add((first + r) * args.out_stride + column);
                out.copy_from_nonoverlapping(row.as_ptr(), panel.min(args.width - column));
            }
        }
    }
}

/// R rows of `a` (`depth` floats each, `stride` apart) times a panel `[depth][2 registers]`.
#[inline(always)]
unsafe fn product<L: Lanes, const R: usize>(
    a: *const f32,
    stride: usize,
    b: *const f32,
    depth: usize,
) -> [[L; 2]; R] {
    // SAFETY: the pointers reach as far as the caller promises.
    unsafe {
        let mut sums = [[L::splat(0.0); 2]; R];
        for i in 0..depth {
            let b0 = L::load(b.add(i * 2 * L::N));
            let b1 = L::load(b.add((i * 2 + 1) * L::N));
            for r in 0..R {
                let a = L::splat(*a.add(r * stride + i));
                sums[r] = [a.mul_add(b0, sums[r][0]), a.mul_add(b1, sums[r][1])];
            }
        }
        sums
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

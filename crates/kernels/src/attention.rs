//! Multi-head self-attention with a bias on the scores (the relative position bias), in f32.

use std::ops::Range;

use crate::activations::Codes;
use crate::attention_head::{QUERIES, scratch_floats};
use crate::kernel_table::HeadArgs;
use crate::pack::WeightFormat;
use crate::position_bias::PositionBias;
use crate::shape::{length, total};
use crate::threads::{self, Shared};
use crate::{BLOCK, Isa, QuantizedActivations};

/// Scratch of [`attention`], kept between calls.
#[derive(Default)]
pub struct AttentionScratch {
    floats: Vec<f32>,
}

/// The shape of what [`attention`] works on.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// Photos in the pass: tokens of different photos don't see each other.
    pub photos: usize,
    /// Of each photo.
    pub tokens: usize,
    /// Attention heads.
    pub heads: usize,
    /// Columns of q, k and v in each head.
    pub head_width: usize,
}

/// Where attention's output goes, `[photos · tokens, heads · head_width]`.
pub enum AttentionOutput<'a> {
    /// Row-major.
    Values(&'a mut [f32]),
    /// Quantised for the next product, with weights of this format: `head_width` is a multiple of 32.
    Codes(&'a mut QuantizedActivations, WeightFormat),
}

/// [`AttentionOutput`] as threads share it.
#[derive(Clone, Copy)]
enum OutputPtr {
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
    out: AttentionOutput,
) {
    let Heads { photos, tokens, heads, head_width } = shape;
    let (rows, width) = (length([photos, tokens]), length([heads, head_width]));
    assert_eq!(qkv.len(), length([rows, 3, width]), "q, k, v of {shape:?}");
    assert!(bias.is_none_or(|b| b.fits(heads, tokens)), "bias of another shape than {shape:?}");
    let output = match out {
        AttentionOutput::Values(out) => {
            assert_eq!(out.len(), length([rows, width]), "output of {shape:?}");
            OutputPtr::Values(Shared::new(out))
        }
        AttentionOutput::Codes(out, format) => {
            assert!(head_width.is_multiple_of(BLOCK), "blocks of {BLOCK} in {shape:?}");
            OutputPtr::Codes(out.begin(isa, format, rows, width))
        }
    };
    if qkv.is_empty() {
        return;
    }
    let parts = parts(photos * heads, threads::count());
    let queries = tokens.div_ceil(parts).next_multiple_of(QUERIES);
    let sizes = Sizes::of(shape, queries, bias, output);
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
                unsafe { some_queries(isa, qkv, shape, photo, head, range, bias, &sizes, scratch, output) };
            }
        }
    });
}

/// What a part of a head's queries costs beside its share of the head, which is packing keys and values anew.
const PACKING: f64 = 0.02;

/// Parts of a head's queries, at most.
const MOST_PARTS: usize = 6;

/// Into how many parts the queries of each of `items` heads are divided, so that the thread with the most to do is done
/// soonest.
pub(crate) fn parts(items: usize, threads: usize) -> usize {
    if threads == 1 {
        return 1;
    }
    // In heads.
    let longest = |parts: usize| {
        let most = (items * parts).div_ceil(threads) as f64;
        most * (1.0 / parts as f64 + PACKING)
    };
    (1..=MOST_PARTS).min_by(|&a, &b| longest(a).total_cmp(&longest(b))).unwrap_or(1)
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
    fn of(shape: Heads, queries: usize, bias: Option<PositionBias>, output: OutputPtr) -> Self {
        let Heads { tokens, head_width, .. } = shape;
        let expands = matches!(bias, Some(PositionBias::Relative(_)));
        Self {
            head: scratch_floats(tokens, head_width),
            bias: if expands { length([queries, tokens]) } else { 0 },
            out: if matches!(output, OutputPtr::Codes(_)) { length([queries, head_width]) } else { 0 },
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
/// Nobody else touches these rows and columns of `output`.
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
    output: OutputPtr,
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
    let (out, out_stride) = match output {
        OutputPtr::Values(out) => (out.at((row + first) * width + column), width),
        OutputPtr::Codes(_) => (codes_to_be.as_mut_ptr(), head_width),
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
    if let OutputPtr::Codes(codes) = output {
        for (i, values) in codes_to_be[..queries * head_width].chunks_exact(head_width).enumerate() {
            // SAFETY: the caller's promise.
            unsafe { codes.write(row + first + i, column / BLOCK, values) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BEiTv2-large has 16 heads: one photo on twelve threads would leave a quarter of them idle.
    #[test]
    fn threads_have_equal_shares_of_the_heads() {
        for (threads, expected) in
            [(1, 1), (2, 1), (4, 1), (8, 1), (12, 3), (16, 1), (24, 3), (32, 2), (48, 3)]
        {
            assert_eq!(parts(16, threads), expected, "{threads} threads");
        }
        for threads in 1..64 {
            let parts = parts(16, threads);
            let (most, fair) = ((16 * parts).div_ceil(threads) as f64 / parts as f64, 16.0 / threads as f64);
            assert!(most <= 1.5 * fair, "{threads} threads: {most} heads of {fair}");
        }
        // Eight photos have heads enough.
        assert_eq!(parts(128, 12), 1);
    }
}

//! All pairs of photos whose features are nearly the same.
//!
//! Exact, but most pairs are given up early: after the first values of both features, what the others can add is at most
//! the product of their norms (Cauchy and Schwarz). The values with the most energy over all photos come first, so that
//! little is left for the others.

use crate::feature::{cosine, dot};
use crate::index::Index;

/// Values after which a pair may be given up.
const FIRST: usize = 128;
/// Photos of a block, and of what it is compared with at a time: the first values of both stay in the fastest cache.
const BLOCK: usize = 64;

/// Finds pairs, block by block, so that the caller can share blocks among threads.
pub struct NearPairs<'a> {
    index: &'a Index,
    /// Numbers of the photos that are compared.
    photos: &'a [usize],
    threshold: f32,
    /// Values of `first`: [`FIRST`], or the feature's width.
    length: usize,
    /// The values of the most energy, `[photos, length]`.
    first: Vec<i16>,
    /// The norm of the others, `[photos]`.
    rest: Vec<f32>,
}

impl<'a> NearPairs<'a> {
    /// Pairs among `photos`, by their numbers, with a cosine of at least `threshold`, which is above 0.
    pub fn new(index: &'a Index, photos: &'a [usize], threshold: f32) -> Self {
        let width = index.width();
        let mut energy = vec![0u64; width];
        for &photo in photos {
            for (sum, &value) in energy.iter_mut().zip(index.row(photo)) {
                *sum += u64::from(value.unsigned_abs()).pow(2);
            }
        }
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(energy[at]));
        let length = FIRST.min(width);
        let (mut first, mut rest) = (Vec::with_capacity(photos.len() * length), Vec::new());
        for &photo in photos {
            let row = index.row(photo);
            first.extend(order[..length].iter().map(|&at| i16::from(row[at])));
            let squares = order[length..].iter().map(|&at| u64::from(row[at].unsigned_abs()).pow(2));
            rest.push((squares.sum::<u64>() as f64).sqrt() as f32);
        }
        Self { index, photos, threshold, length, first, rest }
    }

    /// The number of blocks.
    pub fn blocks(&self) -> u64 {
        self.photos.len().div_ceil(BLOCK) as u64
    }

    /// The pairs of the photos of a block with those after each: two numbers in the index, and the cosine.
    pub fn of_block(&self, block: u64) -> Vec<(usize, usize, f32)> {
        let all = self.photos.len();
        // A block of photos that are in memory.
        let begin = block as usize * BLOCK;
        let mut pairs = Vec::new();
        for tile in (begin..all).step_by(BLOCK) {
            for a in begin..all.min(begin + BLOCK) {
                for b in tile.max(a + 1)..all.min(tile + BLOCK) {
                    self.compare(a, b, &mut pairs);
                }
            }
        }
        pairs
    }

    #[inline]
    fn compare(&self, a: usize, b: usize, pairs: &mut Vec<(usize, usize, f32)>) {
        let first = |at: usize| &self.first[at * self.length..][..self.length];
        let so_far = dot_i16(first(a), first(b)) as f32;
        let norms = self.index.norms();
        let (one, other) = (self.photos[a], self.photos[b]);
        let needed = self.threshold * norms[one] * norms[other];
        // A little less than needed, since the norms are rounded.
        if so_far + self.rest[a] * self.rest[b] < needed * 0.9999 {
            return;
        }
        let cosine = cosine(dot(self.index.row(one), self.index.row(other)), norms[one], norms[other]);
        if cosine >= self.threshold {
            pairs.push((one, other, cosine));
        }
    }
}

/// `Σ a · b` of bytes that were widened.
#[inline]
fn dot_i16(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

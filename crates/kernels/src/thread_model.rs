//! What more threads than a test machine has would give: the pool's own division of work, with times measured on one
//! thread. Of memory it knows nothing: all threads together read the weights once a photo.

use std::ops::Range;

use crate::attention::parts;
use crate::pack::PANEL;
use crate::rows_cut::Cut;
use crate::threads::share::Share;

/// Milliseconds from the end of a turn to the beginning of the next one for helpers that spin: a few exchanges of a
/// cache line, and what the caller does between turns.
const HAND_OVER: f64 = 0.005;

/// What unpacking a group of weights takes of the time of its product with 197 rows.
const UNPACKING: f64 = 0.013;

const TOKENS: usize = 197;
const LAYERS: f64 = 24.0;
const HEADS: usize = 16;

/// Milliseconds of the slowest thread where `items` are shared, `cost` being that of a part of them.
fn turn(items: usize, grain: usize, threads: usize, cost: impl Fn(Range<usize>) -> f64) -> f64 {
    let threads = threads.min(items);
    let share = |thread| Share::of(items * thread / threads..items * (thread + 1) / threads);
    let shares: Vec<Share> = (0..threads).map(share).collect();
    let mut clocks = vec![0.0; threads];
    let mut busy: Vec<usize> = (0..threads).collect();
    // Who is free first takes next.
    while let Some(at) = (0..busy.len()).min_by(|&a, &b| f64::total_cmp(&clocks[busy[a]], &clocks[busy[b]])) {
        let thread = busy[at];
        let others = (1..threads).map(|step| &shares[(thread + step) % threads]);
        match shares[thread]
            .take(grain)
            .or_else(|| others.into_iter().find_map(|share| share.take_last(grain)))
        {
            Some(part) => clocks[thread] += cost(part),
            None => _ = busy.swap_remove(at),
        }
    }
    clocks.into_iter().fold(0.0, f64::max) + if threads > 1 { HAND_OVER } else { 0.0 }
}

/// A product of `columns` columns that takes `ms` on one thread, its rows cut as for `cut_for` threads.
fn product(ms: f64, columns: usize, threads: usize, cut_for: usize) -> f64 {
    let (cut, groups) = (Cut::of(TOKENS, 5, cut_for), columns / (4 * PANEL));
    let of_group = ms / groups as f64;
    turn(cut.parts * groups, cut.together, threads, |items| {
        let pieces = cut.pieces(groups, items);
        pieces
            .map(|(_, rows)| of_group * (UNPACKING + (1.0 - UNPACKING) * rows.len() as f64 / TOKENS as f64))
            .sum()
    })
}

/// Items of one length.
fn even(ms: f64, items: usize, threads: usize) -> f64 {
    turn(items, 1, threads, |part| ms * part.len() as f64 / items as f64)
}

/// The stages of BEiTv2-large with 8-bit weights on a Zen 3 at 76 GOP/s (docs/performance.md): name, milliseconds a photo.
fn photo(threads: usize, cut_for: usize) -> [(&'static str, f64); 5] {
    let products: f64 = [(16.3, 3072), (5.4, 1024), (21.7, 4096), (21.7, 1024)]
        .into_iter()
        .map(|(ms, columns)| product(ms, columns, threads, cut_for))
        .sum();
    let attention = even(7.5, HEADS * parts(HEADS, threads), threads);
    [
        ("products", LAYERS * products),
        ("attention", LAYERS * attention),
        ("layer norms", LAYERS * 2.0 * even(0.3, TOKENS, threads)),
        ("patch embedding, head", even(32.0, 64, threads)),
        (
            "patches cut, class token, mean",
            [14, TOKENS, 8].map(|items| even(0.2, items, threads)).iter().sum(),
        ),
    ]
}

#[test]
fn sixteen_threads_are_well_used() {
    let total = |stages: [(&str, f64); 5]| stages.map(|(_, ms)| ms).iter().sum::<f64>();
    let (one, alone) = (photo(1, 1), total(photo(1, 1)));
    for (threads, least) in [(2, 1.97), (4, 3.85), (8, 7.4), (12, 10.5), (16, 13.0)] {
        let stages = photo(threads, threads);
        let (gain, whole_rows) = (alone / total(stages), alone / total(photo(threads, 1)));
        println!("{threads:2} threads: {gain:.2} ×; if only columns were shared {whole_rows:.2} ×");
        for ((name, ms), (_, alone)) in stages.into_iter().zip(one) {
            println!("    {name}: {ms:.1} ms of {alone:.1}, {:.2} ×", alone / ms);
        }
        assert!(gain >= least, "{threads} threads: {gain} ×");
        // Parts of rows cost their unpacking.
        assert!(gain >= 0.99 * whole_rows, "{threads} threads: {gain} ×, {whole_rows} × by columns alone");
    }
}

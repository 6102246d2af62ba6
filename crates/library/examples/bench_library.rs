//! Times an index of synthetic photos: `cargo run --release -p library --example bench_library [PHOTOS [WIDTH]]`.
//!
//! The features are random around a common direction, some of them near copies of others. Each number is the best of
//! several runs on one thread; duplicates are searched once.

use beit::classes::Classes;
use beit::labels::imagenet_1k;
use library::{
    Answer, Feature, Header, LocalTime, ModelIdentity, Names, NearPairs, Photo, Query, Scope, Term,
    beginning, duplicates, photo_record, read,
};
use splitmix64::SplitMix64;
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let mut number = |default| arguments.next().map_or(default, |n| n.expect("PHOTOS and WIDTH are numbers"));
    let (photos, width) = (number(100_000), number(1024));
    let file = synthetic(photos, width);
    println!("{photos} photos, features of {width} bytes, file of {} MB", file.len() / 1_000_000);
    let index = time("read the file", 1, || read(&file).unwrap().index);
    drop(file);
    let names = time("look up the names", 3, || Names::new(index.header()));
    let term = |text: &str| Term { text: text.into(), scope: Scope::All };
    for words in [&["tabby"][..], &["animal"], &["狗"], &["dog", "2024"], &["no such thing"]] {
        let query =
            Query { terms: words.iter().map(|word| term(word)).collect(), least: 0.3, ..Query::default() };
        time(&format!("search {words:?}"), 5, || index.search(&names, &query).len());
    }
    let since = Query { since: LocalTime::beginning_of("2020"), ..Query::default() };
    time("search since 2020", 5, || index.search(&names, &since).len());
    time("search all", 5, || index.search(&names, &Query::default()).len());
    let feature = index.feature(photos / 2);
    time("the 50 most similar", 5, || index.similar(&feature, 50, &|_| true).len());
    let one_after_another = |pairs: &NearPairs| {
        let mut all = Vec::new();
        (0..pairs.blocks()).for_each(|block| all.extend(pairs.of_block(block)));
        all
    };
    let groups = time("duplicates", 1, || duplicates(&index, library::NEAR_COSINE, one_after_another));
    println!("{} groups", groups.len());
}

/// Prints the least time of some runs.
fn time<T>(what: &str, runs: usize, mut run: impl FnMut() -> T) -> T {
    let mut best = f64::INFINITY;
    let mut once = || {
        let begun = Instant::now();
        let result = std::hint::black_box(run());
        best = best.min(begun.elapsed().as_secs_f64() * 1e3);
        result
    };
    (1..runs).for_each(|_| drop(once()));
    let result = once();
    println!("{best:10.2} ms  {what}");
    result
}

/// An index file of photos, of which every fiftieth is a near copy of the one before.
fn synthetic(photos: usize, width: usize) -> Vec<u8> {
    let model = ModelIdentity { name: "synthetic".into(), identity: "00".repeat(32) };
    let classes = Classes { labels: imagenet_1k().to_vec(), kinds: Vec::new() };
    let header = Header::new(model, None, width as u64, classes);
    let mut file = beginning(&header).unwrap();
    let mut random = SplitMix64(1);
    let mut uniform = move || (random.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let common: Vec<f32> = (0..width).map(|_| uniform()).collect();
    let mut last = common.clone();
    for number in 0..photos {
        let by = if number % 50 == 49 { 0.1 } else { 1.0 };
        let centre = if number % 50 == 49 { &last } else { &common };
        let values: Vec<f32> = centre.iter().map(|value| value + by * uniform()).collect();
        let feature = Feature::new(&values).unwrap();
        last = values;
        let mut sha256 = [0; 32];
        sha256[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let class = |k: usize| (number * k * 37 % 1000) as u32;
        let photo = Photo {
            path: format!("{}/{:02}/IMG_{number:06}.jpg", 2010 + number % 15, number % 12 + 1),
            size: 2_000_000 + number as u64,
            modified: 1_600_000_000_000_000_000,
            sha256,
            width: 4032,
            height: 3024,
            taken: Some(LocalTime(1_300_000_000 + 4_000 * number as i64)),
            none_of_these: false,
            answers: [(1, 0.6f32), (2, 0.2), (3, 0.1), (5, 0.05), (7, 0.01)]
                .map(|(k, probability)| Answer { class: class(k), probability })
                .into(),
        };
        file.extend(photo_record(&photo, &feature, &header).unwrap());
    }
    file
}

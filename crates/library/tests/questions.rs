//! What an index is asked: searches, similar photos, duplicates, against plain computations.

mod support;

use beit::labels::imagenet_1k;
use library::{
    Answer, Feature, Group, GroupKind, Index, LocalTime, Names, NearPairs, Photo, Query, Scope, Term,
    duplicates,
};
use splitmix64::SplitMix64;
use std::collections::BTreeSet;
use support::{WIDTH, header, index, photo};

const TABBY: u32 = 281;
const EGYPTIAN_CAT: u32 = 285;
const GOLDEN_RETRIEVER: u32 = 207;

fn answered(path: &str, answers: &[(u32, f32)], day: &str) -> (Photo, u64) {
    let answers = answers.iter().map(|&(class, probability)| Answer { class, probability }).collect();
    (Photo { answers, taken: LocalTime::beginning_of(day), ..photo(path, 1) }, 1)
}

fn library() -> Index {
    index(&[
        answered(
            "Home/IMG_1.jpg",
            &[(TABBY, 0.4), (EGYPTIAN_CAT, 0.35), (GOLDEN_RETRIEVER, 0.1)],
            "2023-12-31",
        ),
        answered("Home/IMG_2.jpg", &[(GOLDEN_RETRIEVER, 0.9)], "2024-01-01"),
        answered("Home/my tabby.png", &[(GOLDEN_RETRIEVER, 0.2), (TABBY, 0.1)], "2024-06-01"),
        answered("Trip/both.jpg", &[(GOLDEN_RETRIEVER, 0.5), (TABBY, 0.45)], "2025-01-01"),
        (Photo { taken: None, modified: -1, ..answered("old.jpg", &[], "2024").0 }, 1),
    ])
}

fn found(index: &Index, query: &Query) -> Vec<(String, Option<f32>)> {
    let hits = index.search(&Names::new(index.header()), query);
    hits.iter().map(|hit| (index.photos()[hit.photo].path.clone(), hit.score)).collect()
}

fn words(words: &[&str], least: f32) -> Query {
    let terms = words.iter().map(|&text| Term { text: text.into(), scope: Scope::All });
    Query { terms: terms.collect(), least, ..Query::default() }
}

fn paths(index: &Index, query: &Query) -> Vec<String> {
    found(index, query).into_iter().map(|(path, _)| path).collect()
}

#[test]
fn photos_are_found_by_class_kind_path_and_date_in_both_languages() {
    let index = library();
    assert_eq!(imagenet_1k()[TABBY as usize].en, "tabby");
    // Two cats make up one probability of a kind.
    for cat in ["domestic cat", "家猫", "cat"] {
        let got = found(&index, &words(&[cat], 0.45));
        assert_eq!(
            got,
            [("Home/IMG_1.jpg".into(), Some(0.75)), ("Trip/both.jpg".into(), Some(0.45))],
            "{cat}"
        );
    }
    // What is found by its path alone comes last.
    assert_eq!(
        found(&index, &words(&["tabby"], 0.42)),
        [("Trip/both.jpg".into(), Some(0.45)), ("Home/my tabby.png".into(), None)]
    );
    assert_eq!(paths(&index, &words(&["IMG_2"], 0.3)), ["Home/IMG_2.jpg"]);
    assert_eq!(paths(&index, &words(&["tabby", "golden retriever"], 0.3)), ["Trip/both.jpg"]);
    assert_eq!(paths(&index, &words(&["no such thing"], 0.0)), [""; 0]);
    let kinds = Query { terms: vec![Term { text: "tabby".into(), scope: Scope::Kinds }], ..Query::default() };
    assert_eq!(paths(&index, &kinds), [""; 0], "a class is no kind, and paths do not count");

    let dated = |since: &str, until: &str| {
        let query = Query {
            since: LocalTime::beginning_of(since),
            until: LocalTime::end_of(until),
            ..Query::default()
        };
        paths(&index, &query)
    };
    assert_eq!(dated("2024", "2024"), ["Home/IMG_2.jpg", "Home/my tabby.png"]);
    assert_eq!(dated("2023-12-31", "2024-01-01"), ["Home/IMG_1.jpg", "Home/IMG_2.jpg"]);
    assert_eq!(dated("1960", "1969"), ["old.jpg"], "without EXIF the file's time counts");
    assert_eq!(paths(&index, &Query::default()).len(), 5);
}

fn noise(random: &mut SplitMix64, width: usize) -> Vec<f32> {
    (0..width).map(|_| (random.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Photos around some centres, with a common part as real features have.
fn clustered(photos: usize, seed: u64) -> Index {
    let mut random = SplitMix64(seed);
    let mut index = Index::new(header());
    let common = noise(&mut random, WIDTH);
    let centres: Vec<Vec<f32>> = (0..photos / 3 + 1).map(|_| noise(&mut random, WIDTH)).collect();
    for number in 0..photos {
        let centre = &centres[random.next_u64() as usize % centres.len()];
        let by = (random.next_u64() % 100) as f32 / 200.0;
        let own = noise(&mut random, WIDTH);
        let values: Vec<f32> = (0..WIDTH).map(|i| common[i] + centre[i] + by * own[i]).collect();
        let made = Photo { taken: None, ..photo(&format!("{number:04}.jpg"), number as u64) };
        index.put(made, &Feature::new(&values).unwrap()).unwrap();
    }
    index
}

fn exact_cosine(index: &Index, a: usize, b: usize) -> f64 {
    let (a, b) = (index.feature(a).values, index.feature(b).values);
    let dot = |a: &[i8], b: &[i8]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

#[test]
fn the_most_similar_photos_are_those_of_a_full_sort() {
    let index = clustered(200, 1);
    let asked = index.by_path("0007.jpg").unwrap();
    let mut all: Vec<usize> = (0..200).filter(|photo| photo % 3 != 0).collect();
    all.sort_by(|&a, &b| exact_cosine(&index, asked, b).total_cmp(&exact_cosine(&index, asked, a)));
    for count in [0, 1, 10, 500] {
        let got = index.similar(&index.feature(asked), count, &|photo| photo % 3 != 0);
        assert_eq!(got.len(), count.min(all.len()));
        for (similar, &expected) in got.iter().zip(&all) {
            let exact = exact_cosine(&index, asked, expected);
            assert!((f64::from(similar.cosine) - exact).abs() < 1e-5, "{similar:?}, expected {exact}");
        }
    }
    assert_eq!(index.similar(&index.feature(asked), 1, &|_| true)[0].photo, asked);
    assert_eq!(index.similar(&Feature::new(&[1.0; 3]).unwrap(), 9, &|_| true), []);
}

#[test]
fn pairs_that_are_given_up_early_are_never_near() {
    for (seed, threshold) in [(2, 0.9), (3, 0.95), (4, 0.99), (5, 0.5)] {
        let index = clustered(230, seed);
        let photos: Vec<usize> = (0..230).filter(|photo| photo % 7 != 0).collect();
        let near = NearPairs::new(&index, &photos, threshold);
        let got: Vec<_> = (0..near.blocks()).flat_map(|block| near.of_block(block)).collect();
        let got: BTreeSet<(usize, usize)> = got.iter().map(|&(a, b, _)| (a.min(b), a.max(b))).collect();
        let mut expected = BTreeSet::new();
        for (i, &a) in photos.iter().enumerate() {
            for &b in &photos[i + 1..] {
                if exact_cosine(&index, a, b) >= f64::from(threshold) {
                    expected.insert((a, b));
                }
            }
        }
        assert_eq!(got, expected, "{threshold}");
        assert!(expected.len() > 10, "{threshold}: {} pairs", expected.len());
    }
}

fn groups(index: &Index, near: f32) -> Vec<(GroupKind, Vec<String>)> {
    let run = |pairs: &NearPairs| (0..pairs.blocks()).flat_map(|block| pairs.of_block(block)).collect();
    let name = |&photo: &usize| index.photos()[photo].path.clone();
    let all = duplicates(index, near, run);
    all.iter().map(|Group { kind, photos, .. }| (*kind, photos.iter().map(name).collect())).collect()
}

/// A feature at this angle from a fixed one, in degrees.
fn at(degrees: f32) -> Feature {
    let mut values = vec![0.0; WIDTH];
    (values[3], values[9]) = (degrees.to_radians().cos(), degrees.to_radians().sin());
    Feature::new(&values).unwrap()
}

fn add(index: &mut Index, path: &str, content: u64, size: (u32, u32), taken: Option<i64>, feature: &Feature) {
    let taken = taken.map(LocalTime);
    index.put(Photo { width: size.0, height: size.1, taken, ..photo(path, content) }, feature).unwrap();
}

#[test]
fn copies_near_copies_and_bursts_are_told_apart_and_the_best_is_proposed() {
    let mut index = Index::new(header());
    let time = 1_700_000_000;
    // The original, a copy of it, and a smaller one of the same second, which lost nothing but pixels.
    add(&mut index, "b/original.jpg", 1, (4000, 3000), Some(time), &at(0.0));
    add(&mut index, "a/copy.jpg", 1, (4000, 3000), Some(time), &at(0.0));
    add(&mut index, "a/small.jpg", 2, (800, 600), Some(time), &at(3.0));
    // Shared without EXIF.
    add(&mut index, "chat.jpg", 3, (1600, 1200), None, &at(5.0));
    // A burst: some so like the first that they would be copies, but for their times; one moved.
    for (number, degrees) in [(0, 60.0), (1, 62.0), (2, 90.0)] {
        let path = format!("burst/{number}.jpg");
        add(&mut index, &path, 10 + number, (4000, 3000), Some(time + 100 + number as i64), &at(degrees));
    }
    // Similar, but minutes later.
    add(&mut index, "later.jpg", 20, (4000, 3000), Some(time + 400), &at(120.0));
    let found = groups(&index, 0.95);
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            (GroupKind::Exact, list(&["a/copy.jpg", "b/original.jpg"])),
            (GroupKind::Near, list(&["a/copy.jpg", "chat.jpg", "a/small.jpg"])),
            (GroupKind::Burst, list(&["burst/2.jpg", "burst/1.jpg", "burst/0.jpg"])),
        ]
    );
    assert_eq!(groups(&Index::new(header()), 0.95), []);
}

#[test]
fn a_chain_of_near_photos_is_no_group_with_strangers() {
    let mut index = Index::new(header());
    for step in 0..5 {
        // 15° are a cosine of 0.966, 30° of 0.866.
        let size = (1000 - step * 10, 1000);
        add(&mut index, &format!("{step}.jpg"), step.into(), size, None, &at(15.0 * step as f32));
    }
    let near = |names: &[&str]| (GroupKind::Near, names.iter().map(|&name| name.to_owned()).collect());
    assert_eq!(groups(&index, 0.95), [near(&["0.jpg", "1.jpg"]), near(&["2.jpg", "3.jpg"])]);
    assert_eq!(groups(&index, 0.97), []);
}

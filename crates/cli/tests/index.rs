//! `beitscope index`, `find` and `duplicates`, as a user runs them.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use support::tagging::Setup;
use support::{Run, data, model_with};

fn photo(name: &str) -> Vec<u8> {
    fs::read(data(&format!("photos/{name}"))).unwrap()
}

/// Another picture than those of the setup.
fn cat() -> Vec<u8> {
    fs::read(data("../../web/samples/cat.jpg")).unwrap()
}

/// The last line, with the counts.
fn summary(run: &Run) -> Value {
    run.json().pop().unwrap_or_else(|| panic!("{}", run.stderr))
}

fn counts(run: &Run) -> [u64; 5] {
    let summary = summary(run);
    ["computed", "recognized", "unchanged", "removed", "failed"].map(|key| summary[key].as_u64().unwrap())
}

fn files(run: &Run) -> BTreeSet<String> {
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.json().iter().map(|line| line["file"].as_str().unwrap().to_owned()).collect()
}

fn setup() -> Setup {
    let setup = Setup::new();
    setup.add("a/one.jpg", &photo("baseline.jpg"));
    setup.add("a/two.png", &photo("transparent.png"));
    setup.add("three.webp", &photo("lossy.webp"));
    setup.add("four.heic", &fs::read(data("modern-photos/heic-tiles.heic")).unwrap());
    setup
}

#[test]
fn what_moved_is_recognized_and_what_changed_alone_is_computed() {
    let setup = setup();
    let index = || setup.with_model("index", &["photos"]);
    let first = index();
    assert_eq!((first.code, counts(&first)), (0, [4, 0, 0, 0, 0]), "{}", first.stderr);
    assert_eq!(summary(&first)["index"], "photos/.beitscope-index");
    assert_eq!(counts(&index()), [0, 0, 4, 0, 0]);

    fs::rename(setup.photos().join("a"), setup.photos().join("旅行")).unwrap();
    fs::copy(setup.photos().join("three.webp"), setup.photos().join("copy.webp")).unwrap();
    assert_eq!(counts(&index()), [0, 3, 2, 2, 0]);
    // Two photos change places, so that each path has the other's content.
    let (one, two) = (setup.photos().join("three.webp"), setup.photos().join("four.heic"));
    let (a, b) = (fs::read(&one).unwrap(), fs::read(&two).unwrap());
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&one, &b).unwrap();
    fs::write(&two, &a).unwrap();
    fs::remove_file(setup.photos().join("copy.webp")).unwrap();
    setup.add("new.webp", &photo("lossless.webp"));
    assert_eq!(counts(&index()), [1, 2, 2, 1, 0]);
    let found = setup.without_model(&["find", "photos"]);
    let expected = ["four.heic", "new.webp", "three.webp", "旅行/one.jpg", "旅行/two.png"];
    assert_eq!(files(&found), expected.map(|name| format!("photos/{name}")).into());
}

#[test]
fn what_cant_be_read_is_told_and_stops_nothing() {
    let setup = setup();
    setup.add("bad.jpg", b"not a photo");
    let run = setup.with_model("index", &["photos"]);
    assert_eq!((run.code, counts(&run)), (1, [4, 0, 0, 0, 1]), "{}", run.stderr);
    assert!(run.stdout.contains("photos/bad.jpg") && run.stdout.contains("not a photo"), "{}", run.stdout);
    assert!(run.stderr.contains("1 photos could not be read"), "{}", run.stderr);
    // It is tried again, and mended.
    setup.add("bad.jpg", &photo("progressive.jpg"));
    assert_eq!(counts(&setup.with_model("index", &["photos"])), [1, 0, 4, 0, 0]);
    // A drive that is not there makes no photo go.
    let index = fs::read(setup.photos().join(".beitscope-index")).unwrap();
    let elsewhere = setup.folder.path().join("index");
    fs::write(&elsewhere, &index).unwrap();
    fs::create_dir(setup.folder.path().join("empty")).unwrap();
    let run = setup.with_model("index", &["empty", "--index", "index"]);
    assert!(run.code == 2 && run.stderr.contains("holds none"), "{}", run.stderr);
    assert_eq!(fs::read(&elsewhere).unwrap(), index);
}

#[test]
fn parts_put_together_are_the_index_of_one_run() {
    let setup = setup();
    for number in 0..5 {
        setup.add_distinct(&format!("b/{number}.jpg"), &photo("baseline.jpg"), &format!("comment {number}"));
    }
    assert_eq!(setup.with_model("index", &["photos", "--index", "whole"]).code, 0);
    let whole = setup.without_model(&["find", "whole"]);
    let parts = [1, 2, 3].map(|k| {
        let run = setup.with_model("index", &["photos", "--shard", &format!("{k}/3"), "--threads", "1"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        summary(&run)["index"].as_str().unwrap().to_owned()
    });
    assert_eq!(parts[1], "photos/.beitscope-index.2-of-3");
    let missing = setup.without_model(&["find", "photos", "cat"]);
    assert!(
        missing.code == 1 && missing.stderr.contains(&format!("--merge {}", parts.join(" "))),
        "{}",
        missing.stderr
    );
    // One photo of an earlier run is gone since.
    fs::remove_file(setup.photos().join("b/4.jpg")).unwrap();
    let [one, two, three] = &parts;
    let merged = setup.without_model(&["index", "photos", "--merge", three, one, two]);
    assert_eq!((merged.code, counts(&merged)), (0, [0, 0, 8, 1, 0]), "{}", merged.stderr);
    let lines = |run: &Run, folder: &str| -> BTreeSet<String> {
        run.stdout.lines().map(|line| line.replace(&format!("\"file\":\"{folder}"), "")).collect()
    };
    let (merged, whole) = (lines(&setup.without_model(&["find", "photos"]), "photos/"), lines(&whole, ""));
    assert_eq!(merged, whole.into_iter().filter(|line| !line.starts_with("{b/4.jpg")).collect());
    // Parts take over what the index knows.
    for k in 1..3 {
        let run = setup.with_model("index", &["photos", "--shard", &format!("{k}/2")]);
        assert_eq!(counts(&run)[0], 0, "{}", run.stdout);
    }
    let few = setup.without_model(&["index", "photos", "--index", "few", "--merge", one]);
    assert!(few.stderr.contains("in none of the parts"), "{}", few.stderr);
}

#[test]
fn an_index_that_is_not_this_runs_is_left_alone() {
    let setup = setup();
    let file = setup.photos().join(".beitscope-index");
    fs::write(&file, "my precious notes").unwrap();
    let refused = |arguments: &[&str], sentence: &str| {
        let before = fs::read(&file).unwrap();
        let run = setup.with_model("index", arguments);
        assert!(run.code != 0 && run.stderr.contains(sentence), "{}", run.stderr);
        assert_eq!(fs::read(&file).unwrap(), before);
    };
    refused(&["photos"], "no index of photos");
    fs::remove_file(&file).unwrap();
    assert_eq!(setup.with_model("index", &["photos"]).code, 0);
    // Another process writes it.
    let lock = fs::File::options().write(true).open(setup.photos().join(".beitscope-index.lock")).unwrap();
    lock.lock().unwrap();
    refused(&["photos"], "another run is writing");
    assert_eq!(setup.without_model(&["find", "photos"]).code, 0, "it can be read meanwhile");
    drop(lock);
    let other = model_with(setup.folder.path(), "tiny-relative", "f32", None);
    let run = setup.without_model(&["index", "photos", "--model", other.to_str().unwrap()]);
    assert!(
        run.code == 1 && run.stderr.contains("another model") && run.stderr.contains("--index"),
        "{}",
        run.stderr
    );
    // Damaged at its end: told, and mended by the next run.
    let whole = fs::read(&file).unwrap();
    fs::write(&file, [&whole[..], b"half a reco"].concat()).unwrap();
    let run = setup.without_model(&["find", "photos"]);
    assert!(run.code == 0 && run.stderr.contains("cut off while it was written"), "{}", run.stderr);
    let mended = setup.with_model("index", &["photos"]);
    assert_eq!((counts(&mended), fs::read(&file).unwrap()), ([0, 0, 4, 0, 0], whole));
}

#[test]
fn wrong_commands_are_told_so() {
    let setup = setup();
    for (code, sentence, arguments) in [
        (2, "--model", &["index", "photos"][..]),
        (2, "K/N", &["index", "photos", "--model", "m", "--shard", "0/3"]),
        (2, "no folder", &["index", "gone", "--model", "m"]),
        (1, "beitscope index --model DIR photos", &["find", "photos"]),
        (1, "no index gone", &["duplicates", "gone"]),
        (1, "no index of photos", &["find", "photos/a/one.jpg"]),
        (2, "2024-05-31", &["find", "photos", "--since", "yesterday"]),
        (2, "--least", &["find", "photos", "--least", "2"]),
        (2, "--near", &["duplicates", "photos", "--near", "0.1"]),
    ] {
        let run = setup.without_model(arguments);
        assert!(run.code == code && run.stderr.contains(sentence), "{arguments:?}: {}", run.stderr);
    }
}

/// EXIF with a capture time, as a JPEG's first segment.
fn with_time(jpeg: &[u8], time: &str) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let tiff = [
        &b"II*\0\x08\0\0\0\x01\0"[..],
        &entry(0x8769, 4, 1, 26),
        &[0; 4],
        &[1, 0],
        &entry(0x9003, 2, 20, 44),
        &[0; 4],
        time.as_bytes(),
        &[0],
    ]
    .concat();
    let exif = [b"Exif\0\0", &tiff[..]].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn photos_are_found_by_answer_date_and_likeness() {
    let setup = setup();
    setup.add("summer.jpg", &with_time(&cat(), "2019:07:01 10:00:00"));
    assert_eq!(setup.with_model("index", &["photos"]).code, 0);
    let find = |arguments: &[&str]| setup.without_model(&[&["find", "photos"], arguments].concat());
    let all = find(&[]);
    assert_eq!(files(&all).len(), 5);
    let line = all.json().into_iter().find(|line| line["file"] == "photos/summer.jpg").unwrap();
    assert_eq!(line["taken"], "2019-07-01T10:00:00");
    assert_eq!(line["answers"].as_array().unwrap().len(), 5);
    // By its best answer, in both languages and by WordNet's id; the same as classify says.
    let best = &line["answers"][0];
    let classified = setup.with_model("classify", &["photos/summer.jpg"]).json().remove(0);
    let same = |key: &str, of: &Value| assert_eq!(of[key], classified["predictions"][0][key]);
    ["wnid", "label", "label_zh", "score"].iter().for_each(|key| same(key, best));
    for key in ["wnid", "label", "label_zh"] {
        let found = find(&[best[key].as_str().unwrap(), "--least", "0.01"]);
        assert!(files(&found).contains("photos/summer.jpg"), "{}", found.stdout);
        let first = &found.json()[0];
        assert!(first["score"].as_f64().unwrap() >= best["score"].as_f64().unwrap());
    }
    assert_eq!(files(&find(&["summer"])), BTreeSet::from(["photos/summer.jpg".into()]));
    assert_eq!(files(&find(&["animal", "--kind", "--least", "0"])).len(), 5);
    let none = find(&["summer", "--kind"]);
    assert!(files(&none).is_empty() && none.stderr.contains("no kind is called"), "{}", none.stderr);
    assert!(find(&["zebra crossing of mars"]).stderr.contains("no class and no kind"));
    let summer = BTreeSet::from(["photos/summer.jpg".to_owned()]);
    assert_eq!(files(&find(&["--since", "2019-07", "--until", "2019-07-01"])), summer);
    assert_eq!(files(&find(&["--until", "2019-06"])), BTreeSet::new());
    assert_eq!(files(&find(&["--limit", "2"])).len(), 2);

    let like = find(&["--like", "photos/summer.jpg", "--limit", "3"]).json();
    assert_eq!((&like[0]["file"], like.len()), (&json!("photos/summer.jpg"), 3));
    let cosines: Vec<f64> = like.iter().map(|line| line["similarity"].as_f64().unwrap()).collect();
    assert!((cosines[0] - 1.0).abs() < 1e-4 && cosines.is_sorted_by(|a, b| a >= b), "{cosines:?}");
    // The same picture in another file, which the index does not know.
    let stranger = setup.folder.path().join("stranger.jpg");
    fs::write(&stranger, cat()).unwrap();
    let run = find(&["--like", "stranger.jpg"]);
    assert!(run.code == 2 && run.stderr.contains("--model"), "{}", run.stderr);
    let model = setup.model.to_str().unwrap();
    let like = find(&["--like", "stranger.jpg", "--model", model, "summer"]).json();
    assert_eq!((&like[0]["file"], like.len()), (&json!("photos/summer.jpg"), 1));
    assert!((like[0]["similarity"].as_f64().unwrap() - 1.0).abs() < 1e-4);
}

#[test]
fn duplicates_are_grouped_and_nothing_is_changed() {
    let setup = setup();
    let jpeg = photo("baseline.jpg");
    setup.add("copy of one.jpg", &jpeg);
    // The same picture, other bytes.
    setup.add_distinct("z/larger.jpg", &jpeg, "a comment that makes the file larger");
    // A burst, by its times.
    let other = cat();
    for second in 0..3 {
        setup.add(&format!("burst/{second}.jpg"), &with_time(&other, &format!("2020:01:01 00:00:0{second}")));
    }
    let before = tree(&setup.photos());
    assert_eq!(setup.with_model("index", &["photos"]).code, 0);
    let run = setup.without_model(&["duplicates", "photos", "--near", "0.9999"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let of = |kind: &str| -> Vec<(String, Vec<String>)> {
        let file = |photo: &Value| photo["file"].as_str().unwrap().to_owned();
        let lines = run.json().into_iter().filter(|line| line["kind"] == kind);
        lines
            .map(|line| (file(&line["keep"]), line["others"].as_array().unwrap().iter().map(file).collect()))
            .collect()
    };
    let is = |keep: &str, others: &[&str]| {
        (keep.to_owned(), others.iter().map(|&other| other.to_owned()).collect())
    };
    assert_eq!(of("exact").len(), 1, "{}", run.stdout);
    let (kept, others) = of("exact").remove(0);
    assert_eq!(BTreeSet::from([kept.clone(), others[0].clone()]).len() + others.len(), 3);
    assert_eq!(of("near"), [is("photos/z/larger.jpg", &[&kept])]);
    assert_eq!(of("burst"), [is("photos/burst/0.jpg", &["photos/burst/1.jpg", "photos/burst/2.jpg"])]);
    assert!(run.stderr.contains("3 groups among 9 photos; 4 photos"), "{}", run.stderr);
    let mut after = tree(&setup.photos());
    after.retain(|path| !path.contains(".beitscope-index"));
    assert_eq!(after, before);
}

fn tree(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else {
            found.insert(path.display().to_string());
        }
    }
    found
}

//! `beitscope classify` and `evaluate`, as a user runs them.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use support::{accuracy, beitscope, data, model, model_with};

const PHOTOS: [&str; 4] = ["landscape", "portrait", "odd", "strip"];

fn photo(name: &str) -> String {
    data(&format!("pillow/{name}.png")).display().to_string()
}

fn classify(model: &Path, more: &[&str]) -> support::Run {
    let model = model.display().to_string();
    beitscope([&["classify", "--model", &model, "--json"], more].concat())
}

#[test]
fn photos_are_answered_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "tiny-absolute");
    let photos = PHOTOS.map(photo);
    let photos: Vec<&str> = photos.iter().map(String::as_str).collect();
    let run = classify(&model, &[&["--logits", "--threads", "2"], &photos[..]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answers = run.json();
    assert_eq!(answers.len(), photos.len());
    for (answer, photo) in answers.iter().zip(photos) {
        let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["backend", "file", "logits", "ms", "predictions"]);
        assert_eq!((answer["file"].as_str().unwrap(), answer["backend"].as_str().unwrap()), (photo, "cpu"));
        assert!(answer["ms"].as_f64().unwrap() > 0.0);
        check_predictions(answer);
    }
}

/// The same picture in formats whose decoders the page has to fetch.
#[test]
fn photos_of_phones_and_newer_formats_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "tiny-absolute");
    let photos: Vec<String> =
        ["heic-tiles.heic", "heic-named.jpg", "avif-grid.avif", "photo.jxl", "photo.jp2"]
            .iter()
            .map(|name| data(&format!("modern-photos/{name}")).display().to_string())
            .collect();
    let explain = folder.path().join("seen").display().to_string();
    let mut more = vec!["--explain-input", explain.as_str()];
    more.extend(photos.iter().map(String::as_str));
    let run = classify(&model, &more);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let formats: Vec<_> = run.json().iter().map(|answer| answer["input"]["format"].clone()).collect();
    assert_eq!(formats, ["HEIC", "HEIC", "AVIF", "JPEG XL", "JPEG 2000"]);
}

/// The five predictions are the softmax of the logits, best first.
fn check_predictions(answer: &Value) {
    let logits: Vec<f64> = answer["logits"].as_array().unwrap().iter().map(|l| l.as_f64().unwrap()).collect();
    assert_eq!(logits.len(), 50);
    let sum: f64 = logits.iter().map(|l| l.exp()).sum();
    let mut order: Vec<usize> = (0..50).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let predictions = answer["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 5);
    for (prediction, index) in predictions.iter().zip(order) {
        assert_eq!(prediction["index"], index);
        assert_eq!(prediction["label"], format!("class {index}"));
        assert_eq!((&prediction["wnid"], &prediction["label_zh"]), (&json!(""), &json!("")));
        let score = prediction["score"].as_f64().unwrap();
        assert!((score - logits[index].exp() / sum).abs() < 1e-5, "{score}");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = model_with(folder.path(), "tiny-relative", "q8_0", None);
    let logits = |threads: &str| {
        let run = classify(&model, &["--logits", "--threads", threads, &photo("odd")]);
        run.json()[0]["logits"].clone()
    };
    assert_eq!(logits("1"), logits("3"));
}

/// Half of its data are zeros: Pillow reads it, and so does this, and says so.
#[test]
fn what_is_missing_of_a_picture_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "tiny-absolute");
    let half = data("odd-photos/jpeg-last-half-zero.jpg").display().to_string();
    let run = classify(&model, &[&half]);
    let missing = run.json()[0]["missing_percent"].as_u64().unwrap();
    assert!((30..70).contains(&missing), "{missing} %");
}

#[test]
fn a_bad_photo_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "tiny-absolute");
    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "not a photo").unwrap();
    let (notes, good) = (notes.display().to_string(), photo("small"));
    let run = classify(&model, &[&notes, &good, "gone.jpg", "--top-k", "2"]);
    assert_eq!(run.code, 1);
    let [refused, answered, missing] = &run.json()[..] else { panic!("{}", run.stdout) };
    assert_eq!(*refused, json!({"file": notes, "error": refused["error"]}));
    assert!(refused["error"].as_str().unwrap().contains("not a photo"), "{refused}");
    assert_eq!(answered["predictions"].as_array().unwrap().len(), 2);
    assert!(answered.get("logits").is_none());
    assert!(missing["error"].as_str().unwrap().contains("can't be read"), "{missing}");
    assert!(run.stderr.contains("2 of 3 photos"), "{}", run.stderr);
}

#[test]
fn wrong_commands_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "tiny-absolute");
    let odd = photo("odd");
    let table: [(i32, &str, &[&str]); 4] = [
        (2, "--backend", &["--backend", "abacus", &odd]),
        (2, "--top-k", &["--top-k", "0", &odd]),
        (2, "--threads", &["--threads", "0", &odd]),
        (2, "PHOTO", &[]),
    ];
    for (code, sentence, arguments) in table {
        let run = classify(&model, arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{arguments:?}: {}", run.stderr);
    }
    let run = classify(folder.path(), &[&odd]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("manifest.json"), "{}", run.stderr);
}

/// A dataset whose right answers are what the model itself said, but for one photo.
#[test]
fn evaluate_counts_what_classify_says() {
    let folder = tempfile::tempdir().unwrap();
    let names = folder.path().join("names.txt");
    fs::write(&names, (0..50).map(|i| format!("thing {i}\n")).collect::<String>()).unwrap();
    let model = model_with(folder.path(), "tiny-absolute", "f32", Some(&names));
    let photos = PHOTOS.map(photo);
    let photos: Vec<&str> = photos.iter().map(String::as_str).collect();
    let answers = classify(&model, &photos).json();
    let rank = |photo: usize, rank: usize| answers[photo]["predictions"][rank]["index"].as_u64().unwrap();

    let flat = folder.path().join("flat");
    fs::create_dir(&flat).unwrap();
    for name in PHOTOS {
        fs::copy(photo(name), flat.join(format!("{name}.png"))).unwrap();
    }
    // First, first, third, and one that is not among the five.
    let wrong = (0..50).find(|i| (0..5).all(|r| rank(3, r) != *i)).unwrap();
    let labels = json!({"landscape.png": rank(0, 0), "portrait.png": rank(1, 0), "odd.png": rank(2, 2), "strip.png": wrong});
    fs::write(flat.join("labels.json"), labels.to_string()).unwrap();
    let evaluate = |folder: &Path| {
        beitscope(["evaluate", "--model", model.to_str().unwrap(), folder.to_str().unwrap(), "--json"])
    };
    let run = evaluate(&flat);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(accuracy(&run), (50.0, 75.0, 4));
    assert!(run.stderr.contains("4 of 4 photos"), "plain progress lines: {}", run.stderr);

    // The same as folders, with one unreadable file.
    let folders = folder.path().join("folders");
    for (i, name) in PHOTOS.iter().enumerate() {
        let class = folders.join(format!("thing {}", rank(i, 0)));
        fs::create_dir_all(&class).unwrap();
        fs::copy(photo(name), class.join(format!("{name}.png"))).unwrap();
    }
    let bad = folders.join(format!("thing {}", rank(0, 0))).join("bad.jpg");
    fs::write(&bad, "").unwrap();
    let run = evaluate(&folders);
    assert_eq!(run.code, 1);
    assert_eq!(accuracy(&run), (100.0, 100.0, 4));
    assert!(
        run.stderr.contains("bad.jpg: This file is empty.") && run.stderr.contains("1 of 5 photos"),
        "{}",
        run.stderr
    );

    fs::create_dir(folders.join("n00000001")).unwrap();
    fs::write(folders.join("n00000001/x.png"), "").unwrap();
    let run = evaluate(&folders);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("lacks 1 of the classes: n00000001"), "{}", run.stderr);
}

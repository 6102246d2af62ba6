//! `beitscope sort`, as a user runs it, and killed while it works.

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;
use support::tagging::{LOW, Setup};
use support::{Run, data};

fn photo(name: &str) -> Vec<u8> {
    fs::read(data(&format!("photos/{name}"))).unwrap()
}

/// All files below a folder, by their paths: bytes and time.
fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.file_name().unwrap().to_str().unwrap().starts_with(".beitscope-") {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            found.insert(path.clone(), (fs::read(&path).unwrap(), modified));
        }
    }
    found
}

fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = files(folder).into_values().map(|(bytes, _)| bytes).collect();
    all.sort();
    all
}

/// Photos of one class, two of them with one name, one with a sidecar.
fn setup() -> Setup {
    let setup = Setup::new();
    let jpeg = photo("baseline.jpg");
    for (name, comment) in [("a/x.jpg", "1"), ("b/x.jpg", "2"), ("b/X.JPG", "3"), ("b/y.jpg", "4")] {
        setup.add_distinct(name, &jpeg, comment);
    }
    setup.add("a/x.jpg.xmp", b"<x/>");
    setup.add("z.png", &photo("transparent.png"));
    setup
}

fn sort(setup: &Setup, arguments: &[&str]) -> Run {
    setup.with_model("sort", &[&["--into", "sorted", "--least", LOW], arguments].concat())
}

fn targets(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    run.json().iter().map(|line| (text(&line["file"]), text(&line["to"]))).collect()
}

#[test]
fn every_way_is_done_as_the_dry_run_said_and_is_undone() {
    for (how, status) in [("--copy", "copied"), ("--move", "moved"), ("--hard-link", "linked")] {
        let setup = setup();
        let (photos, sorted) = (setup.photos(), setup.folder.path().join("sorted"));
        let before = files(&photos);
        let dry = sort(&setup, &[how, "photos", "--dry-run"]);
        assert_eq!(dry.code, 0, "{}", dry.stderr);
        assert!(!sorted.exists() && files(&photos) == before);
        assert!(dry.json().iter().all(|line| line["status"] == format!("would_be_{status}")));

        let run = sort(&setup, &[how, "photos", "--json"]);
        assert_eq!((run.code, targets(&run)), (0, targets(&dry)), "{}", run.stderr);
        assert!(run.json().iter().all(|line| line["status"] == status), "{}", run.stdout);
        let after = files(&sorted);
        assert_eq!(after.len(), before.len(), "{after:?}");
        for (file, to) in targets(&run) {
            let (of, now) =
                (&before[&setup.folder.path().join(file)], &after[&setup.folder.path().join(&to)]);
            assert!(of == now, "{to}: bytes and time");
        }
        // What classify answers is the folder's name.
        let answer = setup.with_model(
            "classify",
            &["--top-k", "1", "--raw", data("photos/baseline.jpg").to_str().unwrap()],
        );
        let label = answer.json()[0]["predictions"][0]["label"].as_str().unwrap().to_owned();
        let names: Vec<String> = files(&sorted.join(&label))
            .keys()
            .map(|p| p.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        for name in ["x.jpg", "x.jpg.xmp", "y.jpg"] {
            assert!(names.contains(&name.to_owned()), "{label}: {names:?}");
        }
        assert!(names.iter().filter(|name| name.to_lowercase().starts_with("x (")).count() == 2, "{names:?}");
        assert_eq!(files(&photos).is_empty(), how == "--move");

        let again = sort(&setup, &[how, "photos"]);
        match how {
            "--move" => assert!(again.code == 2 && again.stderr.contains("holds none"), "{}", again.stderr),
            _ => assert!(again.json().iter().all(|line| line["status"] == "unchanged"), "{}", again.stdout),
        }
        assert!(files(&sorted) == after);

        let would = setup.without_model(&["sort", "--undo", "beitscope-sort-1.jsonl", "--dry-run"]);
        assert!(would.code == 0 && files(&sorted) == after, "{}", would.stderr);
        let undone = setup.without_model(&["sort", "--undo", "beitscope-sort-1.jsonl"]);
        assert_eq!(undone.code, 0, "{}{}", undone.stdout, undone.stderr);
        assert!(files(&photos) == before && !sorted.exists(), "{how}");
        let twice = setup.without_model(&["sort", "--undo", "beitscope-sort-1.jsonl"]);
        assert!(twice.stderr.contains("0 restored"), "{}", twice.stderr);
    }
}

#[test]
fn folders_are_for_classes_or_kinds_in_both_languages() {
    let setup = Setup::new();
    setup.add("z.png", &photo("transparent.png"));
    let folder = |arguments: &[&str]| {
        let run = sort(&setup, &[&["--dry-run", "photos"], arguments].concat());
        let line = run.json().remove(0);
        let folder = Path::new(line["to"].as_str().unwrap()).parent().unwrap().file_name().unwrap();
        (folder.to_str().unwrap().to_owned(), line)
    };
    let (class, line) = folder(&[]);
    assert_eq!((&line["label"], line["score"].as_f64().unwrap() >= 0.02), (&Value::from(class), true));
    let (chinese, line) = folder(&["--language", "zh"]);
    assert_eq!(line["label_zh"], chinese);
    let (kind, line) = folder(&["--by", "kind"]);
    assert_ne!(folder(&[]).0, kind);
    assert_eq!(line["label"], kind);
    // No class is certain, but all are of one kind.
    let least = |least: &str, language: &str, model: &str| {
        let arguments = ["sort", "--model", model, "--into", "sorted", "--dry-run", "--least", least];
        setup.without_model(&[&arguments[..], &["--language", language, "photos"]].concat()).json().remove(0)
    };
    let model = setup.model.to_str().unwrap();
    assert_eq!(least("1", "en", model)["label"], "carnivore");
    // A model of many kinds is not sure.
    let demo = data("../../web/models/demo");
    for (language, name) in [("en", "not sure"), ("zh", "不确定")] {
        let line = least("1", language, demo.to_str().unwrap());
        assert!(line["to"].as_str().unwrap().contains(name), "{line}");
        assert_eq!(line["label"], Value::Null);
    }
}

#[test]
fn undo_and_other_runs_leave_alone_what_is_not_theirs() {
    let setup = setup();
    setup.add("bad.jpg", b"not a photo");
    let run = sort(&setup, &["photos/a", "photos/bad.jpg", "photos/gone.jpg", "--journal", "j"]);
    assert!(run.code == 1 && run.stderr.contains("2 of 3 photos could not be sorted"), "{}", run.stderr);
    let to = setup.folder.path().join(targets_of_sorted(&run));
    // The copy was edited since.
    fs::write(&to, "edited").unwrap();
    let undone = setup.without_model(&["sort", "--undo", "j"]);
    assert!(undone.code == 1 && undone.stdout.contains("changed since"), "{}", undone.stdout);
    assert_eq!(fs::read(&to).unwrap(), b"edited");
    // The original is gone: its copy is the last one.
    let run = sort(&setup, &["photos/b/y.jpg", "--journal", "k"]);
    let to = setup.folder.path().join(targets_of_sorted(&run));
    fs::remove_file(setup.photos().join("b/y.jpg")).unwrap();
    let undone = setup.without_model(&["sort", "--undo", "k"]);
    assert!(undone.code == 1 && undone.stdout.contains("the last one") && to.exists(), "{}", undone.stdout);
    // A photo of another program has its name meanwhile.
    let run = sort(&setup, &["photos/z.png", "--move", "--journal", "l"]);
    let to = setup.folder.path().join(targets_of_sorted(&run));
    setup.add("z.png", b"another");
    let undone = setup.without_model(&["sort", "--undo", "l"]);
    assert!(undone.code == 1 && undone.stdout.contains("another file") && to.exists(), "{}", undone.stdout);
    // What is in the folder already stays there, also when that is within what is sorted.
    let inside = setup.with_model("sort", &["--into", "photos/sorted", "--least", LOW, "photos"]);
    assert_eq!(inside.code, 1, "the bad ones");
    let before = files(&setup.photos().join("sorted"));
    let again = setup.with_model("sort", &["--into", "photos/sorted", "--least", LOW, "photos"]);
    assert!(
        again.stderr.contains("stay there") && files(&setup.photos().join("sorted")) == before,
        "{}",
        again.stderr
    );
    for (arguments, sentence) in [
        (&["sort", "x.jpg"][..], "--model"),
        (&["sort", "--model", "m", "x.jpg"], "--into"),
        (&["sort", "--model", "m", "--into", "d", "--move", "--copy", "x.jpg"], "--copy"),
    ] {
        let run = setup.without_model(arguments);
        assert!(run.code == 2 && run.stderr.contains(sentence), "{}", run.stderr);
    }
}

/// Where the one photo went that was sorted.
fn targets_of_sorted(run: &Run) -> String {
    let line = run.json().into_iter().find(|line| line.get("to").is_some());
    line.unwrap_or_else(|| panic!("{}", run.stderr))["to"].as_str().unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn links_are_not_moved() {
    let setup = setup();
    let link = setup.folder.path().join("link.jpg");
    std::os::unix::fs::symlink("photos/a/x.jpg", &link).unwrap();
    let run = sort(&setup, &["--move", "link.jpg"]);
    assert!(run.code == 1 && run.stdout.contains("It is a link") && link.exists(), "{}", run.stdout);
    let run = sort(&setup, &["--copy", "link.jpg"]);
    let to = setup.folder.path().join(targets_of_sorted(&run));
    assert_eq!(fs::read(to).unwrap(), fs::read(&link).unwrap());
}

/// Killed at any moment, each photo is there, whole, and the journals bring all back.
#[test]
fn a_killed_run_loses_nothing() {
    let setup = Setup::new();
    let jpeg = photo("baseline.jpg");
    for number in 0..30 {
        setup.add_distinct(&format!("{number}/x.jpg"), &jpeg, &format!("photo {number}"));
    }
    let (photos, sorted) = (setup.photos(), setup.folder.path().join("sorted"));
    let before = files(&photos);
    let mut all = contents(&photos);
    all.dedup();
    let arguments = ["--into", "sorted", "--least", LOW, "--threads", "1", "--move", "photos"];
    let begun = SystemTime::now();
    assert_eq!(setup.with_model("sort", &arguments).code, 0);
    let whole = begun.elapsed().unwrap();
    let undo = |journal: &Path| setup.without_model(&["sort", "--undo", journal.to_str().unwrap()]);
    assert_eq!(undo(Path::new("beitscope-sort-1.jsonl")).code, 0);
    fs::remove_file(setup.folder.path().join("beitscope-sort-1.jsonl")).unwrap();
    let (mut state, mut partly) = (0x2545_f491_u64, 0);
    for round in 0..12 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let delay = whole.mul_f64((state >> 33) as f64 / (1u64 << 31) as f64);
        let mut command = setup.command_with_model("sort", &arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
        let mut now = [contents(&photos), contents(&sorted)].concat();
        now.sort();
        now.dedup();
        assert!(now == all, "round {round}: every photo is there, and nothing else");
        partly += u64::from(!files(&sorted).is_empty() && !files(&photos).is_empty());
        if round % 3 == 2 {
            let mut journals: Vec<PathBuf> = fs::read_dir(setup.folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
                .collect();
            journals.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
            for journal in journals.iter().rev() {
                // A run that was killed before the end of the journal's first line changed nothing.
                if fs::read(journal).unwrap().contains(&b'\n') {
                    let run = undo(journal);
                    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
                }
                fs::remove_file(journal).unwrap();
            }
            assert!(files(&photos) == before, "round {round}");
            assert!(files(&sorted).is_empty(), "round {round}");
        }
    }
    assert!(partly > 0, "no run was killed in the middle");
}

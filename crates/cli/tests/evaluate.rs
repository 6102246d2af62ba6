//! `beitscope evaluate`, as a user runs it: layouts, archives, journals, shards, reports.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use support::dataset::{
    Files, RIGHT, by_class, demo, devkit, flat, gzip, ilsvrc, kaggle_table, photos, tar, tiny_imagenet,
    within, write, write_folder, write_zip,
};
use support::{Run, accuracy, beitscope, data};
use zip::CompressionMethod::{Deflated, Stored};

fn evaluate(dataset: &Path, more: &[&str]) -> Run {
    let arguments = ["evaluate", "--json", "--model", &demo()].map(OsString::from);
    let more = more.iter().map(OsString::from);
    beitscope(arguments.into_iter().chain([dataset.into()]).chain(more))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What does not depend on how photos are called and where they lie.
fn outcome(report: &Path) -> Value {
    let mut report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let fields = report.as_object_mut().unwrap();
    fields.remove("dataset").unwrap();
    fields.remove("shard").unwrap();
    report
}

#[test]
fn every_layout_gives_the_same_answer() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mac = |mut files: Files| {
        files.push(("__MACOSX/n02123045/._00.jpg".into(), vec![0; 10]));
        files.push((".DS_Store".into(), vec![0; 10]));
        files
    };
    let mut with_devkit = ilsvrc("");
    with_devkit.extend(devkit());
    let mut kaggle = ilsvrc("ILSVRC/Data/CLS-LOC/val/");
    kaggle.push(("LOC_val_solution.csv".into(), kaggle_table().into_bytes()));
    let table = write(at("solution.csv"), kaggle_table().into_bytes());
    let long = |files: Files| within(&"a-long-name".repeat(20), files);
    let nested =
        write_zip(&at("several.zip"), &[within("one", by_class()), within("two", flat())].concat(), Stored);

    let layouts: Vec<(PathBuf, Vec<&str>)> = vec![
        (write_folder(&at("by-class"), &by_class()), vec![]),
        (write_folder(&at("flat"), &flat()), vec![]),
        (write_folder(&at("tiny"), &tiny_imagenet()), vec![]),
        (write_folder(&at("devkit"), &with_devkit), vec![]),
        (write_folder(&at("kaggle"), &kaggle), vec![]),
        (write_folder(&at("bare"), &ilsvrc("")), vec!["--labels", text(&table)]),
        (write_zip(&at("by-class.zip"), &mac(by_class()), Stored), vec![]),
        (write_zip(&at("flat.zip"), &mac(within("set", flat())), Deflated), vec![]),
        (write_zip(&at("tiny.zip"), &tiny_imagenet(), Stored), vec![]),
        (nested.join("one"), vec![]),
        (nested.join("two"), vec!["--threads", "3"]),
        (write(at("by-class.tar"), tar(&long(by_class()))), vec![]),
        (write(at("flat.tar"), tar(&within(".", flat()))), vec![]),
        (write(at("by-class.tar.gz"), gzip(&tar(&by_class()))), vec![]),
        (write(at("flat.tgz"), gzip(&tar(&long(flat())))), vec!["--threads", "3"]),
        (write(at("val.tar"), tar(&ilsvrc(""))), vec!["--labels", text(&table)]),
    ];
    let mut first = None;
    for (dataset, more) in layouts {
        let report = at("report.json");
        let run = evaluate(&dataset, &[&more[..], &["--report", text(&report)]].concat());
        assert_eq!(run.code, 0, "{}: {}", dataset.display(), run.stderr);
        let (top_1, top_5, images) = RIGHT;
        let percent = |hits: usize| 100.0 * hits as f64 / images as f64;
        assert_eq!(accuracy(&run), (percent(top_1), percent(top_5), images as u64), "{}", dataset.display());
        let outcome = outcome(&report);
        assert_eq!(first.get_or_insert_with(|| outcome.clone()), &outcome, "{}", dataset.display());
    }
}

#[test]
fn the_answer_has_wilsons_interval() {
    let folder = tempfile::tempdir().unwrap();
    let run = evaluate(&write_folder(folder.path(), &by_class()), &[]);
    let answer = &run.json()[0];
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["accuracytop-1", "accuracytop-5", "images", "interval-95", "unreadable"]);
    // 9 and 14 of 18, by (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n).
    for (key, ends) in [("accuracytop-1", [29.03, 70.97]), ("accuracytop-5", [54.79, 91.00])] {
        for (end, expected) in ends.into_iter().enumerate() {
            let got = answer["interval-95"][key][end].as_f64().unwrap();
            assert!((got - expected).abs() < 0.01, "{key}: {got}");
        }
    }
}

#[test]
fn shards_together_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // The same photos under the same names: some jobs may have them on disk and some in an archive.
    let datasets = [
        write_folder(&at("set"), &by_class()),
        write_zip(&at("set.zip"), &by_class(), Deflated),
        write(at("set.tar.gz"), gzip(&tar(&by_class()))),
    ];
    let whole = evaluate(&datasets[0], &["--report", text(&at("whole.json"))]);
    let mut journals = Vec::new();
    let mut sizes = Vec::new();
    for number in 1..=4 {
        let (shard, journal) = (format!("{number}/4"), at(&format!("{number}.jsonl")));
        let run = evaluate(&datasets[number % 3], &["--shard", &shard, "--journal", text(&journal)]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        sizes.push(accuracy(&run).2);
        journals.push(journal);
    }
    assert_eq!(sizes, [5, 5, 4, 4]);

    let merge = |journals: &[&PathBuf], more: &[&str]| {
        let arguments = ["evaluate", "--json"].into_iter().chain(more.iter().copied()).chain(["--merge"]);
        beitscope(arguments.chain(journals.iter().map(|path| text(path))))
    };
    let [one, two, three, four] = &journals[..] else { panic!() };
    let merged = merge(&[three, one, four, two], &["--report", text(&at("merged.json"))]);
    assert_eq!((merged.code, &merged.stdout), (0, &whole.stdout), "{}", merged.stderr);
    assert_eq!(outcome(&at("merged.json"))["per_class"], outcome(&at("whole.json"))["per_class"]);
    assert_eq!(outcome(&at("merged.json"))["most_confused"], outcome(&at("whole.json"))["most_confused"]);

    let unfinished = at("unfinished.jsonl");
    let lines = fs::read_to_string(four).unwrap();
    fs::write(&unfinished, &lines[..lines.len() - 20]).unwrap();
    let other = at("other.jsonl");
    fs::write(&other, fs::read_to_string(two).unwrap().replacen("\"photos\":18", "\"photos\":19", 1))
        .unwrap();
    let notes = write(at("notes.txt"), b"not a journal\n".to_vec());
    let gone = at("gone.jsonl");
    let table: [(i32, &str, Vec<&PathBuf>); 6] = [
        (1, "2 of 4 shards are missing: 2/4, 4/4", vec![one, three]),
        (2, "both shard 1/4", vec![one, two, three, four, one]),
        (
            1,
            "1 of the shard's 4 photos are not done, and its end is damaged",
            vec![one, two, three, &unfinished],
        ),
        (2, "different datasets", vec![one, &other, three, four]),
        (2, "no journal", vec![one, &notes]),
        (1, "cannot open", vec![one, &gone]),
    ];
    for (code, sentence, journals) in table {
        let run = merge(&journals, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{sentence}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{sentence}: {}", run.stderr);
    }
}

#[test]
fn more_shards_than_photos_leave_some_empty() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = write_folder(&folder.path().join("set"), &by_class());
    let journal = folder.path().join("journal.jsonl");
    let run = evaluate(&dataset, &["--shard", "20/20", "--journal", text(&journal)]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!((&run.json()[0]["accuracytop-1"], &run.json()[0]["images"]), (&Value::Null, &json!(0)));
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let copies = |n: usize| {
        by_class().into_iter().map(move |(name, bytes)| (name.replace('/', &format!("/{n}-")), bytes))
    };
    let dataset = write_folder(&at("set"), &(0..5).flat_map(copies).collect());
    let photos = 5 * photos().len();
    let whole = evaluate(&dataset, &["--journal", text(&at("whole.jsonl"))]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);

    let journal = at("killed.jsonl");
    let lines = |path: &Path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_beitscope"));
    command.args(["evaluate", "--threads", "1", "--model", &demo(), "--journal"]).arg(&journal).arg(&dataset);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while lines(&journal).len() < 10 {
        assert!(run.try_wait().unwrap().is_none(), "it ended before it was killed");
        sleep(Duration::from_millis(2));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let left = lines(&journal).len();
    assert!(left < photos, "it was killed too late: {left}");
    // And as if the machine had stopped in the middle of a line.
    let text_left = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, &text_left[..text_left.len() - 7]).unwrap();

    let resumed = evaluate(&dataset, &["--journal", text(&journal)]);
    assert_eq!((resumed.code, &resumed.stdout), (0, &whole.stdout), "{}", resumed.stderr);
    assert!(resumed.stderr.contains("cut off"), "{}", resumed.stderr);
    let already = format!("{} of {photos} photos are in the journal already", left - 2);
    assert!(resumed.stderr.contains(&already), "{already}: {}", resumed.stderr);
    let sorted = |path: &Path| lines(path).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(sorted(&journal), sorted(&at("whole.jsonl")));

    let again = evaluate(&dataset, &["--journal", text(&journal)]);
    assert_eq!((again.code, &again.stdout), (0, &whole.stdout), "{}", again.stderr);
    fs::write(at("set").join(&by_class()[0].0), &by_class()[1].1).unwrap();
    let other = evaluate(&dataset, &["--journal", text(&journal)]);
    assert_eq!((other.code, other.stdout.as_str()), (2, ""), "{}", other.stderr);
    assert!(other.stderr.contains("another dataset: 90 photos"), "{}", other.stderr);
}

#[test]
fn unreadable_photos_are_listed_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = by_class();
    let class = photos()[0].wnid.clone();
    for bad in ["empty.jpg", "truncated.jpg", "corrupt.png", "not-a-photo.jpg"] {
        files.push((format!("{class}/{bad}"), fs::read(data(&format!("photos/{bad}"))).unwrap()));
    }
    let dataset = write_folder(&folder.path().join("set"), &files);
    let (journal, report) = (folder.path().join("journal.jsonl"), folder.path().join("report.html"));
    let run = evaluate(&dataset, &["--journal", text(&journal), "--report", text(&report)]);
    assert_eq!(run.code, 1);
    assert_eq!((accuracy(&run).2, &run.json()[0]["unreadable"]), (RIGHT.2 as u64, &json!(4)));
    for sentence in [
        &format!("{}/{class}/empty.jpg: This file is empty.", text(&dataset)),
        "truncated.jpg: This JPEG is cut short",
        "not-a-photo.jpg: This",
        "4 of 22 photos could not be read",
    ] {
        assert!(run.stderr.contains(sentence), "{sentence}: {}", run.stderr);
    }
    let html = fs::read_to_string(&report).unwrap();
    assert!(html.contains("corrupt.png") && html.contains("4 photos that could not be read"));

    // Mended, the same command looks at these alone.
    for bad in ["empty.jpg", "truncated.jpg", "corrupt.png", "not-a-photo.jpg"] {
        fs::write(dataset.join(&class).join(bad), &photos()[0].bytes).unwrap();
    }
    let run = evaluate(&dataset, &["--journal", text(&journal)]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!((accuracy(&run).2, &run.json()[0]["unreadable"]), (22, &json!(0)));
    assert!(run.stderr.contains("18 of 22 photos are in the journal already"), "{}", run.stderr);
}

#[test]
fn a_file_that_labels_name_but_nobody_has_is_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = flat();
    files.remove(3);
    for dataset in [
        write_folder(&folder.path().join("set"), &files),
        write_zip(&folder.path().join("set.zip"), &files, Stored),
        write(folder.path().join("set.tar"), tar(&files)),
        write(folder.path().join("set.tar.gz"), gzip(&tar(&files))),
    ] {
        let run = evaluate(&dataset, &[]);
        assert_eq!((run.code, accuracy(&run).2), (1, 17), "{}", run.stderr);
        let sentence = format!("{}: The file is not there.", photos()[3].name);
        assert!(run.stderr.contains(&sentence), "{}: {}", dataset.display(), run.stderr);
    }
}

#[test]
fn hostile_and_damaged_archives_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let outside: Files = vec![("../../outside.jpg".into(), photos()[0].bytes.clone())];
    let absolute: Files = vec![("/tmp/outside.jpg".into(), photos()[0].bytes.clone())];
    let labels: Files = vec![("labels.json".into(), br#"{"../../etc/photo.jpg": 281}"#.to_vec())];
    let unknown: Files = vec![("n00000001/a.jpg".into(), photos()[0].bytes.clone())];
    let whole = tar(&by_class());
    let zip = fs::read(write_zip(&at("whole.zip"), &by_class(), Deflated)).unwrap();
    let table: [(PathBuf, &str); 10] = [
        (
            write_zip(&at("a.zip"), &[outside.clone(), by_class()].concat(), Stored),
            "leads outside of the archive",
        ),
        (write(at("b.tar"), tar(&[outside, by_class()].concat())), "leads outside of the archive"),
        (write(at("c.tgz"), gzip(&tar(&[absolute, by_class()].concat()))), "leads outside of the archive"),
        (write_zip(&at("d.zip"), &labels, Stored), "leads outside of the dataset"),
        (write_zip(&at("e.zip"), &unknown, Stored), "lacks 1 of the classes: n00000001"),
        (write_zip(&at("f.zip"), &Files::new(), Stored), "labels.json"),
        (write(at("g.zip"), zip[..zip.len() / 2].to_vec()), "can't be read"),
        (write(at("h.tgz"), gzip(&whole)[..20_000].to_vec()), "can't be read"),
        (
            write(at("i.rar"), b"Rar!\x1a\x07\x01\x00".to_vec()),
            "expected a folder, a zip file, or a tar file",
        ),
        (at("gone.zip"), "cannot open"),
    ];
    for (dataset, sentence) in table {
        let run = evaluate(&dataset, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}: {}", dataset.display(), run.stderr);
        assert!(run.stderr.contains(sentence), "{}: {}", dataset.display(), run.stderr);
    }

    // A tar file that ends in a photo still has the others.
    let last = by_class().last().unwrap().1.len().next_multiple_of(512);
    let cut = write(at("cut.tar"), whole[..whole.len() - 1024 - last / 2].to_vec());
    let run = evaluate(&cut, &[]);
    assert_eq!((run.code, accuracy(&run).2), (1, 17), "{}", run.stderr);
    assert!(run.stderr.contains("The tar file ends in the middle of this photo."), "{}", run.stderr);
}

#[test]
fn a_photo_that_grows_without_end_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = by_class();
    files.push((format!("{}/bomb.png", photos()[0].wnid), vec![0; 300 << 20]));
    let bomb = write_zip(&folder.path().join("bomb.zip"), &files, Deflated);
    assert!(fs::metadata(&bomb).unwrap().len() < 8 << 20);
    let run = evaluate(&bomb, &[]);
    assert_eq!((run.code, accuracy(&run).2), (1, 18), "{}", run.stderr);
    assert!(run.stderr.contains("bomb.png: This file is too long."), "{}", run.stderr);
}

#[test]
fn reports_are_written_in_each_format() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let dataset = write_folder(&at("set"), &by_class());
    let (html, csv) = (at("report.html"), at("report.csv"));
    let run = evaluate(&dataset, &["--report", text(&html), "--report", text(&csv)]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let html = fs::read_to_string(html).unwrap();
    assert!(
        html.starts_with("<!doctype html>")
            && html.contains("demo-vit-small-112")
            && html.contains("50.00 %")
    );
    let csv = fs::read_to_string(csv).unwrap();
    let classes: BTreeSet<&str> = photos().iter().map(|photo| photo.wnid.as_str()).collect();
    assert_eq!(csv.lines().count(), 1 + classes.len());
    assert!(
        csv.lines().skip(1).all(|line| line.split(',').nth(1).is_some_and(|wnid| classes.contains(wnid)))
    );
}

#[test]
fn wrong_commands_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = write_folder(&folder.path().join("set"), &by_class());
    let notes = write(folder.path().join("notes.txt"), b"precious".to_vec());
    let table: [(&str, &[&str]); 6] = [
        ("expected K/N", &["--shard", "0/4"]),
        ("expected K/N", &["--shard", "5/4"]),
        ("ends in .json, .csv or .html", &["--report", "report.pdf"]),
        ("there is no such folder", &["--report", "gone/report.html"]),
        ("no journal", &["--journal", text(&notes)]),
        ("cannot be used with", &["--merge", "a.jsonl"]),
    ];
    for (sentence, arguments) in table {
        let run = evaluate(&dataset, arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(fs::read_to_string(&notes).unwrap(), "precious");
    let run = beitscope(["evaluate", "--model", &demo()]);
    assert!(run.code == 2 && run.stderr.contains("DATASET"), "{}", run.stderr);
}

//! `beitscope tag`, as a user runs it; exiftool reads what it wrote.

mod support;
#[path = "../../keywords/tests/support/mod.rs"]
mod xmp;

use beit::decode::decode_photo;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::tagging::{LOW, Setup};
use support::{beitscope, data};

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().map(|word| word.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}

/// What exiftool reads: `dc:subject` and `lr:hierarchicalSubject`, sorted.
fn exiftool(files: &[PathBuf]) -> BTreeMap<PathBuf, (Vec<String>, Vec<String>)> {
    let output = Command::new("exiftool")
        .args(["-json", "-charset", "utf8", "-XMP-dc:Subject", "-XMP-lr:HierarchicalSubject", "-Error"])
        .args(files)
        .output()
        .unwrap_or_else(|e| panic!("exiftool: {e}. Run `cargo xtask test unit`, which installs it."));
    let said: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let read = |value: &Value| {
        assert_eq!(value["Error"], Value::Null, "{value}");
        let file = PathBuf::from(value["SourceFile"].as_str().unwrap());
        (file, (sorted(strings(&value["Subject"])), sorted(strings(&value["HierarchicalSubject"]))))
    };
    said.iter().map(read).collect()
}

/// Photos of each container with XMP of each spelling, and others of their kinds.
fn fill(setup: &Setup) -> BTreeMap<String, Vec<String>> {
    let mut theirs = BTreeMap::new();
    let (jpeg, png) = (xmp::photo("baseline.jpg"), xmp::photo("one-pixel.png"));
    let extended = xmp::photo("animated.webp");
    for variant in xmp::variants() {
        let subjects: Vec<String> = variant.subjects.iter().map(|&word| word.to_owned()).collect();
        let packed = xmp::xmp_chunk(&variant.xmp, true);
        for (ending, file) in [
            ("jpg", xmp::jpeg_with(&jpeg, &[xmp::xmp_segment(&variant.xmp)])),
            ("png", xmp::png_with(&png, &xmp::xmp_chunk(&variant.xmp, false))),
            ("packed.png", xmp::png_with(&png, &packed)),
            ("webp", xmp::webp_with(&extended, &variant.xmp)),
        ] {
            let name = format!("{}.{ending}", variant.name);
            setup.add(&name, &file);
            theirs.insert(name, subjects.clone());
        }
    }
    for name in [
        "baseline.jpg",
        "progressive.jpg",
        "motion-photo.jpg",
        "lossy.webp",
        "lossless.webp",
        "transparent.png",
    ] {
        setup.add(name, &xmp::photo(name));
    }
    setup.add("photo.tiff", &xmp::photo("photo.tiff"));
    setup.add("photo.heic", &fs::read(data("modern-photos/heic-tiles.heic")).unwrap());
    theirs
}

#[test]
fn exiftool_reads_what_was_written_and_undo_restores_every_byte() {
    let setup = Setup::new();
    let theirs = fill(&setup);
    let old = setup.files();
    // So that a changed time is seen.
    std::thread::sleep(Duration::from_millis(20));

    let arguments = ["--threshold", LOW, "--language", "both", "photos", "--json"];
    let dry = setup.tag(&[&arguments[..], &["--dry-run"]].concat());
    assert_eq!((dry.code, setup.files() == old), (0, true), "{}", dry.stderr);
    let tagged = setup.tag(&arguments);
    assert_eq!(tagged.code, 0, "{}", tagged.stderr);
    let (dry, tagged) = (dry.json(), tagged.json());
    assert_eq!(tagged.len(), old.len());
    for (would, did) in dry.iter().zip(&tagged) {
        assert_eq!(
            (&would["status"], &did["status"]),
            (&json!("would_be_tagged"), &json!("tagged")),
            "{did}"
        );
        assert_eq!((&would["added"], &would["written"]), (&did["added"], &did["written"]));
        assert_eq!(did["journal"], "beitscope-tag-1.jsonl");
    }

    let written: Vec<PathBuf> = tagged.iter().map(|line| line["written"].as_str().unwrap().into()).collect();
    let read = exiftool(&written.iter().map(|path| setup.folder.path().join(path)).collect::<Vec<_>>());
    for (line, written) in tagged.iter().zip(&written) {
        let name = Path::new(line["file"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
        let added = |list: &str| strings(&line["added"][list]);
        let subjects = [theirs.get(name).cloned().unwrap_or_default(), added("subject")].concat();
        let (read, paths) = match name.starts_with(xmp::DEFAULT_NAMESPACE) {
            true => {
                let packet =
                    keywords::packet(&fs::read(setup.photos().join(name)).unwrap()).unwrap().unwrap();
                let all = keywords::xmp::listed(&packet).unwrap().all;
                (sorted(all.subjects), sorted(all.paths))
            }
            false => read[&setup.folder.path().join(written)].clone(),
        };
        assert_eq!((read, &paths), (sorted(subjects), &sorted(added("hierarchicalSubject"))), "{name}");
        assert!(!paths.is_empty(), "{name}");
        assert!(
            paths
                .iter()
                .all(|path| path.starts_with("living thing|animal|") || path.starts_with("生物|动物|"))
        );
        let is_sidecar = name.starts_with("photo.");
        assert_eq!(line["place"], if is_sidecar { "sidecar" } else { "photo" }, "{name}");
        let new = fs::read(setup.photos().join(name)).unwrap();
        match is_sidecar {
            true => assert_eq!(new, old[name].0),
            false => {
                assert_eq!(decode_photo(&new).unwrap().rgb, decode_photo(&old[name].0).unwrap().rgb, "{name}")
            }
        }
        assert!(
            is_sidecar || fs::metadata(setup.photos().join(name)).unwrap().modified().unwrap() > old[name].1
        );
    }

    let new = setup.files();
    assert_eq!(new.len(), old.len() + 2, "two sidecars, and nothing else");
    let again = setup.tag(&arguments);
    assert!(again.json().iter().all(|line| line["status"] == "unchanged"), "{}", again.stdout);
    assert!(setup.files() == new && !setup.folder.path().join("beitscope-tag-2.jsonl").exists());

    let would = setup.tag(&["--undo", "beitscope-tag-1.jsonl", "--dry-run"]);
    assert!(would.json().iter().all(|line| line["status"].as_str().unwrap().starts_with("would_be_re")));
    let undone = setup.tag(&["--undo", "beitscope-tag-1.jsonl"]);
    assert_eq!((undone.code, undone.json().len()), (0, old.len()), "{}", undone.stderr);
    assert!(setup.files() == old, "bytes and times are those before");
    let twice = setup.tag(&["--undo", "beitscope-tag-1.jsonl"]);
    assert!(
        twice.code == 0 && twice.json().iter().all(|line| line["status"] == "unchanged"),
        "{}",
        twice.stdout
    );
}

#[test]
fn a_changed_answer_replaces_the_earlier_one() {
    let setup = Setup::new();
    let variant = xmp::variants().swap_remove(0);
    let photo =
        setup.add("a.jpg", &xmp::jpeg_with(&xmp::photo("baseline.jpg"), &[xmp::xmp_segment(&variant.xmp)]));
    let read = || exiftool(std::slice::from_ref(&photo)).remove(&photo).unwrap();
    let many = setup.tag(&["--threshold", "0.001", "photos"]).json().remove(0);
    assert_eq!(read().0.len(), strings(&many["added"]["subject"]).len() + 2);
    let few = setup.tag(&["--threshold", LOW, "photos"]).json().remove(0);
    let (gone, all) = (strings(&few["removed"]["subject"]), strings(&many["added"]["subject"]));
    assert!(!gone.is_empty() && gone.len() < 50 && few["added"]["subject"] == json!([]), "{few}");
    let kept = all.into_iter().filter(|word| !gone.contains(word));
    assert_eq!(read().0, sorted(kept.chain(["old".into(), "a < b".into()]).collect()));
    // The last change is undone first; the other way round it is refused.
    let early = setup.tag(&["--undo", "beitscope-tag-1.jsonl"]);
    assert_eq!(early.code, 1);
    assert!(early.stdout.contains("changed since"), "{}", early.stdout);
    for journal in ["beitscope-tag-2.jsonl", "beitscope-tag-1.jsonl"] {
        assert_eq!(setup.tag(&["--undo", journal]).code, 0);
    }
    assert_eq!(read(), (vec!["a < b".into(), "old".into()], vec![]));
}

#[test]
fn sidecars_are_written_where_they_are_wished_or_needed() {
    let setup = Setup::new();
    let jpeg = xmp::photo("baseline.jpg");
    let place = |arguments: &[&str]| {
        let run = setup.tag(&[&["--threshold", LOW], arguments].concat());
        let line = run.json().remove(0);
        (
            run.code,
            line["place"].clone(),
            line["note"].as_str().or(line["error"].as_str()).unwrap_or("").to_owned(),
        )
    };
    // Another program's sidecar is used, and what it says stays.
    setup.add("a.jpg", &jpeg);
    let theirs = xmp::variants().swap_remove(0).xmp;
    let sidecar = setup.add("a.jpg.xmp", &theirs);
    assert_eq!(place(&["photos/a.jpg"]), (0, json!("sidecar"), String::new()));
    let (subjects, paths) = exiftool(std::slice::from_ref(&sidecar)).remove(&sidecar).unwrap();
    assert!(subjects.contains(&"old".to_owned()) && subjects.len() == paths.len() + 2);
    assert_eq!(fs::read(setup.photos().join("a.jpg")).unwrap(), jpeg);
    // But for a photo that has keywords in it already.
    setup.add("b.jpg", &jpeg);
    assert_eq!(place(&["photos/b.jpg"]).1, "photo");
    setup.add("b.jpg.xmp", &theirs);
    let again = setup.tag(&["--threshold", LOW, "photos/b.jpg"]).json().remove(0);
    assert_eq!(again["status"], "unchanged");
    assert_eq!(place(&["--sidecar", "always", "photos/b.jpg"]).1, "sidecar");
    // A photo that can't take any.
    let signed = xmp::jpeg_with(&jpeg, &[xmp::segment(0xeb, b"jumb c2pa")]);
    setup.add("c.jpg", &signed);
    let (code, error) =
        (place(&["--sidecar", "never", "photos/c.jpg"]).0, place(&["--sidecar", "never", "photos/c.jpg"]).2);
    assert!(code == 1 && error.contains("Content Credentials") && error.contains("--sidecar"), "{error}");
    let (code, where_to, note) = place(&["photos/c.jpg"]);
    assert!(code == 0 && where_to == "sidecar" && note.contains("Content Credentials"), "{note}");
    let (code, _, error) =
        place(&["--sidecar", "never", data("modern-photos/heic-o4.heic").to_str().unwrap()]);
    assert!(code == 1 && error.contains("JPEG, PNG and WebP"), "{error}");
    // A sidecar that is no XMP is not overwritten.
    setup.add("d.jpg", &jpeg);
    setup.add("d.jpg.xmp", b"my notes");
    let (code, _, error) = place(&["photos/d.jpg"]);
    assert!(code == 1 && error.contains("d.jpg.xmp") && error.contains("not well-formed"), "{error}");
    assert_eq!(fs::read(setup.photos().join("d.jpg.xmp")).unwrap(), b"my notes");
}

#[test]
fn keywords_are_those_of_the_language_and_the_vocabulary() {
    let setup = Setup::new();
    setup.add("a.png", &xmp::photo("transparent.png"));
    let added = |arguments: &[&str]| {
        let all = [&["--dry-run", "--threshold", "0.001", "photos"], arguments].concat();
        let run = setup.tag(&all);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let line = run.json().remove(0);
        (strings(&line["added"]["subject"]), strings(&line["added"]["hierarchicalSubject"]), run.stderr)
    };
    let (english, chinese, both) = (added(&[]), added(&["--language", "zh"]), added(&["--language", "both"]));
    assert!(english.0.contains(&"tabby".into()) && chinese.0.contains(&"虎斑猫".into()));
    assert_eq!(both.0.len(), english.0.len() + chinese.0.len());
    let cat =
        "living thing|animal|vertebrate|mammal|placental mammal|carnivore|feline|cat|domestic cat|tabby";
    assert!(english.1.contains(&cat.into()), "{:?}", english.1);

    let vocabulary = setup.folder.path().join("own.tsv");
    fs::write(&vocabulary, "animal\t\ncat\tpets|Minka\ttabby fur\nnothing known\tx\n").unwrap();
    let own = added(&["--vocabulary", vocabulary.to_str().unwrap()]);
    assert_eq!(own.0, ["Minka", "tabby fur"]);
    assert_eq!(own.1, ["pets|Minka", "tabby fur"]);
    assert!(own.2.contains("nothing known") && !own.2.contains("animal"), "{}", own.2);
    fs::write(&vocabulary, "no tab\n").unwrap();
    let run = setup.tag(&["photos", "--vocabulary", vocabulary.to_str().unwrap()]);
    assert!(run.code == 2 && run.stderr.contains("own.tsv: line 1"), "{}", run.stderr);
}

#[test]
fn a_bad_photo_does_not_stop_the_others() {
    let setup = Setup::new();
    setup.add("good.jpg", &xmp::photo("baseline.jpg"));
    setup.add("bad.jpg", b"not a photo");
    let run = setup.tag(&["--threshold", LOW, "photos", "gone.jpg", "photos/good.jpg"]);
    assert_eq!(run.code, 1);
    let lines = run.json();
    let [bad, good, gone] = &lines[..] else { panic!("each photo once: {}", run.stdout) };
    assert!(bad["error"].as_str().unwrap().contains("not a photo"), "{bad}");
    assert_eq!(good["status"], "tagged");
    assert!(gone["error"].as_str().unwrap().contains("can't be read"), "{gone}");
    assert!(run.stderr.contains("2 of 3 photos could not be tagged"), "{}", run.stderr);
    assert!(run.stderr.contains("beitscope tag --undo beitscope-tag-1.jsonl"), "{}", run.stderr);
}

#[test]
fn wrong_commands_are_told_so() {
    let setup = Setup::new();
    for (sentence, arguments) in [
        ("PHOTO", &["--threshold", "0.3"][..]),
        ("--threshold", &["--threshold", "0", "x.jpg"]),
        ("--threshold", &["--threshold", "1.5", "x.jpg"]),
        ("--threshold", &["--threshold", "NaN", "x.jpg"]),
        ("--language", &["--language", "fr", "x.jpg"]),
        ("--undo", &["--undo", "x", "--journal", "y"]),
    ] {
        let run = setup.tag(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{arguments:?}: {}", run.stderr);
    }
    assert!(beitscope(["tag", "x.jpg"]).stderr.contains("--model"));
    let run = setup.tag(&["--undo", setup.model.join("manifest.json").to_str().unwrap()]);
    assert!(run.code == 1 && run.stderr.contains("no journal"), "{}", run.stderr);
}

#[test]
fn undo_leaves_alone_what_changed_since() {
    let setup = Setup::new();
    let photos: Vec<PathBuf> =
        ["a.jpg", "b.jpg", "c.jpg"].map(|name| setup.add(name, &xmp::photo("baseline.jpg"))).into();
    assert_eq!(setup.tag(&["--threshold", LOW, "photos", "--journal", "j"]).code, 0);
    let edited = [fs::read(&photos[0]).unwrap(), b"edited".to_vec()].concat();
    fs::write(&photos[0], &edited).unwrap();
    fs::remove_file(&photos[1]).unwrap();
    let run = setup.tag(&["--undo", "j"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("1 restored, 0 unchanged, 2 failed"), "{}", run.stderr);
    assert_eq!(fs::read(&photos[0]).unwrap(), edited);
    assert_eq!(fs::read(&photos[2]).unwrap(), xmp::photo("baseline.jpg"));
    // A journal that is there is never overwritten.
    let before = fs::read(setup.folder.path().join("j")).unwrap();
    let run = setup.tag(&["--threshold", LOW, "photos/c.jpg", "--journal", "j"]);
    assert!(run.code == 1 && run.stdout.contains("--journal"), "{}", run.stdout);
    assert_eq!(fs::read(setup.folder.path().join("j")).unwrap(), before);
    assert_eq!(fs::read(&photos[2]).unwrap(), xmp::photo("baseline.jpg"));
}

#[cfg(unix)]
#[test]
fn permissions_stay_links_are_followed_and_read_only_photos_are_left_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let setup = Setup::new();
    let jpeg = xmp::photo("baseline.jpg");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let photo = setup.add("a.jpg", &jpeg);
    fs::set_permissions(&photo, fs::Permissions::from_mode(0o640)).unwrap();
    let link = setup.folder.path().join("link.jpg");
    symlink(&photo, &link).unwrap();
    assert_eq!(setup.tag(&["--threshold", LOW, "link.jpg"]).code, 0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_ne!(fs::read(&photo).unwrap(), jpeg);
    assert_eq!(mode(&photo), 0o640);

    let locked = setup.add("b.jpg", &jpeg);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o444)).unwrap();
    let line = setup.tag(&["--threshold", LOW, "photos/b.jpg"]).json().remove(0);
    assert!(line["place"] == "sidecar" && line["note"].as_str().unwrap().contains("read-only"), "{line}");
    assert_eq!(fs::read(&locked).unwrap(), jpeg);
    assert!(mode(&setup.photos().join("b.jpg.xmp")) & 0o600 == 0o600);
}

//! `beitscope evaluate --calibrate`, as a user runs it, and what `inspect` and `classify` make of its result.

mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Run, accuracy, beitscope, model_with};

const KNOWN: usize = 48;
const OUTLIERS: usize = 24;

/// A picture of two colours in bands, as BMP: each number's is another.
fn picture(number: usize) -> Vec<u8> {
    const SIDE: usize = 48;
    let bytes = SIDE * SIDE * 3;
    let mut bmp = b"BM".to_vec();
    bmp.extend((54 + bytes as u32).to_le_bytes());
    bmp.extend([0; 4]);
    for field in [54, 40, SIDE as u32, SIDE as u32, 1 | 24 << 16] {
        bmp.extend(field.to_le_bytes());
    }
    bmp.extend([0; 24]);
    let width = 3 + number % 11;
    let colour = |light: usize, channel: usize| (90 * light + number * (37 + 16 * channel) % 160) as u8;
    for at in 0..SIDE * SIDE {
        let (x, y) = (at % SIDE, at / SIDE);
        let light = (x * (number % 3) + y * (1 + number % 2)) / width % 2;
        bmp.extend([0, 1, 2].map(|channel| colour(light, channel)));
    }
    bmp
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A tiny network, and pictures. Those with the largest logits are called photos of its classes, and the first class is
/// right for the surest three of four; the others are called outliers.
struct Files {
    folder: tempfile::TempDir,
    model: PathBuf,
    known: PathBuf,
    outliers: PathBuf,
}

impl Files {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let names = at("names.txt");
        fs::write(&names, (0..50).map(|i| format!("thing {i}\n")).collect::<String>()).unwrap();
        let model = model_with(folder.path(), "tiny-absolute", "f32", Some(&names));
        let [all, known, outliers] = ["all", "known", "outliers"].map(at);
        for folder in [&all, &known, &outliers] {
            fs::create_dir(folder).unwrap();
        }
        let files = Self { folder, model, known, outliers };
        let pictures: Vec<PathBuf> =
            (0..KNOWN + OUTLIERS).map(|number| all.join(format!("{number:03}.bmp"))).collect();
        for (number, file) in pictures.iter().enumerate() {
            fs::write(file, picture(number)).unwrap();
        }
        let answers = files.classify(&pictures, &["--logits"]);
        let largest = |answer: &Value| {
            let logits = answer["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap());
            logits.fold(f64::NEG_INFINITY, f64::max)
        };
        let mut sorted: Vec<(&PathBuf, &Value)> = pictures.iter().zip(&answers).collect();
        sorted.sort_by(|(_, a), (_, b)| largest(b).total_cmp(&largest(a)));
        let mut labels = serde_json::Map::new();
        for (rank, (file, answer)) in sorted.into_iter().enumerate() {
            let name = file.file_name().unwrap();
            let folder = if rank < KNOWN { &files.known } else { &files.outliers };
            fs::rename(file, folder.join(name)).unwrap();
            if rank < KNOWN {
                let right = if rank < KNOWN * 3 / 4 { 0 } else { 2 };
                let class = answer["predictions"][right]["index"].clone();
                labels.insert(name.to_str().unwrap().to_owned(), class);
            }
        }
        fs::write(files.known.join("labels.json"), Value::Object(labels).to_string()).unwrap();
        files
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn evaluate(&self, more: &[&str]) -> Run {
        let arguments = ["evaluate", "--json", "--model", text(&self.model), text(&self.known)];
        beitscope(arguments.iter().chain(more))
    }

    fn classify(&self, photos: &[PathBuf], more: &[&str]) -> Vec<Value> {
        let arguments = ["classify", "--json", "--model", text(&self.model)].into_iter();
        let photos = photos.iter().map(|path| text(path));
        let run = beitscope(arguments.chain(more.iter().copied()).chain(photos));
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.json()
    }

    fn photos(folder: &Path) -> Vec<PathBuf> {
        let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let mut photos: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|e| e == "bmp")).collect();
        photos.sort();
        photos
    }
}

#[test]
fn what_is_measured_is_written_and_used() {
    let files = Files::make();
    let photos = [Files::photos(&files.known), Files::photos(&files.outliers)].concat();
    let plain = files.classify(&photos, &["--logits"]);
    let reports = ["r.json", "r.csv", "r.html"].map(|name| files.at(name));
    let [json, csv, html] = &reports;
    let run = files.evaluate(&[
        "--calibrate",
        "--outliers",
        text(&files.outliers),
        "--write",
        "--report",
        text(json),
        "--report",
        text(csv),
        "--report",
        text(html),
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(accuracy(&run), (75.0, 100.0, KNOWN as u64));
    let [answer] = &run.json()[..] else { panic!("{}", run.stdout) };
    let report: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(report["calibration"], answer["calibration"]);
    assert!(fs::read_to_string(html).unwrap().contains("Expected calibration error"));
    let table = fs::read_to_string(files.at("r.calibration.csv")).unwrap();
    let temperature = answer["calibration"]["temperature"].as_f64().unwrap();
    assert!(table.contains(&format!("temperature,{temperature}\r\n")), "{table}");
    assert!(fs::read_to_string(csv).unwrap().starts_with("index,wnid,"), "the table of classes is as it was");

    let inspected = beitscope(["inspect", "--json", text(&files.model)]).json();
    let described = &inspected[0]["calibration"];
    assert_eq!(described["temperature"], answer["calibration"]["temperature"]);
    assert_eq!(described["none_of_these"], answer["calibration"]["none_of_these"]);

    let calibrated = files.classify(&photos, &[]);
    let raw = files.classify(&photos, &["--raw"]);
    let mut none = [0, 0];
    for (number, ((plain, calibrated), raw)) in plain.iter().zip(&calibrated).zip(&raw).enumerate() {
        assert_eq!((&raw["predictions"], raw.get("none_of_these")), (&plain["predictions"], None));
        let logits: Vec<f64> =
            plain["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap()).collect();
        let best = &calibrated["predictions"][0];
        assert_eq!(best["index"], plain["predictions"][0]["index"]);
        let weight = |logit: f64| (logit / temperature).exp();
        let expected = weight(logits[best["index"].as_u64().unwrap() as usize])
            / logits.iter().map(|&logit| weight(logit)).sum::<f64>();
        assert!((best["score"].as_f64().unwrap() - expected).abs() < 1e-4, "{best}, expected {expected}");
        match calibrated["none_of_these"].as_bool() {
            Some(true) => {
                none[usize::from(number >= KNOWN)] += 1;
                assert_eq!(calibrated["note"], "None of the 50 classes it knows, most likely.");
            }
            Some(false) => assert_eq!(calibrated.get("note"), None),
            None => panic!("{calibrated}"),
        }
    }
    // Of the half that the threshold was fitted on, at least 95 % of the known photos are not.
    assert!(none[0] <= 1 + KNOWN / 2 && none[1] > OUTLIERS / 2, "{none:?}");
}

#[test]
fn a_stopped_calibration_goes_on_from_its_journals() {
    let files = Files::make();
    let [journal, of_outliers] = ["run.jsonl", "run.outliers.jsonl"].map(|name| files.at(name));
    let calibrate =
        || files.evaluate(&["--calibrate", "--outliers", text(&files.outliers), "--journal", text(&journal)]);
    let whole = calibrate();
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    for path in [&journal, &of_outliers] {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    }
    let resumed = calibrate();
    assert!(resumed.stderr.contains("are in the journal already"), "{}", resumed.stderr);
    assert_eq!((resumed.code, &resumed.stdout), (0, &whole.stdout));

    let other = files.evaluate(&["--journal", text(&journal)]);
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("another purpose: calibration, with logits"), "{}", other.stderr);
    let merged = beitscope(["evaluate", "--json", "--merge", text(&journal)]);
    assert_eq!(accuracy(&merged), accuracy(&whole));
    let merged = beitscope(["evaluate", "--json", "--merge", text(&of_outliers)]);
    assert_eq!(merged.code, 2);
    assert!(merged.stderr.contains("have no accuracy"), "{}", merged.stderr);
}

#[test]
fn what_can_not_be_calibrated_is_said_and_the_accuracy_all_the_same() {
    let files = Files::make();
    let few = files.at("few");
    fs::create_dir(&few).unwrap();
    fs::copy(&Files::photos(&files.outliers)[0], few.join("a.bmp")).unwrap();
    let run = files.evaluate(&["--calibrate", "--outliers", text(&few), "--write"]);
    assert_eq!((run.code, accuracy(&run).2), (1, KNOWN as u64));
    assert!(run.stderr.contains("at least 20 photos in --outliers"), "{}", run.stderr);
    assert!(!fs::read_to_string(files.model.join("manifest.json")).unwrap().contains("calibration"));

    fs::write(few.join("bad.jpg"), "").unwrap();
    fs::create_dir(few.join("thing 7")).unwrap();
    fs::write(few.join("thing 7/x.jpg"), "").unwrap();
    let run = files.evaluate(&["--calibrate", "--outliers", text(&few)]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr.contains("classes that the model knows") && run.stderr.contains("thing 7"),
        "{}",
        run.stderr
    );

    for (arguments, sentence) in [
        (&["--outliers", text(&few)][..], "--calibrate"),
        (&["--write"], "--calibrate"),
        (&["--calibrate", "--shard", "1/2"], "--shard"),
    ] {
        let run = files.evaluate(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{arguments:?}: {}", run.stderr);
    }
}

//! `--backend gpu`, on whatever adapter there is: also one that imitates a GPU on the processor.

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use support::{accuracy, beitscope, data, model, model_with, run};

const PHOTOS: [&str; 2] = ["landscape", "odd"];

fn classify(model: &Path, backend: &str) -> Vec<Value> {
    let photos = PHOTOS.map(|name| data(&format!("pillow/{name}.png")).display().to_string());
    let model = model.display().to_string();
    let arguments = ["classify", "--json", "--logits", "--backend", backend, "--model", &model];
    let run = beitscope(arguments.into_iter().chain(photos.iter().map(String::as_str)));
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.json()
}

fn logits(answer: &Value) -> Vec<f64> {
    answer["logits"].as_array().unwrap().iter().map(|l| l.as_f64().unwrap()).collect()
}

#[test]
fn the_gpu_answers_as_the_processor() {
    let folder = tempfile::tempdir().unwrap();
    // With F32 weights neither rounds activations; with 8-bit ones the processor does.
    for (network, quantization, tolerance) in
        [("tiny-absolute", "f32", 1e-3), ("tiny-relative", "q8_0", 0.1), ("tiny-relative", "q4_0", 0.1)]
    {
        let model = model_with(folder.path(), network, quantization, None);
        let (on_cpu, on_gpu) = (classify(&model, "cpu"), classify(&model, "gpu"));
        assert_eq!(on_gpu.len(), PHOTOS.len());
        for (cpu, gpu) in on_cpu.iter().zip(&on_gpu) {
            assert_eq!((&cpu["backend"], &gpu["backend"]), (&json!("cpu"), &json!("gpu")));
            let differences = logits(cpu).into_iter().zip(logits(gpu)).map(|(c, g)| (c - g).abs());
            let worst = differences.fold(0.0, f64::max);
            assert!(worst <= tolerance, "{network}, {quantization}: {worst}");
            assert_eq!(cpu["predictions"][0]["index"], gpu["predictions"][0]["index"]);
        }
    }
}

#[test]
fn evaluate_runs_on_the_gpu_too() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "tiny-absolute");
    let answers = classify(&model, "cpu");
    let dataset = folder.path().join("dataset");
    std::fs::create_dir(&dataset).unwrap();
    let mut labels = serde_json::Map::new();
    for (name, answer) in PHOTOS.iter().zip(&answers) {
        let file = format!("{name}.png");
        std::fs::copy(data(&format!("pillow/{file}")), dataset.join(&file)).unwrap();
        labels.insert(file, answer["predictions"][0]["index"].clone());
    }
    std::fs::write(dataset.join("labels.json"), Value::Object(labels).to_string()).unwrap();
    let (model, dataset) = (model.display().to_string(), dataset.display().to_string());
    let run = beitscope(["evaluate", "--json", "--backend", "gpu", "--model", &model, &dataset]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(accuracy(&run), (100.0, 100.0, 2));
}

#[test]
fn bench_measures_either_backend() {
    let folder = tempfile::tempdir().unwrap();
    let model = model_with(folder.path(), "tiny-relative", "q8_0", None).display().to_string();
    for backend in ["cpu", "gpu"] {
        let run = beitscope(["bench", "--json", "--passes", "2", "--backend", backend, "--model", &model]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let [measured] = &run.json()[..] else { panic!("{}", run.stdout) };
        assert_eq!(measured["backend"], backend);
        assert!(!measured["device"].as_str().unwrap().is_empty(), "{measured}");
        for number in ["load_s", "first_ms", "ms", "batch_ms"] {
            assert!(measured[number].as_f64().unwrap() > 0.0, "{number}: {measured}");
        }
        if cfg!(target_os = "linux") {
            assert!(measured["peak_mb"].as_f64().unwrap() > 1.0, "{measured}");
        }
    }
}

/// Vulkan's loader can be told where drivers are: nowhere.
#[cfg(target_os = "linux")]
#[test]
fn without_a_gpu_the_command_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "tiny-absolute");
    let mut command = Command::new(env!("CARGO_BIN_EXE_beitscope"));
    command.args(["classify", "--backend", "gpu", "--model"]).arg(model).arg(data("pillow/odd.png"));
    let nowhere = folder.path().join("none.json");
    let run = run(command.env("VK_DRIVER_FILES", &nowhere).env("VK_ICD_FILENAMES", &nowhere));
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    assert!(run.stderr.contains("no GPU") && run.stderr.contains("--backend cpu"), "{}", run.stderr);
}

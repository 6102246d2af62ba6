//! `beitscope convert` and `inspect`, as a user runs them.

mod support;

use std::fs;
use support::{beitscope, data, golden, model, model_with};

#[test]
fn a_conversion_reports_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("models/tiny");
    let (source, out_text) = (golden("tiny-relative"), out.display().to_string());
    let run = beitscope([
        "convert",
        source.to_str().unwrap(),
        "--quant",
        "q8_0",
        "--out",
        &out_text,
        "--name",
        "tiny",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let [report] = &run.json()[..] else { panic!("{}", run.stdout) };
    assert_eq!(report["name"], "tiny");
    assert_eq!(report["quantization"], "q8_0");
    assert_eq!(report["classes"], 50);
    assert_eq!(report["shards"][0], "tiny-q8_0.gguf-00001-of-00001");
    let tensors = report["tensors"].as_array().unwrap();
    let qkv = tensors.iter().find(|t| t["name"] == "blocks.1.attn.qkv.weight").unwrap();
    assert_eq!(qkv["type"], "Q8_0");
    let error = qkv["relative_rms_error"].as_f64().unwrap();
    assert!((0.005..0.01).contains(&error), "{error}");
    let cosines: Vec<f64> =
        report["logits_cosine"].as_array().unwrap().iter().flat_map(|c| c.as_f64()).collect();
    assert!(cosines.len() == 4 && cosines.iter().all(|c| (0.999..0.99999).contains(c)), "{cosines:?}");
    assert!(run.stderr.contains("cosine at least 0.999"), "{}", run.stderr);
    assert!(run.stderr.contains("class 0"), "a note that the classes have no names: {}", run.stderr);
    assert!(out.join("manifest.json").is_file() && out.join("tiny-q8_0.gguf-00001-of-00001").is_file());
}

#[test]
fn what_is_left_out_of_a_checkpoint_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("beitv2_x.safetensors"), folder.path().join("out"));
    let whole = fs::read(golden("tiny-relative")).unwrap();
    let start = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&whole[8..start]).unwrap();
    let end = whole.len() - start;
    header["mask_token"] =
        serde_json::json!({ "dtype": "F32", "shape": [1], "data_offsets": [end, end + 4] });
    let header = serde_json::to_vec(&header).unwrap();
    let length = (header.len() as u64).to_le_bytes();
    fs::write(&file, [&length[..], &header, &whole[start..], &[0; 4]].concat()).unwrap();
    let (file, out) = (file.display().to_string(), out.display().to_string());
    let run = beitscope(["convert", &file, "--quant", "f32", "--out", &out]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let told = "left over from pre-training, not part of a classifier, ignored: mask_token";
    assert!(run.stderr.contains(&format!("note: {told}\n")), "{}", run.stderr);
    assert_eq!(run.json()[0]["notes"], serde_json::json!([told]));
}

#[test]
fn inspect_says_what_it_is_and_finds_damage() {
    let folder = tempfile::tempdir().unwrap();
    let out = model_with(folder.path(), "tiny-absolute", "q4_0", None);
    let run = beitscope(["inspect", out.to_str().unwrap(), "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let [report] = &run.json()[..] else { panic!("{}", run.stdout) };
    for (key, value) in
        [("image_size", 112), ("patch_size", 14), ("width", 128), ("depth", 3), ("heads", 2), ("classes", 50)]
    {
        assert_eq!(report[key], value, "{key}");
    }
    assert_eq!(report["position"], "absolute_embedding");
    assert_eq!(report["preprocessing"]["short_side"], 128);
    assert_eq!(report["source"]["file"], "tiny-absolute.weights.safetensors");
    let count = |name: &str| {
        let types = report["tensors"].as_array().unwrap();
        types.iter().find(|t| t["type"] == name).map(|t| t["tensors"].as_u64().unwrap())
    };
    // 4 linear layers a block at 4 bits, the head at 8, the patch embedding at 16.
    assert_eq!((count("Q4_0"), count("Q8_0"), count("F16")), (Some(12), Some(1), Some(1)));

    let shard = out.join("tiny-absolute.weights-q4_0.gguf-00001-of-00001");
    let mut bytes = fs::read(&shard).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&shard, bytes).unwrap();
    let run = beitscope(["inspect", out.to_str().unwrap()]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("gguf-00001-of-00001: expected SHA-256"), "{}", run.stderr);
}

#[test]
fn faults_of_the_data_exit_1_and_faults_of_the_command_2() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let notes = folder.path().join("notes.safetensors");
    fs::write(&notes, "no weights here, only words").unwrap();
    let (good, notes) = (golden("tiny-absolute").display().to_string(), notes.display().to_string());
    let busy = folder.path().display().to_string();
    let table: [(i32, &str, &[&str]); 15] = [
        (1, "cannot open", &["convert", "gone.pth", "--quant", "f32", "--out", &out]),
        (1, "neither a safetensors file", &["convert", &notes, "--quant", "f32", "--out", &out]),
        (
            1,
            "expected 50, one for each row",
            &["convert", &good, "--quant", "f32", "--out", &out, "--labels", &notes],
        ),
        (2, "expected q8_0, q4_0, f16 or f32", &["convert", &good, "--quant", "q2", "--out", &out]),
        (2, "--out", &["convert", &good, "--quant", "f32"]),
        (2, "already holds notes.safetensors", &["convert", &good, "--quant", "f32", "--out", &busy]),
        (2, "three numbers", &["convert", &good, "--quant", "f32", "--out", &out, "--mean", "1,2"]),
        (2, "--short-side", &["convert", &good, "--quant", "f32", "--out", &out, "--short-side", "7"]),
        (2, "--shard-size", &["convert", &good, "--quant", "f32", "--out", &out, "--shard-size", "0"]),
        (2, "hf:OWNER/NAME", &["convert", "hf:beitv2", "--quant", "f32", "--out", &out]),
        (2, "modelscope:OWNER/NAME", &["convert", "modelscope:damo/../x", "--quant", "f32", "--out", &out]),
        (1, "manifest.json", &["inspect", &out]),
        (
            1,
            "cannot list gone",
            &["convert", &good, "--quant", "f32", "--out", &out, "--verify", &notes, "gone"],
        ),
        (2, "--against", &["inspect", &out, "photo.jpg"]),
        (2, "PHOTO", &["inspect", &out, "--against", &good]),
    ];
    for (code, sentence, arguments) in table {
        let run = beitscope(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn serve_refuses_what_is_no_folder() {
    let run = beitscope(["serve", "nowhere", "--port", "0"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
}

#[test]
fn a_second_conversion_replaces_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let out = model(folder.path(), "tiny-absolute");
    let before = fs::read(out.join("manifest.json")).unwrap();
    assert_eq!(model(folder.path(), "tiny-absolute"), out);
    assert_eq!(fs::read(out.join("manifest.json")).unwrap(), before);
}

#[test]
fn a_model_is_compared_with_its_checkpoint_on_photos() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for name in ["baseline.jpg", "grey.jpg", "not-a-photo.jpg"] {
        fs::copy(data("photos").join(name), photos.join(name)).unwrap();
    }
    let (source, out, photos) =
        (golden("tiny-relative"), folder.path().join("out"), photos.display().to_string());
    let (source, out) = (source.display().to_string(), out.display().to_string());
    let run = beitscope(["convert", &source, "--quant", "q8_0", "--out", &out, "--verify", &photos]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let verification = run.json()[0]["verification"].clone();
    assert_eq!((&verification["photos"], &verification["same_first_class"]), (&2.into(), &2.into()));
    assert_eq!(verification["agreement"]["percent"], 100.0);
    assert_eq!(verification["disagreeing"], serde_json::json!([]));
    let number = |key: &str| verification[key].as_f64().unwrap();
    assert!(0.0 < number("kl_mean") && number("kl_mean") <= number("kl_largest"), "{verification}");
    assert!((0.99..0.99999).contains(&number("logits_cosine")), "{verification}");
    let unreadable = &verification["unreadable_photos"];
    assert!(unreadable[0]["file"].as_str().unwrap().ends_with("not-a-photo.jpg"), "{unreadable}");
    for sentence in
        ["not-a-photo.jpg: left out: ", "same first class: 2 of 2 photos, 100.0 %", "on 0 of 2 photos;"]
    {
        assert!(run.stderr.contains(sentence), "{sentence}: {}", run.stderr);
    }

    let run = beitscope(["inspect", &out, &photos, "--against", &source]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.json()[0]["verification"], verification, "the same as when it was converted");
    let run = beitscope(["inspect", &out, &photos, "--against", &source, "--photos", "1"]);
    assert_eq!(run.json()[0]["verification"]["photos"], 1);
}

#[test]
fn a_photo_that_a_network_answers_otherwise_is_named_with_both_answers() {
    let folder = tempfile::tempdir().unwrap();
    let out = model_with(folder.path(), "tiny-relative", "q8_0", None);
    // The same network with a head whose rows are in reverse order.
    let other = folder.path().join("reversed.safetensors");
    let mut bytes = fs::read(golden("tiny-relative")).unwrap();
    let start = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..start]).unwrap();
    for name in ["head.weight", "head.bias"] {
        let tensor = &header[name];
        let at = |i: usize| start + tensor["data_offsets"][i].as_u64().unwrap() as usize;
        let range = at(0)..at(1);
        let rows = tensor["shape"][0].as_u64().unwrap() as usize;
        let reversed: Vec<u8> =
            bytes[range.clone()].chunks(range.len() / rows).rev().flatten().copied().collect();
        bytes[range].copy_from_slice(&reversed);
    }
    fs::write(&other, bytes).unwrap();
    let photo = data("photos/baseline.jpg").display().to_string();
    let run = beitscope(["inspect", out.to_str().unwrap(), &photo, "--against", other.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let verification = &run.json()[0]["verification"];
    assert_eq!((&verification["photos"], &verification["same_first_class"]), (&1.into(), &0.into()));
    let differs = &verification["disagreeing"][0];
    assert_eq!(differs["file"], photo.as_str());
    let index = |side: &str| differs[side]["index"].as_u64().unwrap();
    assert_eq!(index("source"), 49 - index("converted"));
    let label = |side: &str| differs[side]["label"].as_str().unwrap();
    assert_eq!(label("converted"), format!("class {}", index("converted")));
    let line = format!("{photo}: {} ", label("source"));
    assert!(run.stderr.contains(&line) && run.stderr.contains("on 1 of 1 photo;"), "{}", run.stderr);
}

#[test]
fn what_loses_more_than_a_thousandth_of_the_cosine_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let warnings = |quantization: &str| {
        let out = folder.path().join(quantization).display().to_string();
        let source = golden("tiny-relative").display().to_string();
        let run = beitscope(["convert", &source, "--quant", quantization, "--out", &out]);
        let report = run.json().remove(0);
        let warnings: Vec<String> = serde_json::from_value(report["warnings"].clone()).unwrap();
        for warning in &warnings {
            assert!(run.stderr.contains(&format!("warning: {warning}\n")), "{}", run.stderr);
        }
        (warnings, report)
    };
    assert!(warnings("q8_0").0.is_empty());
    let (four_bits, report) = warnings("q4_0");
    let [tensors, activations, blocks @ ..] = &four_bits[..] else { panic!("{four_bits:?}") };
    let linear = report["tensors"].as_array().unwrap().iter().filter(|t| t["type"] == "Q4_0").count();
    assert!(tensors.starts_with(&format!("{linear} of ")), "{tensors}");
    let layers: Vec<f64> = serde_json::from_value(report["layers_cosine"].clone()).unwrap();
    let first = layers.iter().position(|cosine| *cosine < 0.999).unwrap();
    assert!(activations.contains(&format!("first after block {};", first - 1)), "{activations}");
    let own: Vec<f64> = serde_json::from_value(report["own_cosine"].clone()).unwrap();
    assert_eq!(own.len(), layers.len(), "each block, and the head in place of the patch embedding");
    let lossy: Vec<usize> = (0..own.len()).filter(|layer| own[*layer] < 0.999).collect();
    assert_eq!(blocks.len(), lossy.len());
    for block in lossy {
        let named = |sentence: &&String| sentence.starts_with(&format!("block {block} by itself"));
        let sentence = blocks.iter().find(named).unwrap();
        assert!(sentence.contains(&format!("{:.6}", own[block])), "{sentence}");
        assert!(sentence.contains("--calibrate"), "{sentence}");
    }
}

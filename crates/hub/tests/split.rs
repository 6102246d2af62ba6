//! Checkpoints that are split over several files: the index, then each part it names, of one commit.

mod support;

use server::{Disturbance, Request};
use std::fs;
use support::{COMMIT, Host, answer, download, settings, sha256};

const INDEX: &str = r#"{"metadata":{},"weight_map":{"a":"model-00001-of-00002.safetensors",
    "b":"model-00002-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}}"#;
const INDEX_FILE: &str = "model.safetensors.index.json";
const PARTS: [(&str, &str); 2] =
    [("model-00001-of-00002.safetensors", "the first"), ("model-00002-of-00002.safetensors", "the second")];

/// `timm/tiny` on a Hugging Face hub, its `main` at [`COMMIT`].
fn hugging_face(request: &Request, index: &str) -> Disturbance {
    let file = |revision: &str, name: &str| request.path() == format!("/timm/tiny/resolve/{revision}/{name}");
    let content = |content: &str| {
        let tag = format!("\"{}\"", sha256(content.as_bytes()));
        answer(200, &[("ETag", &tag), ("X-Repo-Commit", COMMIT)], content)
    };
    if request.path() == "/api/models/timm/tiny/revision/main" {
        let names = [INDEX_FILE, PARTS[0].0, PARTS[1].0].map(|name| format!(r#"{{"rfilename":"{name}"}}"#));
        return answer(200, &[], format!(r#"{{"sha":"{COMMIT}","siblings":[{}]}}"#, names.join(",")));
    }
    if file("main", INDEX_FILE) {
        return content(index);
    }
    let part = PARTS.iter().find(|(name, _)| file(COMMIT, name));
    part.map_or_else(|| answer(404, &[("X-Error-Code", "EntryNotFound")], "{}"), |(_, part)| content(part))
}

#[test]
fn the_index_and_its_parts_come_from_one_commit() {
    let hub = Host::start(&[], |request| hugging_face(request, INDEX));
    let cache = tempfile::tempdir().unwrap();
    let mut settings = settings(&hub.url(), cache.path());
    let (result, events) = download("hf:timm/tiny", &settings);
    let done = result.unwrap();
    let bytes = (INDEX.len() + PARTS[0].1.len() + PARTS[1].1.len()) as u64;
    assert_eq!((done.file.as_str(), done.bytes, done.transferred), (INDEX_FILE, bytes, bytes));
    for (name, content) in PARTS {
        assert_eq!(fs::read_to_string(done.path.with_file_name(name)).unwrap(), content);
    }
    let told =
        ["part 1 of 2: model-00001-of-00002.safetensors", "part 2 of 2: model-00002-of-00002.safetensors"];
    assert!(told.iter().all(|told| events.iter().any(|event| event == told)), "{events:?}");

    // Again, and without the hub.
    assert_eq!(download("hf:timm/tiny", &settings).0.unwrap().transferred, 0);
    settings.offline = Some("HF_HUB_OFFLINE");
    assert_eq!(download("hf:timm/tiny", &settings).0.unwrap().bytes, bytes);
    fs::remove_file(done.path.with_file_name(PARTS[1].0)).unwrap();
    let sentence = download("hf:timm/tiny", &settings).0.unwrap_err().to_string();
    assert!(sentence.contains(PARTS[1].0) && sentence.contains("HF_HUB_OFFLINE"), "{sentence}");
}

#[test]
fn an_index_cannot_name_files_elsewhere() {
    for name in ["../../evil", "/etc/passwd", "sub/part.bin"] {
        let index = format!(r#"{{"weight_map":{{"a":"{name}"}}}}"#);
        let hub = Host::start(&[], move |request| hugging_face(request, &index));
        let cache = tempfile::tempdir().unwrap();
        let sentence =
            download("hf:timm/tiny", &settings(&hub.url(), cache.path())).0.unwrap_err().to_string();
        assert!(sentence.contains("must lie beside it"), "{sentence}");
    }
}

#[test]
fn a_part_that_is_not_there_is_named() {
    let index = INDEX.replace("00002-of", "00003-of");
    let hub = Host::start(&[], move |request| hugging_face(request, &index));
    let cache = tempfile::tempdir().unwrap();
    let sentence = download("hf:timm/tiny", &settings(&hub.url(), cache.path())).0.unwrap_err().to_string();
    assert!(sentence.contains("no file model-00003-of-00002.safetensors"), "{sentence}");
}

#[test]
fn modelscope_has_split_checkpoints_too() {
    let files = [(INDEX_FILE, INDEX), PARTS[0], PARTS[1]];
    let entry = |(name, content): (&str, &str)| {
        let (size, hash) = (content.len(), sha256(content.as_bytes()));
        format!(r#"{{"Path":"{name}","Type":"blob","Size":{size},"Sha256":"{hash}","Revision":"{size}"}}"#)
    };
    let listing =
        format!(r#"{{"Code":200,"Success":true,"Data":{{"Files":[{}]}}}}"#, files.map(entry).join(","));
    let hub = Host::start(&[], move |request| match request.path() {
        "/api/v1/models/damo/tiny/repo/files" => answer(200, &[], &*listing),
        _ => files
            .iter()
            .find(|(name, _)| request.target.ends_with(&format!("/repo?Revision=master&FilePath={name}")))
            .map_or_else(|| answer(404, &[], "{}"), |(_, content)| answer(200, &[], *content)),
    });
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.url(), cache.path());
    let done = download("modelscope:damo/tiny", &settings).0.unwrap();
    assert_eq!(done.file, INDEX_FILE);
    for (name, content) in files {
        assert_eq!(fs::read_to_string(done.path.with_file_name(name)).unwrap(), content);
    }
    assert_eq!(download("modelscope:damo/tiny", &settings).0.unwrap().transferred, 0);
}

//! What the module says of photos, and that its edits give what the crate `keywords` gives.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use keyword_writer::reply_to;
use protocol::keywords::{
    Edit, KeywordLanguage, Name, NamedAnswer, NotEmbedded, NotMerged, Place, PlanOutcome, PlannedChange,
    VocabularyFault, WriterReply, WriterRequest,
};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

fn photo(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/photos").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn answer(names: &[(&str, &str)], score: f32) -> NamedAnswer {
    let name = |&(en, zh): &(&str, &str)| Name { wnid: String::new(), en: en.into(), zh: zh.into() };
    NamedAnswer { path: names.iter().map(name).collect(), score }
}

fn request(score: f32, language: KeywordLanguage) -> WriterRequest {
    WriterRequest::Plan {
        classes: vec![answer(&[("cat", "猫"), ("tabby", "虎斑猫")], score)],
        kind: None,
        threshold: 0.3,
        language,
        vocabulary: String::new(),
    }
}

fn outcome(request: &WriterRequest, photo: &[u8], sidecar: Option<&[u8]>) -> PlanOutcome {
    let request = serde_json::to_vec(request).unwrap();
    match reply_to(&request, photo, sidecar) {
        WriterReply::Planned { sha256, outcome } => {
            assert_eq!(sha256, hash(photo));
            outcome
        }
        other => panic!("{other:?}"),
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn change(outcome: PlanOutcome) -> PlannedChange {
    match outcome {
        PlanOutcome::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

/// As the page does it with parts of files.
fn edited(file: &[u8], edits: &[Edit]) -> Vec<u8> {
    let (mut out, mut done) = (Vec::new(), 0);
    for edit in edits {
        out.extend_from_slice(&file[done..edit.at as usize]);
        out.extend(BASE64_STANDARD.decode(&edit.inserted).unwrap());
        done = (edit.at + edit.removed) as usize;
    }
    out.extend_from_slice(&file[done..]);
    out
}

#[test]
fn edits_change_a_photo_and_change_it_back() {
    for name in ["baseline.jpg", "progressive.jpg", "transparent.png", "lossy.webp", "lossless.webp"] {
        let before = photo(name);
        let plan = change(outcome(&request(0.5, KeywordLanguage::Both), &before, None));
        assert_eq!((plan.place, plan.note.clone()), (Place::Photo, None), "{name}");
        assert_eq!(plan.added, ["tabby", "虎斑猫"]);
        let after = edited(&before, &plan.splices);
        assert_eq!((after.len() as u64, &plan.sha256_after), (plan.bytes, &hash(&after)), "{name}");
        assert_eq!(plan.crc32, crc32fast::hash(&after));
        assert_eq!(edited(&after, &plan.inverse), before, "{name}");
        let again = outcome(&request(0.5, KeywordLanguage::Both), &after, None);
        assert_eq!(again, PlanOutcome::Unchanged, "{name}");
        let less = change(outcome(&request(0.2, KeywordLanguage::Both), &after, None));
        assert_eq!((less.added.len(), less.removed.len()), (0, 2), "{name}: an earlier answer's go");
    }
}

#[test]
fn what_takes_no_keywords_gets_a_sidecar_and_the_reason() {
    let english = request(0.5, KeywordLanguage::English);
    for (name, note) in
        [("photo.tiff", None), ("photo.bmp", None), ("truncated.jpg", Some(NotEmbedded::Damaged))]
    {
        let plan = change(outcome(&english, &photo(name), None));
        assert_eq!((plan.place, plan.note.clone()), (Place::Sidecar, note), "{name}");
        let sidecar = edited(b"", &plan.splices);
        assert!(String::from_utf8_lossy(&sidecar).contains("tabby"));
        assert_eq!(outcome(&english, &photo(name), Some(&sidecar)), PlanOutcome::Unchanged);
    }
}

#[test]
fn a_sidecar_that_is_there_is_merged_with_or_refused() {
    let english = request(0.5, KeywordLanguage::English);
    let theirs = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    let plan = change(outcome(&english, &photo("baseline.jpg"), Some(theirs.as_bytes())));
    assert_eq!(plan.place, Place::Sidecar, "who has sidecars reads them");
    let merged = String::from_utf8(edited(theirs.as_bytes(), &plan.splices)).unwrap();
    assert!(merged.contains("holiday") && merged.contains("tabby"), "{merged}");
    for (broken, why) in [("<x", NotMerged::Damaged), ("<x/>", NotMerged::Damaged)] {
        let refused = outcome(&english, &photo("photo.tiff"), Some(broken.as_bytes()));
        assert_eq!(refused, PlanOutcome::Refused { why }, "{broken}");
    }
}

#[test]
fn unsure_answers_give_no_keyword() {
    let unsure = outcome(&request(0.29, KeywordLanguage::English), &photo("baseline.jpg"), None);
    assert_eq!(unsure, PlanOutcome::NoKeyword);
}

#[test]
fn hashes_are_given_and_odd_requests_are_not_understood() {
    let hash_request = serde_json::to_vec(&WriterRequest::Hash).unwrap();
    assert_eq!(reply_to(&hash_request, b"abc", None), WriterReply::Hashed { sha256: hash(b"abc") });
    assert!(matches!(reply_to(b"{}", b"", None), WriterReply::Misunderstood { .. }));
}

#[test]
fn own_keywords_replace_names_and_a_wrong_line_is_told() {
    let with = |own: &str| match request(0.5, KeywordLanguage::English) {
        WriterRequest::Plan { classes, kind, threshold, language, .. } => {
            WriterRequest::Plan { classes, kind, threshold, language, vocabulary: own.into() }
        }
        other => other,
    };
    let added = |own: &str| change(outcome(&with(own), &photo("baseline.jpg"), None)).added;
    assert_eq!(added("cat\tpets|Minka\thome"), ["Minka", "home"], "an entry for the kind");
    assert_eq!(added("dog\tRex"), ["tabby"]);
    assert_eq!(outcome(&with("cat\t"), &photo("baseline.jpg"), None), PlanOutcome::NoKeyword);

    let fault = VocabularyFault::NoTab { line: 2, text: "dog".into() };
    let wrong = "cat\tMinka\ndog";
    for request in [with(wrong), WriterRequest::ReadVocabulary { text: wrong.into() }] {
        let reply = reply_to(&serde_json::to_vec(&request).unwrap(), &photo("baseline.jpg"), None);
        assert_eq!(reply, WriterReply::NoVocabulary { fault: fault.clone() });
    }
    let read = WriterRequest::ReadVocabulary { text: "cat\tMinka\n# x\nn1\t".into() };
    let reply = reply_to(&serde_json::to_vec(&read).unwrap(), b"", None);
    assert_eq!(reply, WriterReply::Vocabulary { classes: vec!["cat".into(), "n1".into()] });
}

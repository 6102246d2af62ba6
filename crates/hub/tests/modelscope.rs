//! `modelscope:` against a local hub.

mod support;

use hub::Error;
use server::{Disturbance, Request};
use std::fs;
use support::{Host, answer, content, download, in_turn, settings, sha256};

const REFERENCE: &str = "modelscope:damo/tiny.v2";
const FILE: &str = "/api/v1/models/damo/tiny.v2/repo?Revision=master&FilePath=pytorch_model.pt";

fn hub(disturb: impl Fn(&Request) -> Disturbance + Send + Sync + 'static) -> Host {
    hub_with(sha256(&content()), disturb)
}

fn hub_with(hash: String, disturb: impl Fn(&Request) -> Disturbance + Send + Sync + 'static) -> Host {
    let listing = format!(
        r#"{{"Code":200,"Success":true,"Message":"","Data":{{"Files":[
            {{"Name":"configs","Path":"configs","Type":"tree","Size":0}},
            {{"Name":"README.md","Path":"README.md","Type":"blob","Size":5,"Sha256":"00"}},
            {{"Name":"pytorch_model.pt","Path":"pytorch_model.pt","Type":"blob","Size":300000,
              "Sha256":"{hash}","Revision":"c0ffee","IsLFS":true}}]}}}}"#
    );
    Host::start(&[("api/v1/models/damo/tiny.v2/repo", &content())], move |request| match request.path() {
        "/api/v1/models/damo/tiny.v2/repo/files" => answer(200, &[], &*listing),
        "/api/v1/models/damo/tiny.v2/repo" => disturb(request),
        _ => answer(404, &[], r#"{"Code":10010205001,"Success":false}"#),
    })
}

#[test]
fn a_file_is_fetched_verified_and_kept_where_the_library_keeps_it() {
    let (hub, cache) = (hub(|_| Disturbance::None), tempfile::tempdir().unwrap());
    let settings = settings(&hub.url(), cache.path());
    let (result, events) = download(REFERENCE, &settings);
    let done = result.unwrap();
    let folder = cache.path().join("models/damo--tiny.v2/snapshots/master");
    assert_eq!(done.path, folder.join("pytorch_model.pt"));
    assert_eq!((done.transferred, done.commit.as_deref()), (300_000, Some("c0ffee")));
    assert_eq!(fs::read(&done.path).unwrap(), content());
    assert_eq!(events, ["chosen pytorch_model.pt, not []", "transfer"]);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "no partial file is left");
    let asked = hub.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].target, FILE);
    for request in asked {
        assert_eq!(request.authorization.as_deref(), Some("Bearer ms-secret"));
        assert_eq!(request.cookie.as_deref(), Some("m_session_id=ms-secret"));
    }
    hub.forget();
    assert_eq!(download(REFERENCE, &settings).0.unwrap().transferred, 0);
    assert_eq!(hub.asked().len(), 1, "the listing alone");
}

#[test]
fn folders_of_older_versions_of_the_library_go_on_to_be_used() {
    for models in ["models", "hub/models"] {
        let (hub, cache) = (hub(|_| Disturbance::None), tempfile::tempdir().unwrap());
        let folder = cache.path().join(models).join("damo/tiny___v2");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("pytorch_model.pt"), content()).unwrap();
        let done = download(REFERENCE, &settings(&hub.url(), cache.path())).0.unwrap();
        assert_eq!((done.path, done.transferred), (folder.join("pytorch_model.pt"), 0));
    }
}

#[test]
fn the_token_is_for_the_hub_alone() {
    let storage = Host::start(&[("blob", &content())], |_| Disturbance::None);
    let to = format!("{}/blob", storage.other_url());
    let hub = hub(move |_| answer(302, &[("Location", &to)], ""));
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(download(REFERENCE, &settings(&hub.url(), cache.path())).0.unwrap().transferred, 300_000);
    let asked = storage.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((&asked[0].authorization, &asked[0].cookie), (&None, &None));
}

#[test]
fn interruptions_and_damage_are_dealt_with() {
    let hub = hub(in_turn(vec![Disturbance::HangUpAfter(123_456)]));
    let cache = tempfile::tempdir().unwrap();
    let done = download(REFERENCE, &settings(&hub.url(), cache.path())).0.unwrap();
    assert_eq!((done.transferred, fs::read(done.path).unwrap()), (300_000, content()));
    assert_eq!(hub.ranges()[1..], [(None, 200), (Some("bytes=123456-".into()), 206)]);

    let hub = hub_with("0".repeat(64), |_| Disturbance::None);
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.url(), cache.path());
    let error = download(REFERENCE, &settings).0.unwrap_err();
    assert!(matches!(&error, Error::Hash { got, .. } if *got == sha256(&content())), "{error:?}");
    let folder = cache.path().join("models/damo--tiny.v2/snapshots/master");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "nothing is kept");
}

#[test]
fn what_the_hub_lacks_is_named() {
    let (hub, cache) = (hub(|_| Disturbance::None), tempfile::tempdir().unwrap());
    let settings = settings(&hub.url(), cache.path());
    for (reference, parts) in [
        ("modelscope:damo/other", &["has no model damo/other"][..]),
        ("modelscope:damo/other@v9", &["has no model damo/other with a revision v9"]),
        ("modelscope:damo/tiny.v2/x.pth", &["no file x.pth", "It has README.md, pytorch_model.pt"]),
    ] {
        let sentence = download(reference, &settings).0.unwrap_err().to_string();
        assert!(parts.iter().all(|part| sentence.contains(part)), "{sentence}");
    }
}

#[test]
fn an_error_inside_a_good_answer_is_an_error() {
    let body = r#"{"Code":10010205001,"Success":false,"Message":"no such thing","Data":null}"#;
    let hub = Host::start(&[], move |_| answer(200, &[], body));
    let cache = tempfile::tempdir().unwrap();
    let error = download(REFERENCE, &settings(&hub.url(), cache.path())).0.unwrap_err();
    assert!(error.to_string().contains("no such thing"), "{error}");
}

#[test]
fn without_the_hub_the_cache_is_used() {
    let (hub, cache) = (hub(|_| Disturbance::None), tempfile::tempdir().unwrap());
    let mut settings = settings(&hub.url(), cache.path());
    let first = download(REFERENCE, &settings).0.unwrap();
    settings.modelscope.endpoint = "http://127.0.0.1:1".into();
    let (second, events) = download(REFERENCE, &settings);
    assert_eq!((second.unwrap().path, events.last().map(String::as_str)), (first.path, Some("unreachable")));
}

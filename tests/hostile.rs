//! A manifest may come from anywhere: what is beyond reason in it is refused before anything is fetched.

use serde_json::{Value, json};
use server::{Disturbance, Options, Request};
use tests::browser::{Setup, browse};
use tests::{page, site};

#[test]
fn manifests_beyond_reason_are_refused_with_a_sentence_and_nothing_is_fetched_for_them() {
    let manifest = std::fs::read(site::dist().join("models/demo/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let bent = |bend: fn(&mut Value)| {
        let mut manifest = manifest.clone();
        bend(&mut manifest);
        manifest.to_string()
    };
    let cases = [
        (
            "climbs out of its folder",
            bent(|m| m["shards"][0]["name"] = json!("../../index.html")),
            "`shards.name`: expected a file name beside",
        ),
        (
            "goes to another host",
            bent(|m| m["shards"][0]["name"] = json!("https://example.invalid/x")),
            "got https://example.invalid/x",
        ),
        (
            "claims more than fits into memory",
            bent(|m| m["shards"][0]["bytes"] = json!(1u64 << 50)),
            "`shards.bytes`: expected 1 to 268435456",
        ),
        ("has a sum that is none", bent(|m| m["bytes"] = json!(7)), "`bytes`: expected 23480288, the sum"),
        (
            "has a hash that is none",
            bent(|m| m["shards"][0]["sha256"] = json!("<b>no</b>")),
            "`shards.sha256`: expected 64 hexadecimal digits",
        ),
        ("has no shard", bent(|m| m["shards"] = json!([])), "`shards`: expected at least one"),
        ("is no JSON", "<!doctype html><script>alert(1)</script>".into(), "not valid JSON"),
        ("is endless", format!("[{}", " ".repeat(2 << 20)), "longer than the 1048576 bytes expected"),
    ];
    browse(Setup::default(), async |client| {
        for (what, text, said) in cases {
            let disturb = move |request: &Request| match request.path().ends_with("demo/manifest.json") {
                true => Disturbance::Answer {
                    status: 200,
                    content_type: "application/json",
                    headers: vec![],
                    body: text.clone().into_bytes(),
                },
                false => Disturbance::None,
            };
            let server = site::serve_with(Options {
                disturb: Some(Box::new(disturb)),
                record: true,
                ..Options::new(site::dist())
            });
            page::open(client, &server.url()).await;
            let sentence = page::element(client, "error").await.text().await.unwrap();
            assert!(
                sentence.contains(said) && sentence.ends_with('.'),
                "a manifest that {what}: {sentence:?}"
            );
            let shards = server.requests().iter().filter(|record| record.target.contains(".gguf")).count();
            assert_eq!(shards, 0, "a manifest that {what}: weights were fetched");
        }
    });
}

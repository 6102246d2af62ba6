//! The built site on other hosts: under a sub-path, without isolation headers, on a bad network.

use server::{Disturbance, Options};
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::browser::{Setup, browse};
use tests::{page, site};

#[test]
fn works_under_a_sub_path_and_without_isolation_headers() {
    let server = site::serve_with(Options {
        prefix: "/any/sub/path/".into(),
        isolation: false,
        record: true,
        ..Options::new(site::dist())
    });
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].state, "done", "{cards:?}");
        let isolated = client.execute("return crossOriginIsolated", vec![]).await.unwrap();
        assert_eq!(isolated, false);
    });
    for record in server.requests() {
        assert!(record.target.starts_with("/any/sub/path/"), "asked outside the sub-path: {record:?}");
    }
}

#[test]
fn a_dropped_connection_and_a_corrupt_byte_are_mended_by_fetching_again() {
    let faults = AtomicUsize::new(0);
    let disturb = move |request: &server::Request| {
        if !request.path().contains(".gguf-") {
            return Disturbance::None;
        }
        match faults.fetch_add(1, Ordering::SeqCst) {
            0 => Disturbance::HangUpAfter(1_000_000),
            1 => Disturbance::Corrupt(12_345),
            _ => Disturbance::None,
        }
    };
    let server = site::serve_with(Options {
        disturb: Some(Box::new(disturb)),
        record: true,
        ..Options::new(site::dist())
    });
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].state, "done", "{cards:?}");
    });
    let shards = server.requests().iter().filter(|r| r.target.contains(".gguf-")).count();
    assert!(shards > 2, "both damaged shards were asked for again, {shards} requests in all");
}

#[test]
fn a_model_that_is_not_there_gets_a_sentence_and_keeps_the_photos() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &format!("{}?model=models/nowhere/manifest.json", server.url())).await;
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        let script = "return document.querySelector('[data-testid=status]').innerText.includes('404')";
        page::until(client, "the page says why", script).await;
        let cards = page::cards(client).await;
        assert_eq!(cards.len(), 1, "the photo waits");
        assert!(cards[0].state != "done");
    });
}

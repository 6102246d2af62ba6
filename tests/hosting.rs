//! The built site on other hosts: under a sub-path, without isolation headers, on a bad network.

use serde_json::json;
use server::{Disturbance, Options};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// What stalls on the first visit, before a service worker has a say, holds up nothing but itself, and is given up
/// after 20 seconds.
#[test]
fn what_stalls_is_given_up_and_the_page_goes_on() {
    let stalls = Arc::new(AtomicBool::new(true));
    let disturb = {
        let stalls = stalls.clone();
        move |request: &server::Request| {
            let stalling = ["/models/index.json", "/licenses/LICENSE-WordNet.txt", "/samples/cat.jpg?stalls"];
            match stalling.contains(&request.target.as_str()) && stalls.load(Ordering::SeqCst) {
                true => Disturbance::StallAfter(100),
                false => Disturbance::None,
            }
        }
    };
    let server = site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(site::dist()) });
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::paste_text(client, &format!("{}samples/cat.jpg?stalls", server.url())).await;
        page::ready(client).await;
        let sentence = page::element(client, "models-fault").await.text().await.unwrap();
        assert!(sentence.contains("no byte came for 20 s"), "{sentence:?}");
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].state, "error", "{cards:?}");
        // Where the service worker could not keep all of the shell, there is none until the next visit.
        let given_up = "return navigator.serviceWorker.getRegistration().then(registration => !registration)";
        page::until(client, "the installation is given up", given_up).await;
        stalls.store(false, Ordering::SeqCst);
        client.refresh().await.unwrap();
        page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
    });
}

/// Where isolation is wanted of it, the page waits for the service worker first, but not for ever.
#[test]
fn a_service_worker_that_never_comes_is_not_waited_for() {
    let disturb = |request: &server::Request| match request.path() {
        "/service-worker.js" => Disturbance::Silence,
        _ => Disturbance::None,
    };
    let server = site::serve_with(Options {
        disturb: Some(Box::new(disturb)),
        isolation: false,
        ..Options::new(site::dist())
    });
    browse(Setup::default(), async |client| {
        page::open(client, &format!("{}?isolate=1", server.url())).await;
        page::ready(client).await;
    });
}

#[test]
fn an_address_of_a_huge_file_is_refused_before_it_is_fetched_and_a_silent_one_given_up() {
    let folder = tempfile::tempdir().unwrap();
    site::copy(&site::dist(), folder.path());
    // A sparse file: it takes no room.
    let huge = std::fs::File::create(folder.path().join("huge.jpg")).unwrap();
    huge.set_len(300 << 20).unwrap();
    // It would take minutes.
    let disturb = |request: &server::Request| match request.path() {
        "/huge.jpg" => Disturbance::Throttle(1 << 20),
        "/still.jpg" => Disturbance::Silence,
        _ => Disturbance::None,
    };
    let server =
        site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(folder.path()) });
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::paste_text(client, &format!("{}huge.jpg", server.url())).await;
        let cards = page::settled(client, 1).await;
        let sentence = cards[0].error.as_deref().unwrap_or_default();
        assert!(sentence.contains("300 MB") && sentence.contains("256 MB"), "{cards:?}");
        // The module for other pages fetches photos by itself.
        let ask = "const [address] = arguments;
            return import('./embed/source.js').then(({ photo }) => photo(address)).catch(e => e.message)";
        for (address, expected) in
            [("huge.jpg", "longer than 256 MB"), ("still.jpg", "sent nothing for 20 s")]
        {
            let told = client.execute(ask, vec![json!(address)]).await.unwrap();
            assert!(told.as_str().unwrap_or_default().contains(expected), "{told}");
        }
    });
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

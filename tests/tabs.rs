//! Two tabs of the page at once: they share the weights in the browser's storage and the service worker.

use server::{Disturbance, Options, Server};
use std::fs;
use std::time::Duration;
use tempfile::TempDir;
use tests::browser::{Client, Setup, browse};
use tests::{page, site};

/// A server whose shards take some seconds each.
fn slow() -> Server {
    let disturb = |request: &server::Request| match request.path().contains(".gguf-") {
        true => Disturbance::Throttle(6_000_000),
        false => Disturbance::None,
    };
    site::serve_with(Options { disturb: Some(Box::new(disturb)), record: true, ..Options::new(site::dist()) })
}

/// Requests for shards.
fn fetched(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.target.contains(".gguf-")).count()
}

async fn answers(client: &Client, photos: usize) {
    page::pick(client, &[site::sample("coffee.jpg")]).await;
    let cards = page::settled(client, photos).await;
    assert!(cards.iter().all(|card| card.state == "done"), "{cards:?}");
}

#[test]
fn two_tabs_that_load_the_same_model_fetch_each_shard_once() {
    let server = slow();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        let first = client.tab().await.unwrap();
        client.open_tab().await.unwrap();
        page::open(client, &server.url()).await;
        answers(client, 1).await;
        client.look_at(&first).await.unwrap();
        answers(client, 1).await;
    });
    assert_eq!(fetched(&server), 2, "the model has two shards: {:?}", server.requests());
}

#[test]
fn clearing_the_storage_in_one_tab_stops_no_other() {
    let server = slow();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        let first = client.tab().await.unwrap();
        client.open_tab().await.unwrap();
        page::open(client, &server.url()).await;
        answers(client, 1).await;
        let second = client.tab().await.unwrap();
        client.look_at(&first).await.unwrap();
        page::element(client, "clear-storage").await.click().await.unwrap();
        page::until(client, "nothing is kept", "return !document.querySelector('[data-testid=storage]')")
            .await;
        answers(client, 1).await;
        client.look_at(&second).await.unwrap();
        answers(client, 2).await;

        // And a tab in the middle of its download.
        client.refresh().await.unwrap();
        let loading = "return /\\d MB/.test(document.querySelector('[data-testid=status]')?.innerText ?? '')";
        page::until(client, "it downloads", loading).await;
        client.look_at(&first).await.unwrap();
        client.execute("return caches.delete('beitscope-shards')", vec![]).await.unwrap();
        client.look_at(&second).await.unwrap();
        answers(client, 1).await;
    });
}

#[test]
fn a_new_version_is_used_in_the_tab_that_asks_and_forced_on_no_other() {
    let folder = TempDir::new().unwrap();
    site::copy(&site::dist(), folder.path());
    let server = site::serve_with(Options::new(folder.path()));
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
        // Chromium looks for updates only once it has seen a page at rest, or after three minutes.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let first = client.tab().await.unwrap();
        client.open_tab().await.unwrap();
        page::open(client, &server.url()).await;
        answers(client, 1).await;
        let second = client.tab().await.unwrap();
        client.execute("window.before = true", vec![]).await.unwrap();

        let script = folder.path().join("service-worker.js");
        let newer = fs::read_to_string(&script).unwrap() + "// another version\n";
        fs::write(&script, newer).unwrap();
        client.look_at(&first).await.unwrap();
        client.execute("window.before = true", vec![]).await.unwrap();
        client.execute(page::LOOK_FOR_UPDATE, vec![]).await.unwrap();
        page::click(client, "[data-testid=update] button").await;
        page::until(client, "the first tab is loaded anew", "return !window.before").await;
        page::ready(client).await;
        let told = "return !!document.querySelector('[data-testid=update]')";
        assert_eq!(client.execute(told, vec![]).await.unwrap(), false, "the first tab has the new version");

        client.look_at(&second).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(client.execute("return window.before", vec![]).await.unwrap(), true, "nothing is forced");
        answers(client, 2).await;
        page::click(client, "[data-testid=update] button").await;
        page::until(client, "the second tab is loaded anew", "return !window.before").await;
        answers(client, 1).await;
        assert_eq!(client.execute(told, vec![]).await.unwrap(), false, "it has the new version too");
    });
}

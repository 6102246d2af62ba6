//! Weights in the browser's storage: kept, read again without a network, mended, paused, cleared,
//! and done without where the browser refuses.

use serde_json::json;
use server::{Disturbance, Options, Server};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::browser::{Client, Setup, browse};
use tests::{page, site};

/// Requests for a shard whose name ends so.
fn asked(server: &Server, ending: &str) -> usize {
    let requests = server.requests();
    requests.iter().filter(|r| r.target.contains(".gguf-") && r.target.ends_with(ending)).count()
}

fn recording() -> Server {
    site::serve_with(Options { record: true, ..Options::new(site::dist()) })
}

/// The photo's answer, for pages on which it is the first one.
async fn answers(client: &Client) {
    page::pick(client, &[site::sample("coffee.jpg")]).await;
    let cards = page::settled(client, 1).await;
    assert_eq!(cards[0].state, "done", "{cards:?}");
}

#[test]
fn a_second_visit_asks_for_no_shard_and_a_damaged_one_is_fetched_alone() {
    let server = recording();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        assert_eq!((asked(&server, "-00001-of-00002"), asked(&server, "-00002-of-00002")), (1, 1));

        client.refresh().await.unwrap();
        answers(client).await;
        assert_eq!(asked(&server, "-of-00002"), 2, "the second visit fetched no shard");

        let damage = "return (async () => {
            const cache = await caches.open('beitscope-shards');
            for (const key of await cache.keys()) {
                const entry = await cache.match(key);
                const bytes = new Uint8Array(await entry.arrayBuffer());
                if (!/[0-9a-f]{64}$/.test(key.url) || bytes.length > 10_000_000) continue;
                bytes[1234] ^= 1;
                const headers = new Headers(entry.headers);
                await cache.put(key, new Response(bytes, { headers }));
                return true;
            }
            return false; })()";
        let damaged = client.execute(damage, vec![]).await.unwrap();
        assert_eq!(damaged, json!(true), "the smaller shard is kept");
        client.refresh().await.unwrap();
        answers(client).await;
        assert_eq!((asked(&server, "-00001-of-00002"), asked(&server, "-00002-of-00002")), (1, 2));
    });
}

#[test]
fn a_paused_download_goes_on_at_the_first_shard_that_is_missing() {
    let slow = Arc::new(AtomicBool::new(true));
    let disturb = {
        let slow = slow.clone();
        move |request: &server::Request| match request.path().contains(".gguf-")
            && slow.load(Ordering::SeqCst)
        {
            true => Disturbance::Throttle(2_000_000),
            false => Disturbance::None,
        }
    };
    let server = site::serve_with(Options {
        disturb: Some(Box::new(disturb)),
        record: true,
        ..Options::new(site::dist())
    });
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        let said = "return /\\d MB · \\d.* MB\\/s · \\d+ s left/.test(document.querySelector('[data-testid=status]').innerText)";
        page::until(client, "bytes, rate and time left are told", said).await;
        let kept = "return caches.open('beitscope-shards').then(c => c.keys())
            .then(keys => keys.filter(key => /[0-9a-f]{64}$/.test(key.url)).length === 1)";
        page::until(client, "the smaller shard is kept", kept).await;
        page::element(client, "pause").await.click().await.unwrap();
        let stored =
            "return Number(document.querySelector('[data-testid=storage]')?.dataset.bytes) > 2_000_000";
        page::until(client, "the page tells what is kept", stored).await;
        assert_eq!(page::cards(client).await[0].state, "queued", "the photo waits");

        slow.store(false, Ordering::SeqCst);
        page::element(client, "resume").await.click().await.unwrap();
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].state, "done", "{cards:?}");
    });
    // Twice or more: the browser may ask for the part that its own cache lacks before it asks for all.
    assert!(asked(&server, "-00001-of-00002") >= 2, "the missing shard was asked for again");
    assert_eq!(asked(&server, "-00002-of-00002"), 1, "the shard that is kept was not");
}

#[test]
fn cleared_storage_is_empty_and_the_model_goes_on_answering() {
    let server = recording();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::element(client, "clear-storage").await.click().await.unwrap();
        page::until(client, "nothing is kept", "return !document.querySelector('[data-testid=storage]')")
            .await;
        let left = client.execute("return caches.has('beitscope-shards')", vec![]).await.unwrap();
        let left = match left.as_bool() {
            // Measuring opens the cache again, empty.
            Some(true) => client
                .execute(
                    "return caches.open('beitscope-shards').then(c => c.keys()).then(k => k.length)",
                    vec![],
                )
                .await
                .unwrap(),
            _ => json!(0),
        };
        assert_eq!(left, json!(0));
        answers(client).await;
    });
}

/// What only Chromium's DevTools can set up.
mod chromium {
    use super::{answers, recording};
    use serde_json::json;
    use tests::browser::{Setup, browse, devtools};
    use tests::page;

    #[test]
    fn a_browser_without_room_goes_on_in_memory_and_says_so() {
        let server = recording();
        browse(Setup::default(), async |client| {
            let origin = server.url().trim_end_matches('/').to_owned();
            devtools(
                client,
                "Storage.overrideQuotaForOrigin",
                json!({ "origin": origin, "quotaSize": 1_000_000 }),
            )
            .await;
            page::open(client, &server.url()).await;
            answers(client).await;
            let said = page::element(client, "storage").await.text().await.unwrap();
            assert!(said.contains("no room"), "{said:?}");
        });
    }
}

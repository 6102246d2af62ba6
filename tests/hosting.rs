//! The built site on other hosts: under a sub-path, without isolation headers, beside another site, on a bad network.

use serde_json::json;
use server::{Disturbance, Options, Request};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tests::browser::{Client, Setup, browse};
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

/// The page opens and is ready, and says nothing of a list that cannot be used.
async fn is_whole(client: &Client, url: &str, what: &str) {
    page::open(client, url).await;
    page::ready(client).await;
    let fault = "return document.querySelector('[data-testid=models-fault]')?.innerText ?? null";
    assert_eq!(client.execute(fault, vec![]).await.unwrap(), json!(null), "{what}");
}

/// As on a host that has a folder for each project. What versions before had kept in one cache for all of them is
/// each site's own from then on.
#[test]
fn two_sites_of_one_origin_leave_each_other_alone() {
    let folder = TempDir::new().unwrap();
    for name in ["a", "b"] {
        site::copy(&site::dist(), &folder.path().join(name));
    }
    let server = site::serve_with(Options::new(folder.path()));
    let address = server.url();
    browse(Setup::default(), async |client| {
        client.goto(&format!("{address}a/licenses/LICENSE-WordNet.txt")).await.unwrap();
        let earlier = "return (async () => {
            const cache = await caches.open('beitscope-shell');
            for (const path of ['a/old.css?content=1', 'a/models/old.json?1', 'a/models/kept.json', 'b/old.css?content=1'])
                await cache.put(new URL(path, location.origin), new Response('{}'));
            // And more manifests than are kept.
            const own = await caches.open('beitscope-shell /a/');
            for (let i = 0; i < 70; i++) await own.put(new URL(`a/models/many/${i}.json`, location.origin), new Response('{}'));
            return true; })()";
        client.execute(earlier, vec![]).await.unwrap();
        let kept = async |name: &str| {
            let addresses = "const [name] = arguments; return (async () => (await caches.has(name))
                ? (await (await caches.open(name)).keys()).map(({ url }) => url.slice(location.origin.length)) : null)()";
            client.execute(addresses, vec![json!(name)]).await.unwrap()
        };
        let mut shared = Vec::new();
        for name in ["a", "b"] {
            page::open(client, &format!("{address}{name}/")).await;
            page::ready(client).await;
            page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
            shared.push(kept("beitscope-shell").await);
        }
        drop(server);
        for name in ["a", "b"] {
            is_whole(client, &format!("{address}{name}/"), name).await;
        }
        let expected = [json!(["/b/old.css?content=1"]), json!(null)];
        assert_eq!(shared, expected, "each site takes its own, the last one the cache");
        let kept = kept("beitscope-shell /a/").await;
        let kept: Vec<_> = kept.as_array().unwrap().iter().map(|address| address.as_str().unwrap()).collect();
        for (address, expected) in [
            ("/a/models/index.json", true),
            ("/a/models/demo/manifest.json", true),
            ("/a/models/kept.json", true),
            ("/a/models/many/69.json", true),
            ("/a/models/many/0.json", false),
            ("/a/models/old.json?1", false),
            ("/a/old.css?content=1", false),
        ] {
            assert_eq!(kept.contains(&address), expected, "{address} in {kept:?}");
        }
        let models = kept.iter().filter(|address| address.starts_with("/a/models/")).count();
        assert_eq!(models, 1 + 64, "the list, and no more manifests than a list may name");
    });
}

#[test]
fn no_answer_of_a_bad_network_comes_before_the_kept_list_and_manifest() {
    let folder = TempDir::new().unwrap();
    site::copy(&site::dist(), folder.path());
    // With two models there is a menu, which shows which list is used.
    let entry = json!({ "manifest": "https://weights.example/large/manifest.json", "name": "Large" });
    let (list, _, content) = site::list_with(vec![entry]);
    let list = folder.path().join(list);
    fs::write(&list, content).unwrap();
    let fault = Arc::new(Mutex::new(Disturbance::None));
    let disturb = {
        let fault = fault.clone();
        move |request: &Request| match request.path().strip_suffix(".json") {
            Some(path) if path.starts_with("/models/") => fault.lock().unwrap().clone(),
            _ => Disturbance::None,
        }
    };
    let server =
        site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(folder.path()) });
    let url = server.url();
    let answer = |status, content_type, body: &str| Disturbance::Answer {
        status,
        content_type,
        headers: vec![],
        body: body.into(),
    };
    let login = "<!doctype html><title>Log in to this network</title>";
    browse(Setup::default(), async |client| {
        page::open(client, &url).await;
        page::ready(client).await;
        page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
        for (what, disturbance) in [
            ("it is busy", answer(503, "application/json", "{}")),
            ("it has lost its files", answer(404, "text/plain", "Not found.")),
            ("a portal's page", answer(200, "text/html; charset=utf-8", login)),
            ("a portal's page that claims to be JSON", answer(200, "application/json", login)),
        ] {
            *fault.lock().unwrap() = disturbance;
            is_whole(client, &url, what).await;
        }

        // A good answer that comes too late for this visit is the next one's.
        let renamed = fs::read_to_string(&list).unwrap().replace("Demo: ", "Anew: ");
        fs::write(&list, renamed).unwrap();
        *fault.lock().unwrap() = Disturbance::Delay(Duration::from_secs(6));
        is_whole(client, &url, "a late answer").await;
        let named =
            "return document.querySelector('[data-testid=models]')?.textContent.includes('Anew: ') ?? null";
        assert_eq!(client.execute(named, vec![]).await.unwrap(), false, "the page did not wait for it");
        let kept = "return (async () => (await (await caches.match('models/index.json')).text()).includes('Anew: '))()";
        page::until(client, "the late list is kept", kept).await;

        for (what, disturbance) in
            [("silence", Disturbance::Silence), ("silence after some bytes", Disturbance::StallAfter(10))]
        {
            *fault.lock().unwrap() = disturbance;
            is_whole(client, &url, what).await;
        }
        drop(server);
        is_whole(client, &url, "nobody there").await;
        assert_eq!(client.execute(named, vec![]).await.unwrap(), true, "the late list is used");
    });
}

/// Twenty seconds and more of waiting each, for `nightly`.
mod silence {
    use super::*;

    /// What stalls on the first visit, before a service worker has a say, holds up nothing but itself, and is given up
    /// after 20 seconds.
    #[test]
    fn what_stalls_is_given_up_and_the_page_goes_on() {
        let stalls = Arc::new(AtomicBool::new(true));
        let disturb = {
            let stalls = stalls.clone();
            move |request: &server::Request| {
                let stalling =
                    ["/models/index.json", "/licenses/LICENSE-WordNet.txt", "/samples/cat.jpg?stalls"];
                match stalling.contains(&request.target.as_str()) && stalls.load(Ordering::SeqCst) {
                    true => Disturbance::StallAfter(100),
                    false => Disturbance::None,
                }
            }
        };
        let server =
            site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(site::dist()) });
        browse(Setup::default(), async |client| {
            page::open(client, &server.url()).await;
            page::paste_text(client, &format!("{}samples/cat.jpg?stalls", server.url())).await;
            page::ready(client).await;
            let sentence = page::element(client, "models-fault").await.text().await.unwrap();
            assert!(sentence.contains("no byte came for 20 s"), "{sentence:?}");
            let cards = page::settled(client, 1).await;
            assert_eq!(cards[0].state, "error", "{cards:?}");
            // Where the service worker could not keep all of the shell, there is none until the next visit.
            let given_up =
                "return navigator.serviceWorker.getRegistration().then(registration => !registration)";
            page::until(client, "the installation is given up", given_up).await;
            stalls.store(false, Ordering::SeqCst);
            client.refresh().await.unwrap();
            page::ready(client).await;
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

//! Without a network, and with a new version of the page.

use serde_json::json;
use server::{Disturbance, Options, Request};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tests::browser::{Client, Setup, browse};
use tests::{page, site};

#[test]
fn after_the_first_visit_the_page_answers_without_a_network() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
        let address = server.url();
        drop(server);
        assert!(
            std::net::TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/'))
                .is_err()
        );
        client.refresh().await.unwrap();
        page::ready(client).await;
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].state, "done", "{cards:?}");
        assert!(cards[0].predictions[0].text.contains("espresso"), "{cards:?}");
        // Also a sample, which lies beside the page, and another parameter in the address.
        client.goto(&format!("{address}?lang=zh")).await.unwrap();
        page::ready(client).await;
        page::click(client, ".sample").await;
        assert_eq!(page::settled(client, 1).await[0].state, "done");
    });
}

#[test]
fn a_new_version_is_announced_and_used_when_the_visitor_says_so() {
    let folder = TempDir::new().unwrap();
    site::copy(&site::dist(), folder.path());
    let server = site::serve_with(Options::new(folder.path()));
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
        edit(folder.path());
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        page::settled(client, 1).await;
        client.execute("window.before = true", vec![]).await.unwrap();
        client.execute(page::LOOK_FOR_UPDATE, vec![]).await.unwrap();
        page::element(client, "update").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(
            client.execute("return window.before", vec![]).await.unwrap(),
            json!(true),
            "nothing is forced"
        );
        assert_eq!(page::cards(client).await.len(), 1);
        page::click(client, "[data-testid=update] button").await;
        page::until(client, "the page is loaded anew", "return !window.before").await;
        page::ready(client).await;
        assert_eq!(
            client.execute("return document.querySelector('[data-testid=update]')", vec![]).await.unwrap(),
            json!(null),
            "the new version is in use"
        );
        let edition = "return document.querySelector('meta[name=edition]')?.content ?? null";
        assert_eq!(client.execute(edition, vec![]).await.unwrap(), json!("2"), "no file of it is an old one");
    });
}

/// Makes another version of a built site: another page, and its hash in the service worker's list.
fn edit(site: &Path) {
    let (page, script) = (site.join("index.html"), site.join("service-worker.js"));
    // The first half of it stands in the list.
    let hash = |file: &Path| site::sha256(file)[..32].to_owned();
    let before = hash(&page);
    let html = fs::read_to_string(&page).unwrap();
    fs::write(&page, html.replace("<title>", "<meta name=\"edition\" content=\"2\" /><title>")).unwrap();
    let listed = fs::read_to_string(&script).unwrap();
    let newer = listed.replace(&before, &hash(&page));
    assert_ne!(listed, newer, "the list has the page's hash");
    fs::write(&script, newer).unwrap();
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

/// What only Chromium's DevTools can tell.
mod chromium {
    use serde_json::{Value, json};
    use tests::browser::{Setup, browse, devtools};
    use tests::{page, site};

    #[test]
    fn the_page_can_be_installed() {
        let server = site::serve();
        browse(Setup::default(), async |client| {
            page::open(client, &server.url()).await;
            page::ready(client).await;
            page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
            let manifest = devtools(client, "Page.getAppManifest", json!({})).await;
            assert_eq!(manifest["errors"], json!([]), "{manifest}");
            assert!(manifest["url"].as_str().unwrap().ends_with("manifest.webmanifest"), "{manifest}");
            let errors = devtools(client, "Page.getInstallabilityErrors", json!({})).await;
            // A headless browser with a fresh profile has no other reason to refuse.
            let grave = |e: &&Value| e["errorId"] != "in-incognito";
            let errors: Vec<_> =
                errors["installabilityErrors"].as_array().into_iter().flatten().filter(grave).collect();
            assert!(errors.is_empty(), "{errors:?}");
        });
    }
}

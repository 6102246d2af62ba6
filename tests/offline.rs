//! Without a network, and with a new version of the page.

use serde_json::json;
use server::Options;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tests::browser::{Setup, browse};
use tests::{page, site};

#[test]
fn after_the_first_visit_the_page_answers_without_a_network() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
        // What this visitor's photos need beside the page is kept too, once it was needed.
        let heic = site::root().join("tests/data/modern-photos/heic-tiles.heic");
        client.refresh().await.unwrap();
        page::pick(client, std::slice::from_ref(&heic)).await;
        assert_eq!(page::settled(client, 1).await[0].state, "done");
        let address = server.url();
        drop(server);
        assert!(
            std::net::TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/'))
                .is_err()
        );
        client.refresh().await.unwrap();
        page::ready(client).await;
        page::pick(client, &[site::sample("coffee.jpg"), heic]).await;
        let cards = page::settled(client, 2).await;
        assert!(cards.iter().all(|card| card.state == "done"), "{cards:?}");
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

//! A model that the page's address names on another origin: the visitor is asked first, and is told whose it is.

use serde_json::json;
use server::{Options, Server};
use tests::browser::{Client, Setup, browse};
use tests::command_line::{classify_with, convert_tiny};
use tests::{page, site};

/// Another origin that has a model.
fn elsewhere(model: &std::path::Path) -> Server {
    site::serve_with(Options { cross_origin: true, record: true, ..Options::new(model.to_owned()) })
}

fn shards_asked(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.target.contains(".gguf")).count()
}

/// Opens the page with the model of the other origin in its address, and waits for the question.
async fn asked(client: &Client, site: &Server, elsewhere: &Server) {
    page::open(client, &format!("{}?model={}manifest.json", site.url(), elsewhere.url())).await;
    page::until(client, "the visitor is asked", "return !!document.querySelector('[data-testid=agree]')")
        .await;
}

async fn stored(client: &Client) -> u64 {
    let script = "return caches.open('beitscope-shards').then(c => c.keys()).then(keys => keys.length)";
    client.execute(script, vec![]).await.unwrap().as_u64().unwrap()
}

async fn text_of(client: &Client, part: &str) -> String {
    let script = format!("return document.querySelector('[data-testid={part}]')?.innerText ?? ''");
    client.execute(&script, vec![]).await.unwrap().as_str().unwrap_or_default().to_owned()
}

#[test]
fn another_sites_model_is_loaded_and_kept_only_if_the_visitor_agrees() {
    let folder = tempfile::tempdir().unwrap();
    convert_tiny("tiny-relative", folder.path());
    let photo = site::sample("cat.jpg");
    let expected = classify_with(folder.path(), std::slice::from_ref(&photo));
    let (site, other) = (site::serve(), elsewhere(folder.path()));
    let host = other.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    browse(Setup::default(), async |client| {
        asked(client, &site, &other).await;
        // A photo can be dropped meanwhile, and waits.
        page::pick(client, &[photo]).await;
        let status = text_of(client, "status").await;
        assert!(status.contains(&host) && status.contains(" MB from "), "{status}");
        assert!(status.contains("tiny"), "it says what the model calls itself: {status}");
        assert_eq!(
            (shards_asked(&other), stored(client).await),
            (0, 0),
            "nothing was fetched or kept unasked"
        );

        page::element(client, "agree").await.click().await.unwrap();
        let cards = page::settled(client, 1).await;
        let best = expected[0]["predictions"][0]["index"].clone();
        assert_eq!(json!(cards[0].predictions[0].index), best);
        assert_eq!(
            text_of(client, "model-host").await,
            format!("from {host}"),
            "it stays in sight whose it is"
        );

        // The next visit knows the model: the same bytes need no second question.
        client.refresh().await.unwrap();
        page::ready(client).await;
        assert_eq!(text_of(client, "model-host").await, format!("from {host}"));
        // It is listed beside the site's own, and can be removed.
        page::open(client, &site.url()).await;
        page::ready(client).await;
        let listed = "return document.querySelectorAll('[data-testid=stored-model]').length === 2";
        page::until(client, "both models are listed", listed).await;
        let remove = format!(
            "document.querySelector('[data-testid=stored-model][data-manifest*=\"{host}\"] [data-testid=remove-stored]').click()"
        );
        client.execute(&remove, vec![]).await.unwrap();
        let gone = format!(
            "return caches.open('beitscope-shards').then(c => c.keys())
                .then(keys => !keys.some(key => decodeURIComponent(key.url).includes('{host}')))"
        );
        page::until(client, "the model is removed", &gone).await;
    });
}

#[test]
fn who_declines_gets_the_sites_own_model_and_nothing_is_left_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    convert_tiny("tiny-relative", folder.path());
    let (site, other) = (site::serve(), elsewhere(folder.path()));
    browse(Setup::default(), async |client| {
        asked(client, &site, &other).await;
        page::element(client, "decline").await.click().await.unwrap();
        page::ready(client).await;
        assert_eq!(shards_asked(&other), 0);
        let address = client.current_url().await.unwrap();
        assert!(!address.as_str().contains("model="), "{address}");
        assert_eq!(text_of(client, "model-host").await, "");
        let left = "return caches.open('beitscope-shards').then(c => c.keys())
            .then(keys => keys.filter(key => !key.url.includes(encodeURIComponent(location.host))
                && /manifest|coming|used/.test(key.url)).length)";
        assert_eq!(client.execute(left, vec![]).await.unwrap(), json!(0));
    });
}

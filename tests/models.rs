//! Models in a real Chromium: offered, picked, told apart, remembered; and a list that cannot be used is left aside.

use serde_json::{Value, json};
use server::{Disturbance, Options};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::browser::{Client, Setup, browse, console_errors};
use tests::command_line::{classify, classify_with, convert_tiny, same_answers};
use tests::page;
use tests::site;

const TINY: &str = "tiny-absolute";
const UNLISTED: &str = "tiny-relative";

fn tiny_entry(model: &Path) -> Value {
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(model.join("manifest.json")).unwrap()).unwrap();
    json!({
        "manifest": "tiny/manifest.json", "name": "Tiny <b>&amp;</b> quick", "name_zh": "微型",
        "bytes": manifest["bytes"], "sha256": manifest["sha256"], "quantization": "q8_0",
    })
}

/// What stands beside each model, by its manifest's last folder.
async fn options(client: &Client) -> Value {
    let script = "return Object.fromEntries([...document.querySelectorAll('[data-testid=model-option]')].map(option =>
        [option.dataset.manifest.split('/').at(-2), {
            said: option.textContent, kept: !!option.querySelector('[data-testid=model-kept]'),
            checked: option.querySelector('input').checked, markup: option.querySelector('b').children.length }]))";
    client.execute(script, vec![]).await.unwrap()
}

#[test]
fn models_are_switched_there_and_back_and_the_choice_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let (tiny, unlisted) = (folder.path().join("tiny"), folder.path().join("unlisted"));
    convert_tiny(TINY, &tiny);
    convert_tiny(UNLISTED, &unlisted);
    let photos = ["cat.jpg", "coffee.jpg"].map(site::sample);
    let (by_demo, by_tiny) = (classify(&photos), classify_with(&tiny, &photos));
    let mut files = site::model_files(&tiny, "models/tiny");
    files.extend(site::model_files(&unlisted, "elsewhere"));
    files.push(site::list_with(vec![tiny_entry(&tiny)]));
    let server = site::serve_with_files(files);
    let shards = |of: &str| {
        server.requests().iter().filter(|r| r.target.contains(of) && r.target.contains(".gguf")).count()
    };
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &photos).await;
        same_answers(&page::answered_by(client, "demo-vit-small-112", 2).await, &by_demo);
        page::until(
            client,
            "the demo model is marked",
            "return !!document.querySelector('[data-testid=model-kept]')",
        )
        .await;
        let offered = options(client).await;
        let (demo, other) = (&offered["demo"], &offered["tiny"]);
        assert!(demo["said"].as_str().unwrap().contains("23.5 MB"), "{demo}");
        assert!(
            demo["said"]
                .as_str()
                .unwrap()
                .contains("75.8 % right, 92.2 % among the first five (128 ImageNet"),
            "{demo}"
        );
        assert!(other["said"].as_str().unwrap().contains("Accuracy not measured"), "{other}");
        assert!(
            other["said"].as_str().unwrap().starts_with("Tiny <b>&amp;</b> quick"),
            "names are text: {other}"
        );
        assert_eq!((&demo["kept"], &other["kept"]), (&json!(true), &json!(false)));
        assert_eq!((&demo["checked"], &other["markup"]), (&json!(true), &json!(0)));

        let said = page::pick_model(client, "tiny/manifest.json").await;
        assert!(said.starts_with("Download ") && said.ends_with(" MB and use it"), "{said}");
        same_answers(&page::answered_by(client, TINY, 2).await, &by_tiny);
        let focused = "return document.activeElement.closest('[data-testid=models]') !== null && !document.querySelector('[data-testid=models]').open";
        assert_eq!(client.execute(focused, vec![]).await.unwrap(), true, "the menu closes, the focus stays");

        // Another visit: the choice is remembered, both models are on the device.
        page::open(client, &server.url()).await;
        page::pick(client, &photos[..1]).await;
        same_answers(&page::answered_by(client, TINY, 1).await, &by_tiny);
        page::until(
            client,
            "both are marked",
            "return document.querySelectorAll('[data-testid=model-kept]').length === 2",
        )
        .await;
        assert_eq!(page::pick_model(client, "demo/manifest.json").await, "Use it");
        same_answers(&page::answered_by(client, "demo-vit-small-112", 1).await, &by_demo);
        assert_eq!((shards("models/demo/"), shards("models/tiny/")), (2, 1), "each was fetched once");

        // The address has the first word; a model picked afterwards has the last.
        page::open(client, &format!("{}?model=elsewhere/manifest.json&lang=zh", server.url())).await;
        page::ready(client).await;
        let offered = options(client).await;
        assert_eq!(offered["elsewhere"]["checked"], true, "{offered}");
        assert!(offered["tiny"]["said"].as_str().unwrap().starts_with("微型"), "{offered}");
        page::pick_model(client, "tiny/manifest.json").await;
        let address = client.current_url().await.unwrap();
        assert_eq!(address.query(), Some("lang=zh"), "the model's name is gone from the address");
        page::open(client, address.as_str()).await;
        page::ready(client).await;
        assert_eq!(options(client).await["tiny"]["checked"], true);
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

/// Where no service worker has a kept list to answer with.
#[test]
fn the_visitors_choice_does_not_wait_for_a_late_list() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = folder.path().join("site/models/tiny");
    site::copy(&site::dist(), &folder.path().join("site"));
    std::fs::create_dir_all(&tiny).unwrap();
    convert_tiny(TINY, &tiny);
    let (path, _, list) = site::list_with(vec![tiny_entry(&tiny)]);
    std::fs::write(folder.path().join("site").join(path), list).unwrap();
    let held = Arc::new(AtomicBool::new(true));
    let disturb = {
        let held = held.clone();
        move |request: &server::Request| {
            while request.path().ends_with(site::LIST) && held.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(20));
            }
            Disturbance::None
        }
    };
    let whole = Options::new(folder.path().join("site"));
    let server = site::serve_with(Options { disturb: Some(Box::new(disturb)), ..whole });
    browse(Setup::default(), async |client| {
        client.goto(&format!("{}licenses/LICENSE-WordNet.txt", server.url())).await.unwrap();
        let choose = "localStorage.setItem('beitscope.model', arguments[0])";
        let chosen = format!("{}models/tiny/manifest.json", server.url());
        client.execute(choose, vec![json!(chosen)]).await.unwrap();
        page::open(client, &server.url()).await;
        page::ready(client).await;
        let named = "return document.body.innerText.includes(arguments[0])";
        assert_eq!(client.execute(named, vec![json!(TINY)]).await.unwrap(), true);
        let menu = "return !!document.querySelector('[data-testid=models]')";
        assert_eq!(client.execute(menu, vec![]).await.unwrap(), false, "the list is held");
        held.store(false, Ordering::SeqCst);
        page::until(client, "the list is taken in", menu).await;
        assert_eq!(options(client).await["tiny"]["checked"], true);
    });
}

#[test]
fn a_list_that_cannot_be_used_is_left_aside_and_the_page_goes_on() {
    let bad = |manifest: &str| json!({ "models": [{ "manifest": manifest, "name": "Evil" }] }).to_string();
    let wrong_type =
        json!({ "models": [{ "manifest": "demo/manifest.json", "name": "Demo", "bytes": "<img src=x>" }] });
    let cases = [
        ("runs a script", bad("javascript:alert(1)")),
        ("climbs out", bad("../../secret/manifest.json")),
        ("climbs out in disguise", bad("demo/%2e%2e/%2e%2e/manifest.json")),
        ("goes to a plain http host", bad("http://example.invalid/manifest.json")),
        ("has wrong types", wrong_type.to_string()),
        ("is a page", "<!doctype html><title>Not found</title>".into()),
        ("is empty", json!({ "models": [] }).to_string()),
        ("is huge", format!("{{\"models\":[{}", " ".repeat(4 << 20))),
    ];
    browse(Setup::default(), async |client| {
        for (what, list) in cases {
            let list = (site::LIST.to_owned(), "application/json", list.into_bytes());
            let server = site::serve_with_files(vec![list]);
            page::open(client, &server.url()).await;
            page::ready(client).await;
            let sentence = page::element(client, "models-fault").await.text().await.unwrap();
            assert!(
                sentence.contains("models/index.json") && sentence.ends_with('.'),
                "{what}: {sentence:?}"
            );
            let shown = "return [document.body.innerText.includes('demo-vit-small-112'),
                !!document.querySelector('[data-testid=models]'), document.querySelectorAll('img[src=x]').length]";
            let shown = client.execute(shown, vec![]).await.unwrap();
            assert_eq!(shown, json!([true, false, 0]), "{what}");
            assert_eq!(console_errors(client).await, Vec::<String>::new(), "{what}");
            let astray: Vec<_> =
                server.requests().into_iter().filter(|r| r.target.contains("secret")).collect();
            assert!(astray.is_empty(), "{what}: {astray:?}");
        }
    });
}

/// What only Chromium's DevTools can do: imitate themes and small windows.
mod chromium {
    use serde_json::json;
    use tests::axe::violations;
    use tests::browser::{Setup, browse, console_errors, devtools};
    use tests::{page, site};

    /// The menu is for everybody: in both themes and languages, and in a narrow window.
    #[test]
    fn the_menu_is_accessible_and_fits_a_phone() {
        let entry = json!({
            "manifest": "https://weights.example/large/manifest.json", "bytes": 323_000_000, "quantization": "q8_0",
            "name": "BEiTv2-large with a name that is rather long", "name_zh": "一个名字相当长的大模型",
        });
        let server = site::serve_with_files(vec![site::list_with(vec![entry])]);
        for (dark, language) in [(false, "en"), (true, "zh")] {
            browse(Setup { dark, ..Setup::default() }, async |client| {
                let scheme = if dark { "dark" } else { "light" };
                let features = json!([
                    { "name": "prefers-color-scheme", "value": scheme },
                    { "name": "prefers-reduced-motion", "value": "reduce" },
                ]);
                devtools(client, "Emulation.setEmulatedMedia", json!({ "features": features })).await;
                for width in [1280, 390, 320] {
                    let metrics =
                        json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
                    devtools(client, "Emulation.setDeviceMetricsOverride", metrics).await;
                    page::open(client, &format!("{}?lang={language}", server.url())).await;
                    page::ready(client).await;
                    page::click(client, "[data-testid=models] summary").await;
                    page::click(client, "[data-testid=model-option]:last-of-type input").await;
                    let state = format!("{scheme}, {language}, {width} px");
                    let found = violations(client, &state).await;
                    assert!(found.is_empty(), "{}", found.join("\n"));
                    if width == 1280 && !dark {
                        page::picture(client, "models").await;
                    }
                    let outside = "const r = document.querySelector('[data-testid=models] .menu-items').getBoundingClientRect();
                        return r.left < 0 || r.right > innerWidth || document.documentElement.scrollWidth > innerWidth";
                    assert_eq!(
                        client.execute(outside, vec![]).await.unwrap(),
                        false,
                        "{state}: it is cut off"
                    );
                }
                assert_eq!(console_errors(client).await, Vec::<String>::new());
            });
        }
    }
}

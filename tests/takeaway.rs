//! What a visitor takes away: tables, a picture, a link; and the two languages.

use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::browser::{Client, Setup, browse};
use tests::command_line::classify;
use tests::{page, site};

/// Clicks, and waits for the file that is saved.
async fn saved(client: &Client, folder: &Path, selector: &str, name: &str) -> Vec<u8> {
    page::click(client, selector).await;
    let begun = Instant::now();
    loop {
        match std::fs::read(folder.join(name)) {
            Ok(bytes) if !bytes.is_empty() => return bytes,
            _ if begun.elapsed() > Duration::from_secs(60) => panic!("{name} was not saved"),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

#[test]
fn all_results_are_saved_as_json_and_as_a_table() {
    let photos = [site::sample("cat.jpg"), site::photo("not-a-photo.jpg")];
    let expected = classify(&photos[..1]);
    let folder = TempDir::new().unwrap();
    let server = site::serve();
    browse(Setup::default(), async |client| {
        client.save_into(folder.path()).await.unwrap();
        page::open(client, &server.url()).await;
        page::pick(client, &photos).await;
        page::settled(client, 2).await;
        page::click(client, ".menu summary").await;
        let json = saved(client, folder.path(), "[data-testid=export-json]", "beitscope.json").await;
        let results: Vec<Value> = serde_json::from_slice(&json).unwrap();
        let cat = &results[0];
        assert_eq!(
            (&cat["file"], &cat["bytes"]),
            (&json!("cat.jpg"), &json!(std::fs::metadata(&photos[0]).unwrap().len()))
        );
        assert_eq!(cat["sha256"].as_str().unwrap(), sha256(&photos[0]));
        let manifest = std::fs::read(site::root().join("web/models/demo/manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        // The hash of the shards' hashes, a line each: what the manifest says of the whole is not to be believed.
        let shards = manifest["shards"].as_array().unwrap().iter();
        let lines: String = shards.map(|shard| format!("{}\n", shard["sha256"].as_str().unwrap())).collect();
        let list = folder.path().join("shards");
        std::fs::write(&list, lines).unwrap();
        assert_eq!(cat["model_sha256"], sha256(&list));
        assert!(cat["backend"].as_str().unwrap().starts_with("cpu") && cat["ms"].as_f64().unwrap() > 0.0);
        for (got, expected) in
            cat["predictions"].as_array().unwrap().iter().zip(expected[0]["predictions"].as_array().unwrap())
        {
            assert_eq!((&got["wnid"], &got["label_zh"]), (&expected["wnid"], &expected["label_zh"]));
        }
        assert!(results[1]["error"].as_str().unwrap().ends_with('.'), "{}", results[1]);

        let table = saved(client, folder.path(), "[data-testid=export-csv]", "beitscope.csv").await;
        let table = String::from_utf8(table).unwrap();
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(table.lines().nth(1).unwrap().starts_with("cat.jpg,"), "{table}");
    });
}

fn sha256(file: &Path) -> String {
    let output = std::process::Command::new("sha256sum").arg(file).output().expect("sha256sum");
    String::from_utf8_lossy(&output.stdout)[..64].to_owned()
}

#[test]
fn the_photo_with_its_answer_is_saved_as_a_picture() {
    let folder = TempDir::new().unwrap();
    let server = site::serve();
    browse(Setup::default(), async |client| {
        client.save_into(folder.path()).await.unwrap();
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        page::settled(client, 1).await;
        page::click(client, "[data-testid=prediction] button").await;
        page::element(client, "heatmap").await;
        let picture = saved(client, folder.path(), "[data-testid=export-png]", "coffee-beitscope.png").await;
        assert!(picture.starts_with(b"\x89PNG"), "a PNG");
        let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
        let (width, height) = (number(16), number(20));
        assert_eq!(width, 600, "as wide as the photo");
        assert!((450..800).contains(&height), "the answer below the photo's 400 pixels: {height}");
    });
}

#[test]
fn a_result_travels_as_a_link_and_is_checked_by_whoever_has_the_photo() {
    let server = site::serve();
    let coffee = site::sample("coffee.jpg");
    let mut link = String::new();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, std::slice::from_ref(&coffee)).await;
        page::settled(client, 1).await;
        page::click(client, "[data-testid=photo-card] .open").await;
        page::click(client, "[data-testid=copy-link]").await;
        page::until(client, "the link is made", "return location.hash.startsWith('#result=')").await;
        link = client.current_url().await.unwrap().into();
    });
    browse(Setup::default(), async |client| {
        page::open(client, &link).await;
        let record = page::element(client, "record").await.text().await.unwrap();
        assert!(record.contains("coffee.jpg") && record.contains("espresso"), "{record}");
        page::pick(client, &[coffee]).await;
        page::until(
            client,
            "the answer is compared",
            "return document.querySelector('[data-testid=record]').dataset.agrees === 'true'",
        )
        .await;
        page::click(client, "[data-testid=record] button").await;
        page::until(
            client,
            "it is gone",
            "return !document.querySelector('[data-testid=record]') && location.hash === ''",
        )
        .await;
        // Anybody can write anything into an address.
        client.execute("location.hash = 'result=%7B%22file%22%3A%22%3Cimg%3E'", vec![]).await.unwrap();
        let damaged = page::element(client, "record").await.text().await.unwrap();
        assert!(damaged.contains("damaged"), "{damaged}");
    });
}

#[test]
fn the_page_speaks_two_languages_and_names_classes_in_both() {
    let server = site::serve();
    let coffee = site::sample("coffee.jpg");
    let expected = classify(std::slice::from_ref(&coffee));
    let best = &expected[0]["predictions"][0];
    browse(Setup::default(), async |client| {
        page::open(client, &format!("{}?lang=zh-CN", server.url())).await;
        page::pick(client, std::slice::from_ref(&coffee)).await;
        let cards = page::settled(client, 1).await;
        let language = "return document.documentElement.lang";
        assert_eq!(client.execute(language, vec![]).await.unwrap(), "zh");
        assert!(cards[0].predictions[0].text.contains(best["label_zh"].as_str().unwrap()), "{cards:?}");
        let status = page::element(client, "status").await.text().await.unwrap();
        assert!(status.contains("张照片"), "{status}");
        page::click(client, "[data-testid=language]").await;
        page::until(client, "the page is English", &format!("{language} === 'en'")).await;
        // Readable without a font for Chinese, and spoken by a screen reader as what each word is.
        let back = page::element(client, "language").await.text().await.unwrap();
        assert_eq!(back, "中文 · Chinese");
        let marked = "return document.querySelector('[data-testid=language] [lang=zh]').textContent";
        assert_eq!(client.execute(marked, vec![]).await.unwrap(), "中文");
        let cards = page::cards(client).await;
        assert!(cards[0].predictions[0].text.contains(best["label"].as_str().unwrap()), "{cards:?}");
        assert!(client.current_url().await.unwrap().query().unwrap().contains("lang=en"));
        // Whatever was left in English would show here.
        page::click(client, "[data-testid=language]").await;
        page::until(client, "the page is Chinese", &format!("{language} === 'zh'")).await;
        let words = "const shown = document.querySelector('main').innerText + document.querySelector('.page-footer').innerText;
            return shown.match(/\\b(the|photos?|your|show|choose|clear|find|kept)\\b/gi) ?? []";
        assert_eq!(
            client.execute(words, vec![]).await.unwrap(),
            json!([]),
            "English words on the Chinese page"
        );
    });
}

#[test]
fn breeds_that_split_the_vote_are_told_as_one_kind() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("cat.jpg"), site::sample("coffee.jpg")]).await;
        let cards = page::settled(client, 2).await;
        let kinds = "return [...document.querySelectorAll('[data-testid=photo-card]')].map(c => c.querySelector('[data-testid=kind]')?.textContent ?? '')";
        let kinds = client.execute(kinds, vec![]).await.unwrap();
        assert!(cards[0].predictions[0].score < 0.9, "{cards:?}");
        // Whose classes hold more than any of its breeds.
        assert!(kinds[0].as_str().unwrap().starts_with("cat 9"), "{kinds}");
        assert_eq!(kinds[1], "", "one class is sure by itself");
    });
}

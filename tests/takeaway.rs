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
        page::click(client, "[data-testid=export] summary").await;
        let json = saved(client, folder.path(), "[data-testid=export-json]", "beitscope.json").await;
        let results: Vec<Value> = serde_json::from_slice(&json).unwrap();
        let cat = &results[0];
        assert_eq!(
            (&cat["file"], &cat["bytes"]),
            (&json!("cat.jpg"), &json!(std::fs::metadata(&photos[0]).unwrap().len()))
        );
        assert_eq!(cat["sha256"].as_str().unwrap(), site::sha256(&photos[0]));
        let manifest = std::fs::read(site::root().join("web/models/demo/manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        // The hash of the shards' hashes, a line each: what the manifest says of the whole is not to be believed.
        let shards = manifest["shards"].as_array().unwrap().iter();
        let lines: String = shards.map(|shard| format!("{}\n", shard["sha256"].as_str().unwrap())).collect();
        let list = folder.path().join("shards");
        std::fs::write(&list, lines).unwrap();
        assert_eq!(cat["model_sha256"], site::sha256(&list));
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

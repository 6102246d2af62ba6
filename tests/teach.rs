//! "Teach" in a real Chromium: three classes of five photos, other photos classified, the head saved, the page opened
//! anew, the head opened: the same answers.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tests::browser::{Client, Setup, browse, console_errors};
use tests::command_line::convert_tiny;
use tests::page::{self, Card};
use tests::site;

const SIDE: usize = 64;
const CLASSES: [&str; 3] = ["stripes across", "stripes down", "checks"];

/// A picture of a class's pattern in colours and widths of its own, as a BMP file.
fn bmp(class: usize, number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(b"BM");
    bytes.extend(((54 + SIDE * SIDE * 3) as u32).to_le_bytes());
    bytes.extend([0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
    bytes.extend((SIDE as u32).to_le_bytes());
    bytes.extend((SIDE as u32).to_le_bytes());
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    let width = 5 + number % 4;
    let dark = [number * 37 % 90, number * 53 % 90, number * 71 % 90];
    let light = [160 + number * 41 % 90, 160 + number * 59 % 90, 160 + number * 83 % 90];
    for at in 0..SIDE * SIDE {
        let (x, y) = ((at % SIDE + number) / width, (at / SIDE + 3 * number) / width);
        let on = match class {
            0 => y % 2 == 0,
            1 => x % 2 == 0,
            _ => (x + y) % 2 == 0,
        };
        bytes.extend((if on { light } else { dark }).map(|value| value as u8));
    }
    bytes
}

fn photos(folder: &Path, class: usize, numbers: std::ops::Range<usize>) -> Vec<PathBuf> {
    let write = |number: usize| {
        let path = folder.join(format!("{}-{number}.bmp", CLASSES[class].replace(' ', "-")));
        std::fs::write(&path, bmp(class, number)).unwrap();
        path
    };
    numbers.map(write).collect()
}

/// Opens the panel, names the classes and hands each its photos.
async fn fill(client: &Client, folder: &Path) {
    page::open_teach(client).await;
    page::element(client, "teach-add").await.click().await.unwrap();
    page::until(
        client,
        "three classes",
        "return document.querySelectorAll('[data-testid=teach-class]').length === 3",
    )
    .await;
    let classes = [0, 1, 2].map(|class| (CLASSES[class], photos(folder, class, 0..5)));
    page::fill_classes(client, &classes).await;
}

async fn state(client: &Client, state: &str) {
    let script =
        format!("return document.querySelector('[data-testid=teach-status]')?.dataset.state === '{state}'");
    page::until(client, &format!("the panel is {state}"), &script).await;
}

/// Saves a picture of the panel for the documentation.
async fn picture(client: &Client) {
    let script = "document.querySelector('[data-testid=teach]').scrollIntoView()";
    client.execute(script, vec![]).await.unwrap();
    page::picture(client, "teach").await;
}

/// Every card's best class.
fn best(cards: &[Card]) -> Vec<(String, u64, f64)> {
    let mut best: Vec<_> =
        cards.iter().map(|c| (c.name.clone(), c.predictions[0].index, c.predictions[0].score)).collect();
    best.sort_by(|a, b| a.0.cmp(&b.0));
    best
}

#[test]
fn classes_are_taught_kept_saved_and_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let held_out: Vec<PathBuf> = (0..3).flat_map(|class| photos(folder.path(), class, 10..12)).collect();
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        // The model's own classes first: the switch must answer these photos anew.
        page::pick(client, &held_out).await;
        let imagenet = best(&page::settled(client, 6).await);
        fill(client, folder.path()).await;
        state(client, "ready").await;
        page::element(client, "teach-train").await.click().await.unwrap();
        state(client, "done").await;

        let table = "return [...document.querySelectorAll('[data-testid=teach-confusion] tbody tr')]
            .map(row => [...row.querySelectorAll('td')].map(cell => Number(cell.textContent)))";
        let table = client.execute(table, vec![]).await.unwrap();
        let rows: Vec<u64> = table.as_array().unwrap().iter().map(sum).collect();
        assert_eq!(rows, [5, 5, 5], "each photo was held out once: {table}");
        let right: u64 = (0..3).map(|i| table[i][i].as_u64().unwrap()).sum();
        assert!(right >= 12, "{table}");

        page::until(client, "the photos are answered with the new classes", OWN_ANSWERS).await;
        let taught = best(&page::settled(client, 6).await);
        // Five photos a class of a pattern that no photo shows: not each answer need be right, but most.
        let class_of = |name: &str| CLASSES.iter().position(|c| name.starts_with(&c.replace(' ', "-")));
        let right = taught.iter().filter(|(name, index, _)| class_of(name) == Some(*index as usize)).count();
        assert!(right >= 5, "{taught:?}");

        picture(client).await;
        let href = page::element(client, "teach-export").await.attr("href").await.unwrap().unwrap();
        let (_, base64) = href.split_once("base64,").unwrap();
        let bytes = client
            .execute("return [...atob(arguments[0])].map(c => c.charCodeAt(0))", vec![json!(base64)])
            .await
            .unwrap();
        let bytes: Vec<u8> =
            bytes.as_array().unwrap().iter().map(|byte| byte.as_u64().unwrap() as u8).collect();
        let file = folder.path().join("head.safetensors");
        std::fs::write(&file, bytes).unwrap();

        // Back and forth.
        page::element(client, "teach-use-models").await.click().await.unwrap();
        page::until(client, "ImageNet's classes answer", MODELS_ANSWERS).await;
        assert_eq!(best(&page::settled(client, 6).await), imagenet);
        page::element(client, "teach-use-own").await.click().await.unwrap();
        page::until(client, "the new classes answer", OWN_ANSWERS).await;
        page::settled(client, 6).await;

        // A new visit: storage has kept the head, in use.
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::element(client, "teach-export").await;
        page::pick(client, &held_out).await;
        assert_eq!(best(&page::settled(client, 6).await), taught);

        // A visit without what storage kept: the file brings it back.
        page::element(client, "teach-forget").await.click().await.unwrap();
        page::until(
            client,
            "it is forgotten",
            "return !Object.keys(localStorage).some(key => key.startsWith('beitscope.head'))",
        )
        .await;
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::pick(client, &held_out).await;
        assert_eq!(best(&page::settled(client, 6).await), imagenet);
        let import = page::element(client, "teach-import").await;
        import.send_keys(&file.display().to_string()).await.unwrap();
        page::until(client, "the imported classes answer", OWN_ANSWERS).await;
        assert_eq!(best(&page::settled(client, 6).await), taught);

        // What is no head is refused in words, and nothing else changes.
        let import = page::element(client, "teach-import").await;
        import.send_keys(&held_out[0].display().to_string()).await.unwrap();
        let refused = page::element(client, "teach-refused").await.text().await.unwrap();
        assert!(refused.contains("not a head"), "{refused}");
        assert_eq!(best(&page::settled(client, 6).await), taught);
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

/// Whether nothing of a head is in sight: none to use, none refused.
const NO_HEAD: &str =
    "return !document.querySelector('[data-testid=teach-refused], [data-testid=teach-export]')";

#[test]
fn a_head_waits_in_storage_for_its_own_model() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = folder.path().join("tiny");
    convert_tiny("tiny-absolute", &tiny);
    let mut files = site::model_files(&tiny, "models/tiny");
    files.push(site::list_with(vec![json!({ "manifest": "tiny/manifest.json", "name": "Tiny" })]));
    let server = site::serve_with_files(files);
    let held_out: Vec<PathBuf> = (0..3).flat_map(|class| photos(folder.path(), class, 10..12)).collect();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::pick(client, &held_out).await;
        fill(client, folder.path()).await;
        state(client, "ready").await;
        page::element(client, "teach-train").await.click().await.unwrap();
        page::until(client, "the new classes answer", OWN_ANSWERS).await;
        let taught = best(&page::settled(client, 6).await);

        page::pick_model(client, "tiny/manifest.json").await;
        page::until(client, "the other model's classes answer", MODELS_ANSWERS).await;
        page::until(client, "the head is out of the way", NO_HEAD).await;
        state(client, "ready").await; // It has looked at the photos too, and could be taught.
        page::open(client, &server.url()).await;
        page::pick(client, &held_out).await;
        page::settled(client, 6).await;
        assert_eq!(client.execute(NO_HEAD, vec![]).await.unwrap(), true, "and at the next visit");
        page::pick_model(client, "demo/manifest.json").await;
        page::until(client, "its own model has it back, in use", OWN_ANSWERS).await;
        assert_eq!(best(&page::settled(client, 6).await), taught);

        // As earlier versions kept it: one head, whichever model it was of.
        let unsorted = "const key = Object.keys(localStorage).find((key) => /^beitscope.head.[0-9a-f]{64}$/.test(key));
            const head = localStorage.getItem(key);
            for (const key of Object.keys(localStorage)) if (key.startsWith('beitscope.head')) localStorage.removeItem(key);
            localStorage.setItem('beitscope.head', head);
            localStorage.setItem('beitscope.head.in-use', 'yes');
            return key";
        let key = client.execute(unsorted, vec![]).await.unwrap();
        page::pick_model(client, "tiny/manifest.json").await;
        page::open(client, &server.url()).await;
        page::pick(client, &held_out).await;
        page::settled(client, 6).await;
        assert_eq!(client.execute(NO_HEAD, vec![]).await.unwrap(), true, "no refusal");
        page::pick_model(client, "demo/manifest.json").await;
        page::until(client, "the head from before is in use", OWN_ANSWERS).await;
        let moved =
            "return [localStorage.getItem('beitscope.head'), localStorage.getItem(arguments[0]) !== null]";
        assert_eq!(client.execute(moved, vec![key.clone()]).await.unwrap(), json!([null, true]));

        // A head that storage has damaged is refused, and can be forgotten.
        client.execute("localStorage.setItem(arguments[0], 'AAAA')", vec![key.clone()]).await.unwrap();
        page::open(client, &server.url()).await;
        page::element(client, "teach-refused").await;
        page::element(client, "teach-forget-refused").await.click().await.unwrap();
        page::until(client, "it is forgotten", NO_HEAD).await;
        let gone = client.execute("return localStorage.getItem(arguments[0])", vec![key]).await.unwrap();
        assert_eq!(gone, Value::Null);
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

fn sum(row: &Value) -> u64 {
    row.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum()
}

/// Whether all six cards have their answer, from three classes.
const OWN_ANSWERS: &str = "const cards = [...document.querySelectorAll('[data-testid=photo-card]')];
    return cards.length === 6 && cards.every(card => card.dataset.state === 'done'
        && card.querySelectorAll('[data-testid=prediction]').length === 3)";

/// The same from the model's classes, of which five are listed.
const MODELS_ANSWERS: &str = "const cards = [...document.querySelectorAll('[data-testid=photo-card]')];
    return cards.length === 6 && cards.every(card => card.dataset.state === 'done'
        && card.querySelectorAll('[data-testid=prediction]').length === 5)";

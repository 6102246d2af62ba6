//! The page's import of checkpoints in the words of its test hooks.

use crate::browser::Client;
use crate::{page, site};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Tens of megabytes are sent, quantised without optimised code, and stored.
pub const IMPORTING: Duration = Duration::from_secs(120);

/// The site's list of models: its own, and these references, all by this name, which are the hub's at this address.
/// Each is rounded to 8 bits, or as is said behind a `#`: `hf:OWNER/NAME#q4_0`.
pub fn list(hub: &str, name: &str, references: &[&str]) -> (String, &'static str, Vec<u8>) {
    let entry = |reference: &&str| {
        let (source, quantization) = parts(reference);
        json!({ "source": source, "quantization": quantization, "name": name })
    };
    let (path, content_type, list) = site::list_with(references.iter().map(entry).collect());
    let mut list: Value = serde_json::from_slice(&list).unwrap();
    let is_served = |model: &Value| {
        model["manifest"].is_string() || references.iter().any(|r| model["source"] == parts(r).0)
    };
    list["models"].as_array_mut().unwrap().retain(is_served);
    list["hubs"] = json!({ "hf": hub, "modelscope": hub });
    (path, content_type, list.to_string().into_bytes())
}

/// A reference, and how it is rounded.
fn parts(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, "q8_0"))
}

fn whole(reference: &str) -> String {
    let (source, quantization) = parts(reference);
    format!("{source}#{quantization}")
}

/// The address that stands for an imported model's manifest.
pub fn address(reference: &str) -> String {
    format!("import:{}", whole(reference))
}

/// Picks the model of this reference in the menu, and waits for the question what to do.
pub async fn ask(client: &Client, reference: &str) -> String {
    page::pick_model(client, &whole(reference)).await;
    offered(client).await
}

/// The question's words.
pub async fn offered(client: &Client) -> String {
    page::until(client, "it is offered or refused", OFFERED).await;
    page::element(client, "import-offer").await.text().await.unwrap()
}

const OFFERED: &str =
    "return !!document.querySelector('[data-testid=import-start], [data-testid=import-fault]')";

/// Agrees to what is offered.
pub async fn start(client: &Client) {
    page::click(client, "[data-testid=import-start]").await;
}

/// Waits until the model is in storage, whole, and nothing is left of its import.
pub async fn finished(client: &Client, reference: &str) {
    page::until_within(client, "the model is kept", &finished_script(reference), IMPORTING).await;
}

/// Whether it is so far.
pub async fn is_finished(client: &Client, reference: &str) -> bool {
    client.execute(&finished_script(reference), vec![]).await.expect("no fault") == json!(true)
}

fn finished_script(reference: &str) -> String {
    format!(
        "const fault = document.querySelector('[data-testid=import-fault]');
         if (fault) throw new Error(fault.textContent);
         return {KEYS}.then(keys => keys.includes('manifest?of=' + encodeURIComponent('{}'))
            && !keys.some(key => key.startsWith('piece') || key.startsWith('import')))",
        address(reference)
    )
}

/// A promise of the names of the storage's entries.
const KEYS: &str = "caches.open('beitscope-shards').then(c => c.keys()).then(keys => keys.map(key => key.url.split('/beitscope-shards/')[1]))";

/// The names of the storage's entries that an import leaves until it is finished.
pub async fn unfinished(client: &Client) -> Vec<String> {
    let script = format!(
        "return {KEYS}.then(keys => keys.filter(key => key.startsWith('piece') || key.startsWith('import')))"
    );
    let keys = client.execute(&script, vec![]).await.unwrap();
    keys.as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// Waits until part of an import is in storage. With the second piece the entry that counts them tells of the first.
pub async fn some_is_kept(client: &Client) {
    let script =
        format!("return {KEYS}.then(keys => keys.filter(key => key.startsWith('piece')).length >= 2)");
    page::until_within(client, "part of it is kept", &script, IMPORTING).await;
}

/// SHA-256 and length of every shard in storage and of the model's manifest, by the entry's name.
pub async fn kept(client: &Client) -> BTreeMap<String, (String, u64)> {
    let script = "return (async () => {
        const cache = await caches.open('beitscope-shards');
        const found = [];
        for (const key of await cache.keys()) {
            const name = key.url.split('/beitscope-shards/')[1];
            if (!/^[0-9a-f]{64}$|^manifest/.test(name)) continue;
            const bytes = await (await cache.match(key)).arrayBuffer();
            const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
            found.push([decodeURIComponent(name), [...hash].map(b => b.toString(16).padStart(2, '0')).join(''), bytes.byteLength]);
        }
        return found; })()";
    let found = client.execute(script, vec![]).await.unwrap();
    let entry = |entry: &Value| {
        let text = |i: usize| entry[i].as_str().unwrap().to_owned();
        (text(0), (text(1), entry[2].as_u64().unwrap()))
    };
    found.as_array().unwrap().iter().map(entry).collect()
}

/// The storage has the shards and the manifest of a conversion, byte by byte.
pub async fn same_bytes(client: &Client, reference: &str, folder: &Path) {
    let kept = kept(client).await;
    let mut shards = 0;
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let (hash, bytes) = (site::sha256(&file), fs::metadata(&file).unwrap().len());
        let name = file.file_name().unwrap().to_str().unwrap();
        if name.contains(".gguf-") {
            assert_eq!(kept.get(&hash), Some(&(hash.clone(), bytes)), "{name}");
            shards += 1;
        } else if name == "manifest.json" {
            let entry = kept.get(&format!("manifest?of={}", address(reference)));
            assert_eq!(entry, Some(&(hash, bytes)), "{}", fs::read_to_string(&file).unwrap());
        }
    }
    assert!(shards > 0, "a conversion in {}", folder.display());
}

/// The sentence that says why there is no import.
pub async fn fault(client: &Client) -> String {
    page::until_within(
        client,
        "it is refused",
        "return !!document.querySelector('[data-testid=import-fault]')",
        IMPORTING,
    )
    .await;
    page::element(client, "import-fault").await.text().await.unwrap()
}

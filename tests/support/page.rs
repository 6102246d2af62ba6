//! The page in the words of its test hooks.

use crate::browser::{Client, Element};
use crate::site::root;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a test waits for takes a second or two on an idle machine; this leaves room for a busy one, and none for a
/// page that has become a hundred times slower.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same for a network on a GPU that is imitated on the processor: minutes.
pub const IMITATED_GPU: Duration = Duration::from_secs(240);

/// Opens the site and waits until its wasm has drawn the page.
pub async fn open(client: &Client, url: &str) {
    client.goto(url).await.expect("the page opens");
    element(client, "drop-zone").await;
}

/// The element with this `data-testid`.
pub async fn element(client: &Client, testid: &str) -> Element {
    first(client, &format!("[data-testid={testid}]")).await
}

/// The first element of a CSS selector, once it is there.
async fn first(client: &Client, selector: &str) -> Element {
    let begun = Instant::now();
    loop {
        let found = client.find_all(selector).await.unwrap_or_default();
        if let Some(element) = found.into_iter().next() {
            return element;
        }
        if begun.elapsed() > PATIENCE {
            panic!("no {selector}; the page says: {}", body(client).await);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// All that the page says.
async fn body(client: &Client) -> String {
    let text = client.execute("return document.body.innerText", vec![]).await.unwrap_or_default();
    text.as_str().unwrap_or_default().to_owned()
}

/// Waits until the model answers: the page names its backend.
pub async fn ready(client: &Client) {
    ready_within(client, PATIENCE).await;
}

/// [`ready`], for a model that takes longer.
pub async fn ready_within(client: &Client, patience: Duration) {
    let named = "return !!document.querySelector('[data-testid=backend]')?.textContent.trim()";
    until_within(client, "the model is ready", named, patience).await;
}

/// The instructions or the GPU that the network runs on, which the page has for programs, not for visitors.
pub async fn instructions(client: &Client) -> String {
    element(client, "backend")
        .await
        .attr("data-detail")
        .await
        .expect("the backend's details")
        .unwrap_or_default()
}

/// [`ready_within`], for a model of another origin: agrees to it where the visitor is asked.
pub async fn ready_once_agreed(client: &Client, patience: Duration) {
    let asked = "return !!document.querySelector('[data-testid=agree]')
        || !!document.querySelector('[data-testid=backend]')?.textContent.trim()";
    until_within(client, "the visitor is asked, or the model is known", asked, patience).await;
    client.execute("document.querySelector('[data-testid=agree]')?.click()", vec![]).await.expect("agreed");
    ready_within(client, patience).await;
}

/// Hands photos to the file picker.
pub async fn pick(client: &Client, photos: &[PathBuf]) {
    let paths: Vec<_> = photos.iter().map(|p| p.display().to_string()).collect();
    element(client, "file-input")
        .await
        .send_keys(&paths.join("\n"))
        .await
        .expect("the picker takes the photos");
}

/// Drags photos from the desktop onto the page and lets go.
pub async fn drop_files(client: &Client, photos: &[PathBuf]) {
    let files: Vec<_> = photos.iter().map(|p| p.display().to_string()).collect();
    let dropped = client.drop_files("[data-testid=drop-zone]", &files).await;
    dropped.expect("the page takes what is dropped");
}

/// Pastes a file, as the clipboard gives it after "copy image".
pub async fn paste(client: &Client, photo: &Path, media_type: &str) {
    let bytes: Vec<u8> = std::fs::read(photo).expect("the photo");
    let name = photo.file_name().and_then(|n| n.to_str()).expect("a file name");
    let script = "const [bytes, name, type] = arguments;
        const clipboard = new DataTransfer();
        clipboard.items.add(new File([new Uint8Array(bytes)], name, { type }));
        const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
        // Firefox takes no clipboard from a script in the ordinary way.
        Object.defineProperty(event, 'clipboardData', { value: clipboard });
        document.body.dispatchEvent(event);";
    client
        .execute(script, vec![json!(bytes), json!(name), json!(media_type)])
        .await
        .expect("the page takes a paste");
}

/// Pastes text, such as an address.
pub async fn paste_text(client: &Client, text: &str) {
    let script = "const clipboard = new DataTransfer();
        clipboard.setData('text/plain', arguments[0]);
        const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
        // Firefox takes no clipboard from a script in the ordinary way.
        Object.defineProperty(event, 'clipboardData', { value: clipboard });
        document.body.dispatchEvent(event);";
    client.execute(script, vec![json!(text)]).await.expect("the page takes a paste");
}

/// Clicks the first element of a CSS selector, once it is there.
pub async fn click(client: &Client, selector: &str) {
    first(client, selector).await.click().await.unwrap_or_else(|e| panic!("{selector}: {e}"));
}

/// Opens the menu of models, marks the one whose manifest's address ends so, and presses the button. Returns what
/// the button said.
pub async fn pick_model(client: &Client, manifest: &str) -> String {
    element(client, "models").await;
    let open = "document.querySelector('[data-testid=models]').open = true";
    client.execute(open, vec![]).await.expect("the menu opens");
    click(client, &format!("[data-testid=model-option][data-manifest$='{manifest}'] input")).await;
    let button = element(client, "model-use").await;
    let said = button.text().await.expect("the button's words");
    button.click().await.expect("the button is pressed");
    said
}

/// Names the folder for pictures.
const PICTURES: &str = "BEITSCOPE_PICTURES";

/// Whether [`picture`] saves any.
pub fn wants_pictures() -> bool {
    std::env::var_os(PICTURES).is_some()
}

/// Saves a picture for the documentation, in the folder that `BEITSCOPE_PICTURES` names; without one, does nothing.
pub async fn picture(client: &Client, name: &str) {
    let Some(folder) = std::env::var_os(PICTURES) else { return };
    // What moves in has arrived.
    tokio::time::sleep(Duration::from_millis(800)).await;
    let picture = client.screenshot().await.expect("a picture of the page");
    std::fs::write(root().join(folder).join(format!("{name}.png")), picture).expect("the picture is written");
}

/// Chooses from a drop-down list.
pub async fn choose(client: &Client, testid: &str, value: &str) {
    let list = element(client, testid).await;
    list.select_by_value(value).await.unwrap_or_else(|e| panic!("{testid}: no {value}: {e}"));
}

/// A photo's card as it stands.
#[derive(Debug)]
pub struct Card {
    pub name: String,
    /// `queued`, `running`, `done` or `error`.
    pub state: String,
    pub predictions: Vec<Prediction>,
    /// The sentence on a card without an answer.
    pub error: Option<String>,
    /// The network's milliseconds.
    pub ms: Option<f64>,
}

#[derive(Debug)]
pub struct Prediction {
    pub index: u64,
    pub score: f64,
    /// All that is written: label and percentage. (Not `innerText`: that is empty off the screen.)
    pub text: String,
}

/// All cards, in the page's order.
pub async fn cards(client: &Client) -> Vec<Card> {
    let script = "return [...document.querySelectorAll('[data-testid=photo-card]')].map(card => ({
        name: card.dataset.name, state: card.dataset.state, ms: card.dataset.ms ? Number(card.dataset.ms) : null,
        error: card.querySelector('[data-testid=error]')?.textContent.trim() ?? null,
        predictions: [...card.querySelectorAll('[data-testid=prediction]')].map(p => ({
            index: Number(p.dataset.index), score: Number(p.dataset.score), text: p.textContent })) }))";
    let cards = client.execute(script, vec![]).await.expect("the cards");
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let prediction = |p: &Value| Prediction {
        index: p["index"].as_u64().expect("data-index"),
        score: p["score"].as_f64().expect("data-score"),
        text: text(&p["text"]),
    };
    let card = |c: &Value| Card {
        name: text(&c["name"]),
        state: text(&c["state"]),
        ms: c["ms"].as_f64(),
        error: c["error"].as_str().map(str::to_owned),
        predictions: c["predictions"].as_array().into_iter().flatten().map(prediction).collect(),
    };
    cards.as_array().expect("a list").iter().map(card).collect()
}

/// Waits until `count` cards are there and each has its answer or its sentence.
pub async fn settled(client: &Client, count: usize) -> Vec<Card> {
    settled_within(client, count, PATIENCE).await
}

/// [`settled`], for what takes longer.
pub async fn settled_within(client: &Client, count: usize, patience: Duration) -> Vec<Card> {
    until_within(client, &format!("{count} photos are settled"), &are_settled(count), patience).await;
    cards(client).await
}

/// Waits until so many cards are answered by this model, and returns them.
pub async fn answered_by(client: &Client, model: &str, count: usize) -> Vec<Card> {
    answered_by_within(client, model, count, PATIENCE).await
}

/// [`answered_by`], for what takes longer.
pub async fn answered_by_within(client: &Client, model: &str, count: usize, patience: Duration) -> Vec<Card> {
    made_by_within(client, &format!("{model}, 8-bit"), count, patience).await
}

/// [`answered_by_within`], by a model and its rounding as the cards call them: `NAME, 4-bit`.
pub async fn made_by_within(client: &Client, maker: &str, count: usize, patience: Duration) -> Vec<Card> {
    let script = format!(
        "const cards = [...document.querySelectorAll('[data-testid=photo-card]')];
         return cards.length === {count} && cards.every(card => card.dataset.state === 'done'
             && card.querySelector('[data-testid=maker]')?.textContent.trim() === '{maker}')"
    );
    until_within(client, &format!("{maker} has answered"), &script, patience).await;
    cards(client).await
}

/// A script that returns whether there are so many photos and each has an answer or an error.
pub fn are_settled(count: usize) -> String {
    format!(
        "const cards = [...document.querySelectorAll('[data-testid=photo-card]')];
         return cards.length === {count} && cards.every(c => ['done', 'error'].includes(c.dataset.state))"
    )
}

/// Opens the panel of own classes.
pub async fn open_teach(client: &Client) {
    let open = "document.querySelector('[data-testid=teach] details').open = true";
    client.execute(open, vec![]).await.unwrap();
}

/// Gives each class in the panel, from the first on, a name and photos.
pub async fn fill_classes(client: &Client, classes: &[(&str, Vec<PathBuf>)]) {
    let names = client.find_all("[data-testid=teach-name]").await.unwrap();
    let pickers = client.find_all("[data-testid=teach-photos]").await.unwrap();
    assert!(names.len() >= classes.len() && pickers.len() >= classes.len(), "{} classes", names.len());
    for ((name, picker), (called, photos)) in names.iter().zip(&pickers).zip(classes) {
        name.send_keys(called).await.unwrap();
        let paths: Vec<_> = photos.iter().map(|path| path.display().to_string()).collect();
        picker.send_keys(&paths.join("\n")).await.unwrap();
    }
}

/// Waits until `script` returns true.
pub async fn until(client: &Client, what: &str, script: &str) {
    until_within(client, what, script, PATIENCE).await;
}

/// [`until`], for what takes longer.
pub async fn until_within(client: &Client, what: &str, script: &str, patience: Duration) {
    let begun = Instant::now();
    while client.execute(script, vec![]).await.expect("the script runs") != json!(true) {
        if begun.elapsed() > patience {
            panic!("waited in vain until {what}; the page says: {}", body(client).await);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A line of the diagnostics panel, by its name.
pub async fn diagnosis(client: &Client, name: &str) -> String {
    let script = "const panel = document.querySelector('[data-testid=diagnostics]');
        panel.open = false;
        setTimeout(() => { panel.open = true; });";
    client.execute(script, vec![]).await.expect("the panel opens");
    let read = format!(
        "(document.querySelector('[data-testid=diagnostics] pre')?.textContent ?? '').split('\\n').find((line) => line.startsWith('{name}: '))"
    );
    until(client, "the diagnosis", &format!("return !!{read}")).await;
    let line = client.execute(&format!("return {read}"), vec![]).await.expect("the panel is read");
    line.as_str().and_then(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned()
}

/// The service worker takes the page's next load on, and has kept every file of this site's shell.
pub const SHELL_IS_KEPT: &str = "return (async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    if (registration?.active?.state !== 'activated') return false;
    const names = (await caches.keys()).filter(name => name.startsWith('beitscope-shell'));
    const kept = await Promise.all(names.map(async name => (await caches.open(name)).keys()));
    return kept.flat().filter(({ url }) => url.startsWith(registration.scope)).length > 10;
})()";

/// Asks the server for a new version of the service worker. A tab that doesn't wait for the answer may put it off.
pub const LOOK_FOR_UPDATE: &str =
    "return navigator.serviceWorker.getRegistration().then(r => r.update()).then(() => true)";

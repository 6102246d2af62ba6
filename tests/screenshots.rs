//! Pictures of the page for the README and for judging it: `cargo run -p tests --example screenshots`
//! after `cargo xtask build`. Writes `docs/screenshots/`.

use serde_json::json;
use server::Options;
use std::fs;
use tests::browser::{Client, Setup, browse, devtools};
use tests::{page, site};

const DESKTOP: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

fn main() {
    let folder = site::root().join("docs/screenshots");
    fs::create_dir_all(&folder).expect("the folder for the pictures");
    let server = site::serve();
    let demo = site::root().join("web/models/demo");
    let elsewhere = site::serve_with(Options { cross_origin: true, ..Options::new(demo) });
    for (name, window, dark) in [
        ("desktop-light", DESKTOP, false),
        ("desktop-dark", DESKTOP, true),
        ("phone-light", PHONE, false),
        ("phone-dark", PHONE, true),
    ] {
        let setup = Setup { window, dark, ..Setup::default() };
        browse(setup, async |client| {
            prepare(client, setup).await;
            page::open(client, &server.url()).await;
            page::ready(client).await;
            save(client, &folder.join(format!("{name}-empty.png"))).await;
            let mut photos = ["cat.jpg", "coffee.jpg", "mountain.jpg"].map(site::sample).to_vec();
            photos.push(site::photo("not-a-photo.jpg"));
            page::pick(client, &photos).await;
            page::settled(client, photos.len()).await;
            save(client, &folder.join(format!("{name}.png"))).await;
            page::click(client, "[data-testid=prediction] button").await;
            page::element(client, "heatmap").await;
            save(client, &folder.join(format!("{name}-heatmap.png"))).await;

            let question = format!("{}?model={}manifest.json", server.url(), elsewhere.url());
            page::open(client, &question).await;
            page::element(client, "agree").await;
            save(client, &folder.join(format!("{name}-question.png"))).await;
            page::element(client, "language").await.click().await.expect("the other language");
            page::element(client, "agree").await.click().await.expect("agreed");
            page::ready(client).await;
            let list = "document.querySelector('[data-testid=storage]').scrollIntoView({ block: 'end' })";
            client.execute(list, vec![]).await.expect("the list of models is in sight");
            save(client, &folder.join(format!("{name}-chinese-storage.png"))).await;
        });
    }
}

/// The window's exact size (a headless window has a smaller inside) and the colour scheme.
async fn prepare(client: &Client, setup: Setup) {
    let (width, height) = setup.window;
    let phone = width < 600;
    let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
    devtools(client, "Emulation.setDeviceMetricsOverride", metrics).await;
    let scheme = if setup.dark { "dark" } else { "light" };
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    devtools(client, "Emulation.setEmulatedMedia", media).await;
}

async fn save(client: &Client, path: &std::path::Path) {
    // What moves in has arrived, and previews are drawn.
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    let picture = client.screenshot().await.expect("a picture of the page");
    fs::write(path, picture).expect("the picture is written");
    println!("{}", path.display());
}

//! The camera, played by the browser's own fake device: a snapshot, and the live view.

use serde_json::json;
use tests::browser::{Setup, browse};
use tests::{page, site};

#[test]
fn a_photo_is_taken_and_the_live_view_answers_again_and_again() {
    let server = site::serve();
    browse(Setup { camera: true, ..Setup::default() }, async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::click(client, "[data-testid=camera]").await;
        let playing = "return document.querySelector('[data-testid=live]')?.disabled === false";
        page::until(client, "the camera plays", playing).await;
        page::click(client, "[data-testid=live]").await;
        page::until(client, "it is looked at",
            "return document.querySelectorAll('[data-testid=camera-view] [data-testid=prediction]').length === 5").await;
        client.execute("window.seen = new Set(); setInterval(() => {
            const scores = [...document.querySelectorAll('[data-testid=camera-view] [data-testid=prediction]')].map(p => p.dataset.score);
            window.seen.add(scores.join());
        }, 50)", vec![]).await.unwrap();
        page::until(client, "it is looked at again", "return window.seen.size > 2").await;
        page::click(client, "[data-testid=shoot]").await;
        let cards = page::settled(client, 1).await;
        assert!(cards[0].name.starts_with("camera-") && cards[0].state == "done", "{cards:?}");
        let closed = "return !document.querySelector('[data-testid=camera-view]')";
        assert_eq!(client.execute(closed, vec![]).await.unwrap(), json!(true));
    });
}

#[test]
fn without_a_camera_the_page_says_what_to_do() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::click(client, "[data-testid=camera]").await;
        let sentence = "return document.querySelector('[data-testid=camera-view] [data-testid=error]')?.textContent.trim().endsWith('.') ?? false";
        page::until(client, "there is a sentence", sentence).await;
    });
}

//! A photo that shows none of the model's classes: the page says so above a dimmed list, in both languages, in the large
//! view, in exports and links; `pipeline()` and `<photo-classifier>` say so too.

use serde_json::{Value, json};
use std::path::PathBuf;
use tests::axe::violations;
use tests::browser::{Client, Setup, browse, devtools};
use tests::command_line::{answer, classify, same_answers};
use tests::{page, site};

const ENGLISH: &str = "None of the 200 things it knows, most likely";
const CHINESE: &str = "很可能不是它认识的 200 种事物中的任何一种";

/// A line of one pixel's width, which is no thing at all.
fn no_thing() -> PathBuf {
    site::photo("one-pixel-wide.png")
}

/// What the cards say instead of a class, by the photos' names; and whether their lists are dimmed.
async fn said(client: &Client) -> Value {
    let script = "return Object.fromEntries([...document.querySelectorAll('[data-testid=photo-card]')].map((card) => {
        const sentence = card.querySelector('[data-testid=none-of-these]'), list = card.querySelector('ol');
        const isFirst = sentence && sentence.compareDocumentPosition(list) & Node.DOCUMENT_POSITION_FOLLOWING;
        return [card.dataset.name, [isFirst ? sentence.textContent : null, list.classList.contains('dimmed'), list.ariaLabel]];
    }))";
    client.execute(script, vec![]).await.unwrap()
}

#[test]
fn a_photo_of_none_of_the_classes_gets_no_confident_wrong_word() {
    let photos = [site::sample("cat.jpg"), no_thing()];
    let expected = classify(&photos);
    let is_none = photos.each_ref().map(|photo| answer(&expected, photo)["none_of_these"].clone());
    assert_eq!(is_none, [json!(false), json!(true)], "the command line's answers");
    let server = site::serve();
    for (language, sentence, lists) in [
        ("en", ENGLISH, ["What the network sees", "The likeliest of the things it knows"]),
        ("zh", CHINESE, ["网络的判断", "它认识的事物中最接近的"]),
    ] {
        let dark = language == "zh";
        browse(Setup { dark, ..Setup::default() }, async |client| {
            let scheme = if dark { "dark" } else { "light" };
            let features = json!([
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]);
            devtools(client, "Emulation.setEmulatedMedia", json!({ "features": features })).await;
            page::open(client, &format!("{}?lang={language}", server.url())).await;
            page::pick(client, &photos).await;
            same_answers(&page::settled(client, 2).await, &expected);
            let cards = json!({
                "cat.jpg": [null, false, lists[0]],
                "one-pixel-wide.png": [sentence, true, lists[1]],
            });
            assert_eq!(said(client).await, cards);
            let mut found = violations(client, &format!("{scheme}, none of the classes")).await;

            page::click(client, "[data-name='one-pixel-wide.png'] .open").await;
            page::element(client, "viewer").await;
            let large = "return document.querySelector('[data-testid=viewer] [data-testid=none-of-these]').textContent";
            assert_eq!(client.execute(large, vec![]).await.unwrap(), sentence);
            found.extend(violations(client, &format!("{scheme}, none of the classes, large view")).await);
            assert!(found.is_empty(), "{}", found.join("\n"));
            page::picture(client, &format!("none-of-these-{language}")).await;

            page::click(client, "[data-testid=copy-link]").await;
            page::until(client, "the link", "return location.hash.startsWith('#result=')").await;
            let record =
                "return JSON.parse(decodeURIComponent(location.hash.slice('#result='.length))).none_of";
            assert_eq!(client.execute(record, vec![]).await.unwrap(), 200);
            let address = client.current_url().await.unwrap();
            client.goto("about:blank").await.unwrap();
            client.goto(address.as_str()).await.unwrap();
            page::element(client, "record").await;
            let record = "return document.querySelector('[data-testid=record] [data-testid=none-of-these]').textContent";
            assert_eq!(client.execute(record, vec![]).await.unwrap(), sentence);
        });
    }
}

#[test]
fn other_pages_hear_of_it_too() {
    let bytes = std::fs::read(no_thing()).unwrap();
    let server = site::serve_with_files(vec![("none.png".into(), "image/png", bytes)]);
    browse(Setup::default(), async |client| {
        client.goto(&format!("{}embed/example.html", server.url())).await.unwrap();
        let asked = "const done = arguments[arguments.length - 1];
            (async () => {
                const { pipeline } = await import('./index.js');
                const classify = await pipeline('image-classification', '../models/demo');
                const all = await classify(['../none.png', '../samples/cat.jpg']);
                await classify.dispose();
                return all.map((one) => [one.none_of_these, one.length, Object.keys(one).length, JSON.stringify(one).includes('none')]);
            })().then(done, (error) => done(error.message));";
        let answers = client.execute_async(asked, vec![]).await.unwrap();
        assert_eq!(answers, json!([[true, 5, 5, false], [false, 5, 5, false]]));
        for (photo, language, sentence, list) in [
            ("none.png", "en", ENGLISH, "The likeliest of the things it knows"),
            ("none.png", "zh", CHINESE, "它认识的事物中最接近的"),
            ("samples/cat.jpg", "en", "", "What the network sees"),
        ] {
            let shown = format!(
                "const done = arguments[arguments.length - 1], element = document.querySelector('photo-classifier');
                 (async () => {{
                     element.lang = '{language}';
                     await element.classify('../{photo}');
                     const part = (name) => element.shadowRoot.querySelector(`[part=${{name}}]`);
                     return [part('none-of-these').textContent, part('none-of-these').hidden, part('results').ariaLabel];
                 }})().then(done, (error) => done(error.message));"
            );
            let shown = client.execute_async(&shown, vec![]).await.unwrap();
            assert_eq!(shown, json!([sentence, sentence.is_empty(), list]), "{photo}, {language}");
        }
    });
}

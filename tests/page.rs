//! The page in a real browser: photos in, answers over them.

use serde_json::{Value, json};
use std::time::Duration;
use tests::browser::{Setup, browse, console_errors};
use tests::command_line::{answer, classify};
use tests::page::{self, Card};
use tests::site;

#[test]
fn three_dropped_photos_get_the_answers_of_the_command_line() {
    let photos = ["cat.jpg", "coffee.jpg", "mountain.jpg"].map(site::sample);
    let expected = classify(&photos);
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::drop_files(client, &photos).await;
        let cards = page::settled(client, 3).await;
        for photo in &photos {
            let name = photo.file_name().and_then(|n| n.to_str()).unwrap();
            let card = cards.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no card {name}"));
            same_answer(card, answer(&expected, photo));
            assert!(card.ms.is_some_and(|ms| ms > 0.0), "{name}: data-ms is {:?}", card.ms);
        }
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

/// The same five classes in the same order, the same scores (the kernels give the same bits on every
/// machine; only the softmax may round otherwise), and the label written out.
fn same_answer(card: &Card, expected: &Value) {
    let expected = expected["predictions"].as_array().unwrap_or_else(|| panic!("no answer: {expected}"));
    assert_eq!(expected.len(), 5, "{}", card.name);
    assert_eq!(card.predictions.len(), 5, "{card:?}");
    for (got, expected) in card.predictions.iter().zip(expected) {
        assert_eq!(got.index, expected["index"], "{}: {got:?}, expected {expected}", card.name);
        let score = expected["score"].as_f64().unwrap();
        assert!((got.score - score).abs() < 1e-6, "{}: {got:?}, expected {expected}", card.name);
        let label = expected["label"].as_str().unwrap();
        assert!(
            got.text.contains(label) && got.text.contains('%'),
            "{}: {got:?}, expected {label}",
            card.name
        );
    }
}

#[test]
fn the_picker_and_the_clipboard_lead_to_the_same_answers_as_dropping() {
    let cat = site::sample("cat.jpg");
    let expected = classify(std::slice::from_ref(&cat));
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, std::slice::from_ref(&cat)).await;
        page::settled(client, 1).await;
        page::paste(client, &cat, "image/jpeg").await;
        for card in page::settled(client, 2).await {
            same_answer(&card, &expected[0]);
        }
    });
}

/// Files that are odd but whole, and files that can't be read: each gets its answer or a plain
/// sentence on its own card, the command line's, and the others go on.
#[test]
fn no_file_is_lost_and_none_blocks_the_others() {
    let answered = [
        "one-pixel.png",
        "cmyk.jpg",
        "sixteen-bit.png",
        "animated.gif",
        "animated.webp",
        "thirty-megapixels.jpg",
    ];
    let refused = ["not-a-photo.jpg", "empty.jpg", "truncated.jpg", "bomb.png"];
    let mut photos: Vec<_> = refused.iter().chain(&answered).map(|name| site::photo(name)).collect();
    photos.push(site::sample("cat.jpg"));
    let readable: Vec<_> = photos[refused.len()..].to_vec();
    let expected = classify(&readable);
    let sentences = classify(&photos[..refused.len()]);
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::drop_files(client, &photos).await;
        let cards = page::settled(client, photos.len()).await;
        let card =
            |name: &str| cards.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no card {name}"));
        for name in refused {
            let card = card(name);
            assert_eq!(card.state, "error", "{card:?}");
            assert!(card.predictions.is_empty(), "{card:?}");
            let sentence = card.error.as_deref().unwrap_or_default();
            assert!(sentence.contains(' ') && sentence.ends_with('.'), "{name}: {sentence:?} is no sentence");
            assert_eq!(sentence, answer(&sentences, name.as_ref())["error"], "{name}");
        }
        for photo in &readable {
            let name = photo.file_name().and_then(|n| n.to_str()).unwrap();
            same_answer(card(name), answer(&expected, photo));
        }
    });
}

#[test]
fn the_page_says_what_it_is_doing_and_what_it_runs_on() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        let backend = page::element(client, "backend").await.text().await.unwrap();
        assert!(backend.starts_with("Processor, "), "{backend:?}");
        let status = page::element(client, "status").await.text().await.unwrap();
        assert!(!status.trim().is_empty());
        let text = client.execute("return document.body.innerText", vec![]).await.unwrap();
        assert!(
            text.as_str().unwrap().contains("demo-vit-small-112"),
            "the page names the loaded model: {text}"
        );
        let card = "return [...document.querySelectorAll('a')].map(a => a.href).find(h => h.endsWith('models/demo/README.md'))";
        let card = client.execute(card, vec![]).await.unwrap();
        assert!(card.is_string(), "the page links the model's card");
    });
}

/// Else tests that find no error would say nothing.
#[test]
fn an_error_in_the_page_is_heard() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        assert_eq!(console_errors(client).await, Vec::<String>::new());
        for script in ["console.error('told')", "setTimeout(() => { throw new Error('thrown') })"] {
            client.execute(script, vec![]).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let heard = console_errors(client).await;
        assert_eq!(heard.len(), 2, "{heard:?}");
        assert!(heard[0].contains("told") && heard[1].contains("thrown"), "{heard:?}");
    });
}

/// What a browser draws itself looks foreign, most of all WebKit's controls on GTK.
#[test]
fn every_control_has_the_pages_own_look() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("cat.jpg")]).await;
        page::settled(client, 1).await;
        page::click(client, "[data-testid=prediction] button").await;
        page::element(client, "heatmap").await;
        let kinds =
            "const controls = [...document.querySelectorAll('button, select, input:not([type=file])')];
            const kinds = new Set(controls.map((e) => e.localName === 'input' ? e.type : e.localName));
            return ['button', 'range', 'search', 'select', 'text'].filter((kind) => !kinds.has(kind))";
        assert_eq!(client.execute(kinds, vec![]).await.unwrap(), json!([]), "kinds that are not there");
        let foreign = "return [...document.querySelectorAll('button, select, input:not([type=file])')]
            .filter((e) => getComputedStyle(e).appearance !== 'none').map((e) => e.outerHTML.slice(0, 120))";
        assert_eq!(client.execute(foreign, vec![]).await.unwrap(), json!([]));
    });
}

//! Photos whose decoders are fetched with the first of them: HEIC, JPEG XL and JPEG 2000.

use server::{Disturbance, Options, Record, Request, Server};
use tests::browser::{Setup, browse};
use tests::command_line::{classify, difference};
use tests::{page, site};

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn photo(name: &str) -> PathBuf {
    site::root().join("tests/data/modern-photos").join(name)
}

/// How often the page has asked for each decoder.
fn asked(server: &Server) -> Vec<String> {
    let name = |record: Record| record.target.strip_prefix("/codecs/").map(str::to_owned);
    server.requests().into_iter().filter_map(name).collect()
}

#[test]
fn phones_photos_get_the_command_lines_answers_and_a_picture() {
    let names = [
        "heic-tiles.heic",
        "heic-o6.heic",
        "heic-b10.heic",
        "heic-q20-444.heic",
        "heic-named.jpg",
        "heic-second-of-two.heic",
        "photo.jxl",
        "photo.jp2",
    ];
    let photos = names.map(photo);
    let expected = classify(&photos);
    let server = site::serve_with(Options { record: true, ..Options::new(site::dist()) });
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        // Whoever has no such photo has nothing to fetch.
        page::pick(client, &[site::sample("cat.jpg")]).await;
        page::settled(client, 1).await;
        assert_eq!(asked(&server), [""; 0]);

        page::pick(client, &photos).await;
        let cards = page::settled(client, 1 + photos.len()).await;
        for card in cards.iter().filter(|card| card.name != "cat.jpg") {
            assert_eq!((card.state.as_str(), difference(card, &expected)), ("done", None));
        }
        assert_eq!(asked(&server), ["heic.wasm", "jpeg-xl.wasm", "jpeg-2000.wasm"], "once each");
        for name in names {
            let has_picture = format!(
                "const image = document.querySelector('[data-name=\"{name}\"] img');
                 return !!image && image.complete && image.naturalWidth > 0"
            );
            page::until(client, &format!("{name} has a picture"), &has_picture).await;
        }
        // Upright and whole, though few browsers know the format.
        page::click(client, "[data-name=\"heic-o6.heic\"] .open").await;
        let is_large = "const image = document.querySelector('.stage img');
            return !!image?.complete && image.naturalWidth === 241 && image.naturalHeight === 359";
        page::until(client, "the photo is large", is_large).await;
    });
}

/// The browser decodes them, but not every browser turns and mirrors a picture as the file says, and left to themselves they
/// make other colours of some.
#[test]
fn avif_photos_get_the_command_lines_answers() {
    let names = [
        "avif-1_13_0-limited.avif",
        "avif-alpha.avif",
        "avif-hdr.avif",
        "avif-named.png",
        "avif-orientation-6.avif",
        "avif-q20-420-b8.avif",
        "avif-turn1-mirror0.avif",
    ];
    let photos = names.map(photo);
    let expected = classify(&photos);
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &photos).await;
        for card in page::settled(client, photos.len()).await {
            assert_eq!((card.state.as_str(), difference(&card, &expected)), ("done", None));
        }
        // The card shows what was classified.
        let is_upright =
            "const image = document.querySelector('[data-name=\"avif-turn1-mirror0.avif\"] img');
            return !!image?.complete && image.naturalHeight > image.naturalWidth";
        page::until(client, "the picture is upright", is_upright).await;
    });
}

#[test]
fn a_decoder_that_cannot_be_had_is_told_and_asked_for_again() {
    let is_down = Arc::new(AtomicBool::new(true));
    let disturb = {
        let is_down = is_down.clone();
        move |request: &Request| {
            let refused = is_down.load(Ordering::Relaxed) && request.path().starts_with("/codecs/");
            if !refused {
                return Disturbance::None;
            }
            let (content_type, headers, body) = ("text/plain", vec![], vec![]);
            Disturbance::Answer { status: 503, content_type, headers, body }
        }
    };
    let server = site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(site::dist()) });
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[photo("heic-tiles.heic")]).await;
        let cards = page::settled(client, 1).await;
        let sentence = cards[0].error.clone().unwrap_or_default();
        assert!(
            sentence.contains("a HEIC photo") && sentence.contains("could not be fetched"),
            "{sentence:?}"
        );
        is_down.store(false, Ordering::Relaxed);
        page::click(client, ".failure .button").await;
        let is_done = "return !!document.querySelector('[data-testid=photo-card][data-state=done]')";
        page::until(client, "the photo is answered", is_done).await;
    });
}

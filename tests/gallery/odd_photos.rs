//! Photos that browsers read otherwise than Pillow does, or not at all: the answers are the command line's, and the cards
//! show what the network saw.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tests::browser::{Setup, browse};
use tests::command_line::{answer, classify};
use tests::{page, site};

#[test]
fn odd_photos_get_the_command_lines_answers_and_a_picture_of_what_was_seen() {
    let names = [
        // Browsers show these on their side, or not at all.
        ("jpeg-xmp-orientation-only.jpg", [240, 160]),
        ("png-exif-after-idat.png", [150, 100]),
        ("tiff-palette.tif", [120, 80]),
        ("photo.ppm", [60, 40]),
        ("jpeg-three-scans-baseline.jpg", [240, 160]),
        ("gif-frame-larger-than-screen.gif", [150, 100]),
    ];
    let folder = site::root().join("tests/data/odd-photos");
    let photos: Vec<_> = names.iter().map(|(name, _)| folder.join(name)).collect();
    let expected = classify(&photos);
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &photos).await;
        let cards = page::settled(client, photos.len()).await;
        for card in &cards {
            assert_eq!(card.state, "done", "{cards:?}");
            let best = &answer(&expected, card.name.as_ref())["predictions"][0];
            assert_eq!(card.predictions[0].index, best["index"], "{card:?}");
        }
        let shows = |within: &str, [width, height]: [u32; 2]| {
            format!(
                "const image = document.querySelector('{within} img');
                 return image?.complete && image.naturalWidth === {width} && image.naturalHeight === {height}"
            )
        };
        for (name, size) in names {
            let card = shows(&format!("[data-name=\"{name}\"]"), size);
            page::until(client, &format!("{name} is as it was decoded"), &card).await;
        }
        // The first lies on its side in the browser, the third it can't show at all.
        for at in [0, 2] {
            let (name, size) = names[at];
            page::click(client, &format!("[data-name=\"{name}\"] .open")).await;
            page::until(client, &format!("{name} is large as it was decoded"), &shows(".stage", size)).await;
            page::click(client, "[data-testid=viewer] [data-testid=close]").await;
        }
    });
}

/// A hundred photos after public bug reports of other projects, and what the command line makes of each.
#[test]
fn every_odd_photo_is_answered_as_on_the_command_line_or_gets_a_sentence() {
    let folder = site::root().join("tests/data/odd-photos");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // AVIF is left to the browser, and not every one turns it as its container says.
    let is_compared = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy();
        !name.starts_with("avif") && !name.ends_with(".json") && !name.ends_with(".md")
    };
    let mut photos: Vec<_> = files.filter(is_compared).collect();
    photos.sort();
    let expected = classify(&photos);
    let server = site::serve();
    let mut wrong = Vec::new();
    browse(Setup::default(), async |client| {
        // A few at a time: cards out of sight are not drawn.
        for photos in photos.chunks(9) {
            page::open(client, &server.url()).await;
            page::pick(client, photos).await;
            let cards = page::settled(client, photos.len()).await;
            wrong.extend(cards.iter().filter_map(|card| fault(card, answer(&expected, card.name.as_ref()))));
        }
    });
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), photos.len(), wrong.join("\n"));
}

/// What is wrong with a card, beside what the command line says.
fn fault(card: &page::Card, expected: &Value) -> Option<String> {
    let best = &expected["predictions"][0];
    let (index, score) = (best["index"].as_u64(), best["score"].as_f64().unwrap_or_default());
    let is_right = match (card.predictions.first(), index) {
        (Some(first), Some(index)) => first.index == index && (first.score - score).abs() < 0.01,
        // The browser's decoder knows more.
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => card.error.as_deref().is_some_and(|sentence| sentence.ends_with('.')),
    };
    (!is_right).then(|| format!("{card:?}, expected {expected}"))
}

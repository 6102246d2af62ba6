//! Photos that browsers read otherwise than Pillow does, or not at all: the answers are the command line's, and the cards
//! show what the network saw.

use std::fs;
use std::path::PathBuf;
use tests::browser::{Setup, browse};
use tests::command_line::{classify, difference};
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
    const CUT: &str = "jpeg-last-half-zero.jpg";
    let photos: Vec<_> = names.iter().map(|(name, _)| folder.join(name)).chain([folder.join(CUT)]).collect();
    let expected = classify(&photos);
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &photos).await;
        let cards = page::settled(client, photos.len()).await;
        for card in &cards {
            assert_eq!((card.state.as_str(), difference(card, &expected)), ("done", None));
        }
        let missing = page::element(client, "part-missing").await.text().await.unwrap();
        assert!(missing.contains(" % of this picture is missing"), "{missing}");
        let of =
            "return document.querySelector('[data-testid=part-missing]').closest('[data-name]').dataset.name";
        assert_eq!(client.execute(of, vec![]).await.unwrap(), CUT);
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
    let is_compared = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy();
        !name.ends_with(".json") && !name.ends_with(".md")
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
            wrong.extend(cards.iter().filter_map(|card| difference(card, &expected)));
        }
    });
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), photos.len(), wrong.join("\n"));
}

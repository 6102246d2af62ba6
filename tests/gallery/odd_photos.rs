//! Photos that browsers read otherwise than Pillow does, or not at all: the answers are the command line's, and the cards
//! show what the network saw.

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

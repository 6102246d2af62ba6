//! Photos that browsers read otherwise than Pillow does, or not at all: the answers are the command line's, and the cards
//! show what the network saw.

use tests::browser::{Setup, browse};
use tests::command_line::{answer, classify};
use tests::{page, site};

#[test]
fn odd_photos_get_the_command_lines_answers_and_a_picture_of_what_was_seen() {
    let names = [
        // Browsers show these on their side, or not at all.
        ("jpeg-xmp-orientation-only.jpg", true),
        ("png-exif-after-idat.png", true),
        ("tiff-palette.tif", true),
        ("photo.ppm", true),
        ("jpeg-three-scans-baseline.jpg", false),
        ("gif-frame-larger-than-screen.gif", false),
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
        for (name, as_seen) in names {
            let is_square = format!(
                "const image = document.querySelector('[data-name=\"{name}\"] img');
                 return !!image && image.complete && image.naturalWidth > 0
                     && (image.naturalWidth === image.naturalHeight) === {as_seen}"
            );
            page::until(client, &format!("{name} has the right picture"), &is_square).await;
        }
    });
}

//! A network of the true size in a real Chromium: the converted model in the folder that BEITSCOPE_MODEL names, such as
//! the one of random weights that `cargo xtask test large` makes.

use server::{Options, Server};
use std::env;
use std::path::PathBuf;
use std::time::Duration;
use tests::browser::{Setup, browse, console_errors};
use tests::command_line::{answer, classify_with};
use tests::{page, site};

/// 323 MB are read, checked and packed.
const LOADING: Duration = Duration::from_secs(120);
/// A few seconds a photo.
const ANSWERING: Duration = Duration::from_secs(60);

#[test]
fn the_large_model_answers_in_the_page_as_on_the_command_line() {
    let folder = env::var_os("BEITSCOPE_MODEL")
        .expect("BEITSCOPE_MODEL names a converted model: run `cargo xtask test large`");
    let folder = site::root().join(PathBuf::from(folder));
    let photos = ["cat.jpg", "coffee.jpg"].map(site::sample);
    let expected = classify_with(&folder, &photos);
    let model = Server::start(Options { cross_origin: true, ..Options::new(&folder) }).unwrap();
    let server = site::serve();
    browse(Setup::default(), async |client| {
        // From the network, then from the browser's storage.
        for visit in ["the first visit", "the second visit"] {
            page::open(client, &format!("{}?model={}manifest.json", server.url(), model.url())).await;
            page::ready_once_agreed(client, LOADING).await;
            page::pick(client, &photos).await;
            for card in page::settled_within(client, photos.len(), ANSWERING).await {
                let expected = answer(&expected, card.name.as_ref())["predictions"].as_array().unwrap();
                assert_eq!((card.predictions.len(), expected.len()), (5, 5), "{visit}: {card:?}");
                for (got, expected) in card.predictions.iter().zip(expected) {
                    assert_eq!(got.index, expected["index"], "{visit}: {card:?}");
                    let score = expected["score"].as_f64().unwrap();
                    assert!((got.score - score).abs() < 1e-6, "{visit}: {got:?}, expected {expected}");
                }
            }
            assert_eq!(console_errors(client).await, Vec::<String>::new(), "{visit}");
        }
    });
}

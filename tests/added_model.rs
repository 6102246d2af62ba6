//! `cargo xtask build --model`: the site that visitors get, with a model that was converted for it. The step `release`
//! of `cargo xtask test` builds it.

use serde_json::Value;
use tests::browser::{Setup, browse, console_errors};
use tests::command_line::{classify_with, same_answers};
use tests::{page, site};

#[test]
fn a_model_that_was_put_into_the_site_is_listed_loaded_and_gives_the_command_lines_answers() {
    let list = std::fs::read(site::dist().join(site::LIST)).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    let models = list["models"].as_array().unwrap();
    assert_eq!(models[0]["manifest"], "demo/manifest.json");
    let added = models.last().unwrap();
    assert_eq!((&added["note"], &added["quantization"]), (&"As q8_0.".into(), &"q8_0".into()), "{added}");
    let (manifest, name) = (added["manifest"].as_str().unwrap(), added["name"].as_str().unwrap());
    let photos = ["cat.jpg", "coffee.jpg"].map(site::sample);
    let folder = site::dist().join("models").join(manifest).parent().unwrap().to_owned();
    let expected = classify_with(&folder, &photos);
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::pick_model(client, manifest).await;
        page::pick(client, &photos).await;
        same_answers(&page::answered_by(client, name, photos.len()).await, &expected);
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

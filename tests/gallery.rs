//! Many photos: folders, zip files, addresses, search and order, the queue.

#[path = "gallery/archives.rs"]
mod archives;
#[path = "gallery/modern_photos.rs"]
mod modern_photos;
#[path = "gallery/odd_photos.rs"]
mod odd_photos;
#[path = "gallery/transfers.rs"]
mod transfers;

use serde_json::json;
use server::{Disturbance, Options};
use tests::browser::{Setup, browse};
use tests::{page, site};

#[test]
fn a_zip_file_is_opened_and_a_bad_one_gets_a_sentence() {
    let archives = ["album.zip", "swollen.zip", "truncated.zip"].map(site::archive);
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &archives).await;
        let cards = page::settled(client, 4).await;
        let state = |name: &str| {
            let card = cards.iter().find(|card| card.name == name).unwrap_or_else(|| panic!("no {name}"));
            (card.state.as_str(), card.error.clone().unwrap_or_default())
        };
        assert_eq!(state("stored.jpg").0, "done");
        assert_eq!(state("deflated.jpg").0, "done");
        let scores = |name: &str| {
            let card = cards.iter().find(|card| card.name == name).unwrap();
            card.predictions.iter().map(|p| (p.index, p.score)).collect::<Vec<_>>()
        };
        assert_eq!(scores("stored.jpg"), scores("deflated.jpg"), "they are the same photo");
        assert!(state("swollen.jpg").1.contains("unpacked"), "{cards:?}");
        assert!(state("truncated.zip").1.contains("zip file"), "{cards:?}");
    });
}

#[test]
fn what_only_the_browser_can_decode_is_decoded_by_it() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::photo("picture.avif"), site::photo("picture.heic")]).await;
        let cards = page::settled(client, 2).await;
        let card = |name: &str| cards.iter().find(|card| card.name == name).unwrap();
        assert_eq!(card("picture.avif").state, "done", "{cards:?}");
        let sentence = card("picture.heic").error.clone().unwrap_or_default();
        assert!(sentence.contains("HEIC") && sentence.ends_with('.'), "{sentence:?}");
    });
}

/// Eight files of the same picture, stored in eight ways and marked so.
#[test]
fn previews_are_upright() {
    let photos: Vec<_> =
        (1..=8).map(|way| site::root().join(format!("tests/data/exif/orientation-{way}.jpg"))).collect();
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &photos).await;
        page::settled(client, photos.len()).await;
        page::until(client, "all previews are drawn",
            "return [...document.querySelectorAll('.card img')].filter(i => i.complete && i.naturalWidth).length === 8").await;
        let shapes = "return [...new Set([...document.querySelectorAll('.card img')].map(i => (i.naturalWidth / i.naturalHeight).toFixed(2)))]";
        let shapes = client.execute(shapes, vec![]).await.unwrap();
        assert_eq!(shapes.as_array().unwrap().len(), 1, "width over height: {shapes}");
        let best = page::cards(client).await.iter().map(|card| card.predictions[0].index).collect::<Vec<_>>();
        assert!(best.iter().all(|index| *index == best[0]), "{best:?}");
    });
}

#[test]
fn a_pasted_address_is_fetched_and_a_refusal_explained() {
    let shared = site::serve_with(Options { cross_origin: true, ..Options::new(site::dist()) });
    let closed = site::serve_with(Options {
        isolation: false,
        disturb: Some(Box::new(|_| Disturbance::None)),
        ..Options::new(site::dist())
    });
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        for (at, site) in [(1, &shared), (2, &closed)] {
            page::paste_text(client, &format!("{}samples/coffee.jpg", site.url())).await;
            page::settled(client, at).await;
        }
        let cards = page::cards(client).await;
        assert_eq!((cards[1].state.as_str(), cards[1].name.as_str()), ("done", "coffee.jpg"), "{cards:?}");
        let sentence = cards[0].error.clone().unwrap_or_default();
        assert!(sentence.contains("127.0.0.1") && sentence.contains("does not let"), "{sentence:?}");
    });
}

#[test]
fn photos_are_searched_ordered_and_moved() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &["cat.jpg", "coffee.jpg", "mountain.jpg"].map(site::sample)).await;
        page::settled(client, 3).await;
        let order = async |expected: &[&str]| {
            let script = format!(
                "return JSON.stringify([...document.querySelectorAll('[data-testid=photo-card]')].map(c => c.dataset.name)) === '{}'",
                json!(expected)
            );
            page::until(client, &format!("the order is {expected:?}"), &script).await;
        };
        order(&["cat.jpg", "coffee.jpg", "mountain.jpg"]).await;
        page::choose(client, "order", "confidence").await;
        order(&["coffee.jpg", "mountain.jpg", "cat.jpg"]).await;
        page::choose(client, "order", "own").await;
        let drag = "const cards = document.querySelectorAll('[data-testid=photo-card]'); const dataTransfer = new DataTransfer();
            cards[2].dispatchEvent(new DragEvent('dragstart', { dataTransfer, bubbles: true }));
            cards[0].dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));";
        client.execute(drag, vec![]).await.unwrap();
        order(&["mountain.jpg", "cat.jpg", "coffee.jpg"]).await;
        let nudge = "const card = document.querySelector('[data-testid=photo-card] .open');
            card.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', altKey: true, bubbles: true, cancelable: true }));";
        client.execute(nudge, vec![]).await.unwrap();
        order(&["cat.jpg", "mountain.jpg", "coffee.jpg"]).await;
        page::element(client, "search").await.send_keys("espresso").await.unwrap();
        order(&["coffee.jpg"]).await;
        page::choose(client, "top-k", "10").await;
        page::until(
            client,
            "ten classes are shown",
            "return document.querySelectorAll('[data-testid=prediction]').length === 10",
        )
        .await;
    });
}

/// Only Chromium's drivers can drop and pick a folder.
mod chromium {
    use std::fs;
    use tempfile::TempDir;
    use tests::browser::{Setup, browse};
    use tests::{page, site};

    #[test]
    fn a_folder_is_taken_with_all_below_it() {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("holiday");
        fs::create_dir_all(root.join("first day/morning")).unwrap();
        fs::copy(site::sample("cat.jpg"), root.join("b.jpg")).unwrap();
        fs::copy(site::sample("coffee.jpg"), root.join("first day/morning/deep.jpg")).unwrap();
        fs::write(root.join("notes.txt"), "no photo").unwrap();
        let server = site::serve();
        browse(Setup::default(), async |client| {
            page::open(client, &server.url()).await;
            page::drop_files(client, std::slice::from_ref(&root)).await;
            let cards = page::settled(client, 2).await;
            let names: Vec<_> = cards.iter().map(|card| card.name.as_str()).collect();
            assert_eq!(names, ["b.jpg", "deep.jpg"]);
            assert!(cards.iter().all(|card| card.state == "done"), "{cards:?}");
            let tally = page::element(client, "tally").await.text().await.unwrap();
            assert!(tally.contains("1 file left out"), "{tally}");
        });
    }

    /// Some browsers know no type for HEIC and its like; by its name it is a photo all the same.
    #[test]
    fn picked_folders_take_photos_by_name_too_and_tell_what_they_left_out() {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("animals");
        for class in ["cats", "mountains"] {
            fs::create_dir_all(root.join(class)).unwrap();
        }
        fs::copy(site::sample("cat.jpg"), root.join("cats/b.jpg")).unwrap();
        fs::copy(site::photo("picture.heic"), root.join("cats/a.heic")).unwrap();
        fs::copy(site::sample("mountain.jpg"), root.join("mountains/c.jpg")).unwrap();
        fs::write(root.join("mountains/notes.txt"), "no photo").unwrap();
        let path = root.display().to_string();
        let server = site::serve();
        browse(Setup::default(), async |client| {
            page::open(client, &server.url()).await;
            page::element(client, "folder-input").await.send_keys(&path).await.unwrap();
            let cards = page::settled(client, 3).await;
            let heic = cards.iter().find(|card| card.name == "a.heic").expect("HEIC is not left out");
            assert!(heic.error.as_deref().unwrap_or_default().contains("HEIC"), "{cards:?}");
            let tally = page::element(client, "tally").await.text().await.unwrap();
            assert!(tally.contains("1 file left out"), "{tally}");

            page::open_teach(client).await;
            page::element(client, "teach-folders").await.send_keys(&path).await.unwrap();
            let failure = page::element(client, "teach-failure").await.text().await.unwrap();
            assert!(failure.starts_with("a.heic: ") && failure.contains("HEIC"), "{failure}");
            let left_out = page::element(client, "teach-left-out").await.text().await.unwrap();
            assert!(left_out.contains("1 file left out"), "{left_out}");

            fs::remove_dir_all(root.join("cats")).unwrap();
            fs::remove_file(root.join("mountains/c.jpg")).unwrap();
            page::element(client, "folder-input").await.send_keys(&path).await.unwrap();
            let cards = page::settled(client, 4).await;
            let sentence = cards[0].error.clone().unwrap_or_default();
            assert!(sentence.contains("no photo"), "a folder without photos: {cards:?}");
        });
    }
}

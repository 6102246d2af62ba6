//! Checkpoints from the visitor's disk.

use crate::visit::{self, FILE, Visit};
use std::path::Path;
use tests::browser::{Client, Setup, browse, console_errors};
use tests::command_line::{classify_with, same_answers};
use tests::import::{self, IMPORTING};
use tests::{page, site};

/// Imports the file that `give` hands to the page, and compares with the command line's conversion of it.
fn imports(reference: &'static str, give: impl AsyncFn(&Client, &Path)) {
    let visit = Visit::new();
    let file = reference.trim_start_matches(FILE);
    let path = visit::files().join(file);
    let conversion = visit::conversion(reference);
    let photos = [site::sample("cat.jpg")];
    let expected = classify_with(&conversion, &photos);
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        give(client, &path).await;
        let offer = import::offered(client).await;
        assert!(offer.contains(file) && !offer.contains("127.0.0.1"), "{offer}");
        import::start(client).await;
        import::finished(client, reference).await;
        import::same_bytes(client, reference, &conversion).await;
        page::pick(client, &photos).await;
        same_answers(&page::answered_by_within(client, visit::MODEL, 1, IMPORTING).await, &expected);
        assert_eq!(visit.hub.asked_of_hub(), []);
        assert_eq!(console_errors(client).await, Vec::<String>::new());

        client.refresh().await.unwrap();
        page::pick(client, &photos).await;
        same_answers(&page::answered_by(client, visit::MODEL, 1).await, &expected);
    });
}

async fn pick(client: &Client, path: &Path) {
    client.execute("document.querySelector('[data-testid=models]').open = true", vec![]).await.unwrap();
    page::element(client, "import-file").await.send_keys(path.to_str().unwrap()).await.unwrap();
}

async fn drop_on_page(client: &Client, path: &Path) {
    page::drop_files(client, &[path.to_owned()]).await;
}

#[test]
fn a_safetensors_file_is_picked() {
    imports("file:seeded.safetensors", pick);
}

/// It is a zip archive inside, and yet none of photos.
#[test]
fn a_pth_file_is_dropped() {
    imports("file:seeded.pth", drop_on_page);
}

#[test]
fn either_kind_is_offered_either_way_and_what_is_no_checkpoint_is_told() {
    let visit = Visit::new();
    let folder = tempfile::tempdir().unwrap();
    let no_checkpoint = folder.path().join("cat.safetensors");
    std::fs::copy(site::sample("cat.jpg"), &no_checkpoint).unwrap();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        drop_on_page(client, &visit::files().join("seeded.safetensors")).await;
        assert!(import::offered(client).await.contains("seeded.safetensors"));
        page::click(client, "[data-testid=import-close]").await;
        pick(client, &visit::files().join("seeded.pth")).await;
        assert!(import::offered(client).await.contains("seeded.pth"));
        page::click(client, "[data-testid=import-close]").await;
        pick(client, &no_checkpoint).await;
        let sentence = import::fault(client).await;
        assert!(sentence.contains("can’t be imported"), "{sentence}");
        page::pick(client, &[site::sample("cat.jpg")]).await;
        visit::demo_answers(client, 1).await;
    });
}

//! Checkpoints from the visitor's disk.

use crate::visit::{self, Visit};
use std::path::Path;
use tests::browser::{Client, Setup, browse, console_errors};
use tests::command_line::{classify_with, convert, same_answers};
use tests::import::{self, IMPORTING};
use tests::{page, site};

/// Imports the file that `give` hands to the page, and compares with the command line's conversion of it.
fn imports(file: &str, give: impl AsyncFn(&Client, &Path)) {
    let visit = Visit::new();
    let path = visit::files().join(file);
    let folder = tempfile::tempdir().unwrap();
    convert(path.to_str().unwrap(), "q8_0", &visit.hub.url(), folder.path());
    let photos = [site::sample("cat.jpg")];
    let expected = classify_with(folder.path(), &photos);
    visit.hub.forget();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        give(client, &path).await;
        let offer = import::offered(client).await;
        assert!(offer.contains(file) && !offer.contains("127.0.0.1"), "{offer}");
        import::start(client).await;
        let reference = format!("file:{file}");
        import::finished(client, &reference).await;
        import::same_bytes(client, &reference, folder.path()).await;
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
    imports("seeded.safetensors", pick);
}

#[test]
fn a_safetensors_file_is_dropped() {
    imports("seeded.safetensors", drop_on_page);
}

#[test]
fn a_pth_file_is_picked() {
    imports("seeded.pth", pick);
}

/// It is a zip archive inside, and yet none of photos.
#[test]
fn a_pth_file_is_dropped() {
    imports("seeded.pth", drop_on_page);
}

#[test]
fn a_file_that_is_no_checkpoint_is_told() {
    let visit = Visit::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cat.safetensors");
    std::fs::copy(site::sample("cat.jpg"), &file).unwrap();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        pick(client, &file).await;
        let sentence = import::fault(client).await;
        assert!(sentence.contains("can’t be imported"), "{sentence}");
        page::pick(client, &[site::sample("cat.jpg")]).await;
        visit::demo_answers(client, 1).await;
    });
}

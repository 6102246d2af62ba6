//! Checkpoints that the page itself fetches and quantises: from a hub, from the visitor's disk, through every fault.

#[path = "../crates/checkpoint/tests/checkpoint/support/mod.rs"]
mod checkpoints;
#[path = "import/chromium.rs"]
mod chromium;
#[path = "import/interruptions.rs"]
mod interruptions;
#[path = "import/own_file.rs"]
mod own_file;
#[path = "import/refusals.rs"]
mod refusals;
#[path = "import/seeded_checkpoint.rs"]
mod seeded_checkpoint;
#[path = "import/visit.rs"]
mod visit;

use tests::browser::{Client, Setup, browse, console_errors};
use tests::command_line::{classify_with, same_answers};
use tests::import::{self, IMPORTING};
use tests::{page, site};
use visit::{HUGGING_FACE, MODEL, MODELSCOPE, SLOW, Visit};

#[test]
fn a_visitor_imports_a_model_from_hugging_face_and_needs_no_network_afterwards() {
    let visit = Visit::new();
    let conversion = visit::conversion(HUGGING_FACE);
    let photos = ["cat.jpg", "coffee.jpg"].map(site::sample);
    let expected = classify_with(&conversion, &photos);
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        assert_eq!(visit.hub.asked_of_hub(), [], "nothing is asked of a hub before the visitor wants it");
        let offer = import::ask(client, HUGGING_FACE).await;
        for part in ["45 MB", "12", "127.0.0.1", "Apache-2.0", MODEL, "config.json"] {
            assert!(offer.contains(part), "{part} in {offer:?}");
        }
        import::start(client).await;
        import::finished(client, HUGGING_FACE).await;
        page::pick(client, &photos).await;
        let cards = page::answered_by_within(client, MODEL, photos.len(), IMPORTING).await;
        same_answers(&cards, &expected);
        import::same_bytes(client, HUGGING_FACE, &conversion).await;
        // The first of the two is given up once the header is there, the other one once a part has come.
        let ranges = visit.ranges();
        assert_eq!(ranges[..2], [(None, 200), (None, 200)]);
        assert_eq!(
            ranges[2..].iter().map(|(_, status)| *status).collect::<Vec<_>>(),
            [206, 206],
            "{ranges:?}"
        );
        assert_eq!(console_errors(client).await, Vec::<String>::new());

        visit.hub.forget();
        client.refresh().await.unwrap();
        page::ready(client).await;
        assert_eq!((visit.hub.asked_of_hub(), visit.hub.asked_of_storage()), (vec![], vec![]));
        drop(visit.hub);
        client.refresh().await.unwrap();
        page::pick(client, &photos).await;
        same_answers(&page::answered_by(client, MODEL, photos.len()).await, &expected);
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

#[test]
fn modelscope_gives_the_same_model() {
    let visit = Visit::new();
    let conversion = visit::conversion(MODELSCOPE);
    browse(Setup::THREADS, async |client| {
        visit.import(client, MODELSCOPE).await;
        import::same_bytes(client, MODELSCOPE, &conversion).await;
    });
}

/// Where a browser gives a page no shared memory.
#[test]
fn without_threads_the_files_are_the_same() {
    let visit = Visit::new();
    let conversion = visit::conversion(HUGGING_FACE);
    browse(Setup::THREADS, async |client| {
        page::open(client, &format!("{}?threads=1", visit.site.url())).await;
        page::ready(client).await;
        import::ask(client, HUGGING_FACE).await;
        import::start(client).await;
        import::finished(client, HUGGING_FACE).await;
        import::same_bytes(client, HUGGING_FACE, &conversion).await;
    });
}

#[test]
fn the_old_model_answers_while_a_new_one_comes() {
    let visit = Visit::new();
    visit.hub.set(|behaviour| behaviour.every_transfer = SLOW);
    browse(Setup::THREADS, async |client| {
        visit.begin(client, HUGGING_FACE).await;
        page::element(client, "import-progress").await;
        let photos = ["cat.jpg", "coffee.jpg"].map(site::sample);
        page::pick(client, &photos).await;
        visit::demo_answers(client, photos.len()).await;
        let told =
            "return /\\d MB.*MB\\/s/s.test(document.querySelector('[data-testid=import]')?.innerText ?? '')";
        page::until(client, "bytes and rate are told", told).await;
        import::finished(client, HUGGING_FACE).await;
        page::answered_by_within(client, MODEL, photos.len(), IMPORTING).await;
    });
}

/// A reference or a model's page, written or pasted.
#[test]
fn any_model_of_a_hub_is_offered_by_its_name_and_what_names_none_is_told() {
    let visit = Visit::new();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        look_up(client, "no model").await;
        let sentence = import::fault(client).await;
        assert!(sentence.contains("no model") && sentence.contains("OWNER/NAME"), "{sentence}");
        assert_eq!(visit.hub.asked_of_hub(), []);
        look_up(client, "https://huggingface.co/timm/seeded").await;
        page::element(client, "import-start").await;
        let offer = import::offered(client).await;
        assert!(offer.contains(MODEL) && offer.contains("45 MB"), "{offer}");
    });
}

/// Writes the name of a model into the menu.
async fn look_up(client: &Client, name: &str) {
    let open = "document.querySelector('[data-testid=models]').open = true;
        document.querySelector('[data-testid=import-source]').value = '';";
    client.execute(open, vec![]).await.unwrap();
    page::element(client, "import-source").await.send_keys(name).await.unwrap();
    page::click(client, "[data-testid=import-look-up]").await;
}

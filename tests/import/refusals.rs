//! What can't be imported: each a sentence that says what to do, and nothing is kept.

use crate::visit::{self, HUGGING_FACE, MODELSCOPE, Visit};
use tests::browser::{Client, Setup, browse};
use tests::hub_stand_in::{Behaviour, html_page, lfs_pointer, status};
use tests::import;
use tests::{page, site};

/// Asks for the model, gives the sentence in place of an offer, and closes the panel.
async fn refused(client: &Client, reference: &str) -> String {
    page::pick_model(client, &format!("{reference}#q8_0")).await;
    let sentence = import::fault(client).await;
    let offered =
        client.execute("return !!document.querySelector('[data-testid=import-start]')", vec![]).await;
    assert_eq!(offered.unwrap(), false, "{sentence}");
    page::click(client, "[data-testid=import-close]").await;
    let gone = "return !document.querySelector('[data-testid=import]')";
    page::until(client, "it is gone", gone).await;
    sentence
}

#[test]
fn a_hub_that_does_not_give_the_model_is_told_with_what_to_do() {
    type Change = fn(&mut Behaviour);
    let cases: [(&str, Change, &[&str]); 9] = [
        (
            "sign in",
            |b| b.instead_of_listing = Some(status(401, &[])),
            &["(401)", "timm/seeded", "drop it here"],
        ),
        ("forbidden", |b| b.instead_of_listing = Some(status(403, &[])), &["(403)", "drop it here"]),
        ("not there", |b| b.instead_of_listing = Some(status(404, &[])), &["(404)", "check owner, name"]),
        (
            "too many",
            |b| b.instead_of_listing = Some(status(429, &[("Retry-After", "1000".into())])),
            &["(429)", "Try again"],
        ),
        ("busy storage", |b| b.instead_of_checkpoint = Some(status(503, &[])), &["503", "later"]),
        ("html", |b| b.instead_of_listing = Some(html_page()), &["unexpected"]),
        ("hub without CORS", |b| b.hub_cors = false, &["can’t be reached", "drop it here"]),
        ("storage without CORS", |b| b.storage_cors = false, &["can’t be reached", "drop it here"]),
        ("pointer", |b| b.instead_of_checkpoint = Some(lfs_pointer(&"0a".repeat(32), 45_000_000)), &["."]),
    ];
    let visit = Visit::new();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        for reference in [HUGGING_FACE, MODELSCOPE] {
            for (what, change, parts) in cases {
                visit.hub.set(|behaviour| {
                    *behaviour = Behaviour::default();
                    change(behaviour);
                });
                let sentence = refused(client, reference).await;
                for part in parts {
                    assert!(sentence.contains(part), "{reference}, {what}: {part} in {sentence:?}");
                }
                assert_eq!(import::unfinished(client).await, Vec::<String>::new(), "{what}");
            }
        }
    });
}

/// A hub that is not there.
#[test]
fn without_a_connection_the_visitor_is_told_and_the_old_model_answers() {
    let Visit { hub, site, .. } = Visit::new();
    drop(hub);
    browse(Setup::THREADS, async |client| {
        page::open(client, &site.url()).await;
        page::ready(client).await;
        page::pick_model(client, &format!("{HUGGING_FACE}#q8_0")).await;
        let sentence = import::fault(client).await;
        assert!(sentence.contains("can’t be reached"), "{sentence}");
        page::pick(client, &[site::sample("cat.jpg")]).await;
        visit::demo_answers(client, 1).await;
    });
}

#[test]
fn bytes_that_are_not_the_hubs_are_thrown_away() {
    type Change = fn(&mut Behaviour);
    let cases: [(&str, Change); 2] = [
        ("a byte is altered on the way", |b| b.altered_byte = Some(40_000_001)),
        ("the hub tells another hash", |b| b.told_sha256 = Some("0a".repeat(32))),
    ];
    browse(Setup::THREADS, async |client| {
        for (what, change) in cases {
            let visit = Visit::new();
            visit.hub.set(change);
            visit.begin(client, HUGGING_FACE).await;
            let sentence = import::fault(client).await;
            assert!(sentence.contains("SHA-256") && sentence.contains("thrown away"), "{what}: {sentence}");
            assert_eq!(import::unfinished(client).await, Vec::<String>::new(), "{what}");
            let kept = import::kept(client).await;
            assert!(!kept.keys().any(|name| name.contains("import:")), "{what}: {kept:?}");
            let shards = kept.keys().filter(|name| name.len() == 64).count();
            assert_eq!(shards, 2, "{what}: the demo's alone: {kept:?}");
        }
    });
}

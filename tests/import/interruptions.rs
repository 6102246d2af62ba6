//! Imports that are paused, cut, given up and taken up again: only the rest is fetched where that can be.

use crate::visit::{self, HUGGING_FACE, MODEL, SLOW, Visit};
use server::Disturbance;
use std::time::Duration;
use tests::browser::{Client, Setup, browse, is_webkit};
use tests::import::{self, IMPORTING};
use tests::{page, site};

/// Only the rest of the checkpoint was fetched, in parts. WebKit takes no `Range` along when it is redirected to another
/// origin: it begins to fetch all of it, and asks the storage server itself then.
fn fetched_the_rest(visit: &Visit) {
    let transfers = visit.hub.transfers();
    let parts: Vec<_> = transfers.iter().filter(|record| record.status == 206).collect();
    assert!(!parts.is_empty() && transfers.len() - parts.len() <= usize::from(is_webkit()), "{transfers:?}");
    assert!(!parts[0].range.as_ref().unwrap().starts_with("bytes=0-"), "{transfers:?}");
}

/// Pauses an import, once part of it is kept.
async fn pause(client: &Client) {
    import::some_is_kept(client).await;
    page::click(client, "[data-testid=import-pause]").await;
    page::element(client, "import-resume").await;
}

/// Waits for the end of an import, and compares what is kept with what the command line makes of the checkpoint.
async fn is_the_conversion(client: &Client) {
    import::finished(client, HUGGING_FACE).await;
    import::same_bytes(client, HUGGING_FACE, &visit::conversion(HUGGING_FACE)).await;
}

fn any_speed(visit: &Visit) {
    visit.hub.set(|behaviour| behaviour.every_transfer = Disturbance::None);
}

#[test]
fn a_paused_import_goes_on_with_the_rest() {
    let visit = Visit::new();
    visit.hub.set(|behaviour| behaviour.every_transfer = SLOW);
    browse(Setup::THREADS, async |client| {
        visit.begin(client, HUGGING_FACE).await;
        pause(client).await;
        visit.hub.forget();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(visit.ranges(), [], "nothing is fetched meanwhile");
        any_speed(&visit);
        page::click(client, "[data-testid=import-resume]").await;
        is_the_conversion(client).await;
    });
    fetched_the_rest(&visit);
}

#[test]
fn an_import_whose_tab_was_closed_goes_on_at_the_next_visit() {
    let visit = Visit::new();
    visit.hub.set(|behaviour| behaviour.every_transfer = SLOW);
    browse(Setup::THREADS, async |client| {
        visit.begin(client, HUGGING_FACE).await;
        import::some_is_kept(client).await;
        client.goto(&format!("{}licenses/LICENSE-WordNet.txt", visit.site.url())).await.unwrap();
        any_speed(&visit);
        visit.hub.forget();
        visit.open(client).await;
        page::element(client, "import-resume").await;
        assert_eq!(visit.ranges(), [], "it waits for the visitor");
        page::click(client, "[data-testid=import-resume]").await;
        is_the_conversion(client).await;
    });
    fetched_the_rest(&visit);
}

/// The first response is given up for parts.
fn break_the_first_part(visit: &Visit) {
    visit.hub.set(|behaviour| {
        let breaks = [44_000_000, 20_000_000].map(Disturbance::HangUpAfter);
        behaviour.next_transfers.extend(breaks);
    });
}

#[test]
fn a_connection_that_breaks_once_is_taken_up_without_a_word_from_the_visitor() {
    let visit = Visit::new();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        import::ask(client, HUGGING_FACE).await;
        visit.hub.forget();
        break_the_first_part(&visit);
        import::start(client).await;
        is_the_conversion(client).await;
    });
    let ranges = visit.ranges();
    assert_eq!(ranges[0], (None, 200), "{ranges:?}");
    assert!(ranges.len() >= 3 && ranges[1..].iter().all(|(_, status)| *status == 206), "{ranges:?}");
}

#[test]
fn an_address_that_expires_is_asked_for_again() {
    let visit = Visit::new();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        import::ask(client, HUGGING_FACE).await;
        visit.hub.forget();
        visit.hub.set(|behaviour| behaviour.every_transfer = SLOW);
        import::start(client).await;
        import::some_is_kept(client).await;
        any_speed(&visit);
        visit.hub.expire_addresses();
        is_the_conversion(client).await;
    });
    let statuses: Vec<u16> = visit.ranges().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses[..3], [200, 206, 403], "{statuses:?}");
    // WebKit loses the range once more.
    assert!(statuses[3..].iter().all(|status| *status == 206 || is_webkit()), "{statuses:?}");
    assert_eq!(statuses.last(), Some(&206), "{statuses:?}");
}

#[test]
fn a_connection_that_always_breaks_is_told_and_what_came_is_kept() {
    let visit = Visit::new();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        import::ask(client, HUGGING_FACE).await;
        break_the_first_part(&visit);
        visit.hub.set(|behaviour| behaviour.every_transfer = Disturbance::HangUpAfter(0));
        import::start(client).await;
        let sentence = import::fault(client).await;
        assert!(sentence.contains("127.0.0.1"), "{sentence}");
        assert!(!import::unfinished(client).await.is_empty(), "what came is kept");
        any_speed(&visit);
        visit.hub.forget();
        page::click(client, "[data-testid=import-resume]").await;
        import::finished(client, HUGGING_FACE).await;
    });
    fetched_the_rest(&visit);
}

/// Where the rest can't be had alone, everything is fetched once more, and the page says so.
#[test]
fn an_import_begins_anew_where_the_rest_is_not_to_be_had() {
    type Change = fn(&Visit);
    let cases: [(&str, Change); 2] = [
        ("the host sends no parts", |visit| visit.hub.set(|behaviour| behaviour.range = false)),
        ("the file has another tag", |visit| visit.hub.change_etag()),
    ];
    browse(Setup::THREADS, async |client| {
        for (what, disturb) in cases {
            let visit = Visit::new();
            visit.hub.set(|behaviour| behaviour.every_transfer = SLOW);
            visit.begin(client, HUGGING_FACE).await;
            pause(client).await;
            disturb(&visit);
            visit.hub.forget();
            page::click(client, "[data-testid=import-resume]").await;
            page::element(client, "import-restarted").await;
            is_the_conversion(client).await;
            let ranges = visit.ranges();
            assert!(ranges.iter().any(|(_, status)| *status == 200), "{what}: {ranges:?}");
        }
    });
}

/// `If-Range` always needs a preflight; `Range` alone does not in every browser, and where it does all of the file comes.
#[test]
fn a_host_that_refuses_the_preflight_gives_the_rest_or_all_of_it() {
    let visit = Visit::new();
    visit.hub.set(|behaviour| {
        behaviour.preflight = false;
        behaviour.every_transfer = SLOW;
    });
    browse(Setup::THREADS, async |client| {
        visit.begin(client, HUGGING_FACE).await;
        pause(client).await;
        any_speed(&visit);
        visit.hub.forget();
        page::click(client, "[data-testid=import-resume]").await;
        is_the_conversion(client).await;
    });
    let asked = visit.hub.asked_of_storage();
    assert!(asked.iter().all(|record| record.if_range.is_none()), "{asked:?}");
}

/// Waits until the import's panel has these words.
async fn says(client: &Client, words: &str) {
    let script = format!(
        "return (document.querySelector('[data-testid=import]')?.textContent ?? '').includes('{words}')"
    );
    page::until_within(client, &format!("it says {words:?}"), &script, IMPORTING).await;
}

#[test]
fn a_second_tab_waits_for_the_first_and_fetches_nothing() {
    let visit = Visit::new();
    visit.hub.set(|behaviour| behaviour.every_transfer = SLOW);
    browse(Setup::THREADS, async |client| {
        visit.begin(client, HUGGING_FACE).await;
        page::element(client, "import-pause").await;
        let first = client.tab().await.unwrap();
        client.open_tab().await.unwrap();
        visit.open(client).await;
        import::ask(client, HUGGING_FACE).await;
        visit.hub.forget();
        import::start(client).await;
        says(client, "Another tab").await;
        import::finished(client, HUGGING_FACE).await;
        page::pick(client, &[site::sample("cat.jpg")]).await;
        page::answered_by_within(client, MODEL, 1, IMPORTING).await;
        client.look_at(&first).await.unwrap();
        page::pick(client, &[site::sample("cat.jpg")]).await;
        page::answered_by_within(client, MODEL, 1, IMPORTING).await;
    });
    // An import of its own begins with a request for all of the file; the first goes on with parts.
    let statuses: Vec<_> = visit.ranges().iter().map(|(_, status)| *status).collect();
    assert!(statuses.iter().all(|status| *status == 206), "{:?}", visit.ranges());
}

#[test]
fn a_cancelled_import_leaves_nothing_and_the_old_model_answers() {
    let visit = Visit::new();
    visit.hub.set(|behaviour| behaviour.every_transfer = SLOW);
    browse(Setup::THREADS, async |client| {
        visit.begin(client, HUGGING_FACE).await;
        import::some_is_kept(client).await;
        page::click(client, "[data-testid=import-cancel]").await;
        let gone = "return !document.querySelector('[data-testid=import]')";
        page::until(client, "it is gone", gone).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(import::unfinished(client).await, Vec::<String>::new());
        page::pick(client, &[site::sample("cat.jpg")]).await;
        visit::demo_answers(client, 1).await;
        client.refresh().await.unwrap();
        page::ready(client).await;
        assert_eq!(client.execute(gone, vec![]).await.unwrap(), true, "nor at the next visit");
    });
}

//! A worker that dies in mid-photo, with one thread and with several: the page says so, starts another, and no photo
//! is lost.

use server::Server;
use std::fs;
use tests::browser::{Client, Setup, browse};
use tests::command_line::{answer, classify};
use tests::{page, site};

/// Before the worker's own code: dies over photos whose names say so. One called `poison` is deadly every time,
/// one called `once` the first time. It traps in the network's own program, when that asks for the time between
/// decoding and the network, or it ends without a word, as a browser ends what takes too much memory.
const DIE: &str = "let way;
const before = new BroadcastChannel('deaths');
let died = false;
before.addEventListener('message', ({ data }) => { died = data; });
before.postMessage('have I died?');
self.addEventListener('message', ({ data: [, photo] }) => {
  way = photo?.name?.match(/^(poison|once)-(trap|close)/);
  if (way?.[1] === 'once' && died) way = null;
});
const now = performance.now;
performance.now = function () {
  if (way) {
    before.postMessage('I die');
    const [, , how] = way;
    way = null;
    if (how === 'close') {
      self.addEventListener('error', (event) => event.preventDefault());
      self.close();
    }
    throw new WebAssembly.RuntimeError('unreachable');
  }
  return now.call(performance);
};
";

/// In the page: remembers for the workers whether one of them has died.
const REMEMBER: &str = "window.deaths = new BroadcastChannel('deaths');
    let died = false;
    window.deaths.addEventListener('message', ({ data }) => {
        if (data === 'I die') died = true;
        else window.deaths.postMessage(died);
    });";

fn mortal() -> Server {
    site::serve_with_script_in_workers(DIE.into())
}

const BUILDS: [&str; 2] = ["?worker=simd128", "?worker=simd128-threads&threads=2"];

async fn notice(client: &Client) -> String {
    page::element(client, "notice").await.text().await.unwrap()
}

#[test]
fn the_photo_in_hand_is_looked_at_again_by_another_worker() {
    let folder = tempfile::tempdir().unwrap();
    let cat = site::sample("cat.jpg");
    let expected = classify(&[cat.clone(), site::sample("coffee.jpg"), site::sample("mountain.jpg")]);
    browse(Setup::THREADS, async |client| {
        for build in BUILDS {
            for way in ["trap", "close"] {
                let deadly = folder.path().join(format!("once-{way}.jpg"));
                fs::copy(&cat, &deadly).unwrap();
                let photos = [site::sample("coffee.jpg"), deadly.clone(), site::sample("mountain.jpg")];
                // Of another origin, so nothing is left of the case before.
                let server = mortal();
                page::open(client, &format!("{}{build}", server.url())).await;
                client.execute(REMEMBER, vec![]).await.unwrap();
                page::ready(client).await;
                page::pick(client, &photos).await;
                let cards = page::settled(client, 3).await;
                for card in &cards {
                    assert_eq!(card.state, "done", "{build}, {way}: {cards:?}");
                    let name = if card.name.starts_with("once") { "cat.jpg" } else { &card.name };
                    let best = &answer(&expected, name.as_ref())["predictions"][0];
                    assert_eq!(card.predictions[0].index, best["index"], "{build}, {way}: {card:?}");
                }
                let notice = notice(client).await;
                assert!(notice.contains("stopped unexpectedly 1 time "), "{build}, {way}: {notice:?}");
            }
        }
    });
}

#[test]
fn a_photo_that_kills_every_worker_gets_a_sentence_and_the_queue_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    browse(Setup::THREADS, async |client| {
        for (build, way) in BUILDS.into_iter().zip(["trap", "close"]) {
            let deadly = folder.path().join(format!("poison-{way}.jpg"));
            fs::copy(site::sample("cat.jpg"), &deadly).unwrap();
            let server = mortal();
            page::open(client, &format!("{}{build}", server.url())).await;
            page::ready(client).await;
            page::pick(client, &[deadly, site::sample("coffee.jpg"), site::sample("mountain.jpg")]).await;
            let cards = page::settled(client, 3).await;
            let states: Vec<_> = cards.iter().map(|card| card.state.as_str()).collect();
            assert_eq!(states, ["error", "done", "done"], "{build}: {cards:?}");
            let sentence = cards[0].error.clone().unwrap_or_default();
            assert!(sentence.contains("stopped unexpectedly each time"), "{build}: {sentence:?}");
            let notice = notice(client).await;
            assert!(notice.contains("stopped unexpectedly 3 times"), "{build}: {notice:?}");
        }
    });
}

/// Shared memory may not grow beyond what was set aside, so it may be short where other memory is not.
#[test]
fn a_worker_that_dies_while_it_loads_is_replaced_by_one_without_threads() {
    let server = site::serve_with_script_in_workers(site::DIE_LOADING_WITH_THREADS.into());
    browse(Setup::THREADS, async |client| {
        page::open(client, &format!("{}{}", server.url(), BUILDS[1])).await;
        page::pick(client, &[site::sample("cat.jpg")]).await;
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].state, "done", "{cards:?}");
        let backend = page::element(client, "backend").await.text().await.unwrap();
        let found = (page::instructions(client).await, backend.contains("1 thread"));
        assert_eq!(found, ("simd128".into(), true), "{backend:?}");
        let notice = notice(client).await;
        assert!(notice.contains("stopped unexpectedly 1 time "), "{notice:?}");
    });
}

/// A worker holds its lock until it has ended.
fn as_many_workers(count: usize) -> String {
    format!(
        "navigator.locks.query().then(({{ held }}) => {{
            window.workers = held.filter(({{ name }}) => name.startsWith('beitscope-worker-')).length;
        }});
        return window.workers === {count};"
    )
}

/// Browsers keep a page that is left for the way back: with its network, there would be two of them in memory.
#[test]
fn a_page_that_is_left_ends_its_worker_and_starts_another_on_the_way_back() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        page::until(client, "the worker lives", &as_many_workers(1)).await;
        let leave = "dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));";
        client.execute(leave, vec![]).await.unwrap();
        page::until(client, "the worker has ended", &as_many_workers(0)).await;
        let come_back = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));";
        client.execute(come_back, vec![]).await.unwrap();
        page::pick(client, &[site::sample("cat.jpg")]).await;
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].state, "done", "{cards:?}");
        page::until(client, "another worker lives", &as_many_workers(1)).await;
    });
}

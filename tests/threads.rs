//! The worker's three builds and their threads in a real browser, and isolation on hosts that send no
//! headers for it.

use serde_json::{Value, json};
use server::{Disturbance, Options, Server};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tests::browser::{Client, Setup, browse, console_errors};
use tests::command_line::{answer, classify};
use tests::page::{self, Card};
use tests::site;

fn photos() -> Vec<PathBuf> {
    ["cat.jpg", "coffee.jpg", "mountain.jpg"].map(site::sample).to_vec()
}

/// Opens the page with this query and lets it answer the sample photos.
async fn answers(client: &Client, server: &Server, query: &str) -> Vec<Card> {
    page::open(client, &format!("{}{query}", server.url())).await;
    page::pick(client, &photos()).await;
    page::settled(client, photos().len()).await
}

/// The command line's answers: the same classes, and scores within a millionth.
fn assert_right(cards: &[Card], expected: &[Value], what: &str) {
    for photo in photos() {
        let name = photo.file_name().and_then(|name| name.to_str()).unwrap();
        let card = cards.iter().find(|card| card.name == name).unwrap_or_else(|| panic!("no card {name}"));
        let expected = answer(expected, &photo)["predictions"].as_array().expect("predictions");
        assert_eq!((card.predictions.len(), expected.len()), (5, 5), "{what}: {card:?}");
        for (got, expected) in card.predictions.iter().zip(expected) {
            assert_eq!(got.index, expected["index"], "{what}, {name}: {got:?}, expected {expected}");
            let score = expected["score"].as_f64().unwrap();
            assert!((got.score - score).abs() < 1e-6, "{what}, {name}: {got:?}, expected {expected}");
        }
    }
}

async fn text_of(client: &Client, testid: &str) -> String {
    page::element(client, testid).await.text().await.expect("its text")
}

async fn body(client: &Client) -> String {
    let text = client.execute("return document.body.innerText", vec![]).await.expect("the page's text");
    text.as_str().unwrap_or_default().to_owned()
}

/// The notice about threads, if there is one.
async fn notice(client: &Client) -> Option<String> {
    let script =
        "return document.querySelector('[data-testid=status] [data-testid=notice]')?.innerText ?? null";
    client.execute(script, vec![]).await.expect("the script runs").as_str().map(str::to_owned)
}

async fn is_isolated(client: &Client) -> bool {
    client.execute("return crossOriginIsolated", vec![]).await.ok() == Some(json!(true))
}

/// Holds builds against the command line and, in one browser, against each other, to the last bit. A build: its
/// name, and what the page says of its instructions and threads.
fn assert_alike(builds: &[(&str, &str, &str)]) {
    let expected = classify(&photos());
    let server = site::serve();
    let mut scores = Vec::new();
    browse(Setup::THREADS, async |client| {
        for &(build, detail, threads) in builds {
            let cards = answers(client, &server, &format!("?threads=2&worker={build}")).await;
            assert_right(&cards, &expected, build);
            let backend = text_of(client, "backend").await;
            let instructions = page::instructions(client).await;
            assert!(
                instructions.contains(detail) && backend.contains(threads),
                "{build}: {backend:?}, {instructions:?}"
            );
            let programs = client.execute(PROGRAMS, vec![]).await.expect("the script runs").to_string();
            assert!(programs.contains(&format!("/workers/{build}/worker.js")), "{build}: {programs}");
            assert_eq!(console_errors(client).await, Vec::<String>::new());
            let mut of_build: Vec<_> = cards
                .iter()
                .flat_map(|card| card.predictions.iter().map(|p| (card.name.clone(), p.index, p.score)))
                .collect();
            of_build.sort_by(|a, b| a.partial_cmp(b).unwrap());
            scores.push(of_build);
        }
    });
    assert!(scores.iter().all(|of_build| *of_build == scores[0]), "{scores:?}");
}

/// The addresses of the workers' programs that the page has fetched.
const PROGRAMS: &str =
    "return performance.getEntriesByType('resource').map(e => e.name).filter(n => n.endsWith('/worker.js'))";

const PLAIN: (&str, &str, &str) = ("simd128", "simd128", "1 thread");

#[test]
fn threads_change_no_answer() {
    assert_alike(&[PLAIN, ("simd128-threads", "simd128", "2 threads")]);
}

#[test]
fn the_address_says_how_many_threads() {
    let expected = classify(&photos());
    let server = site::serve();
    browse(Setup::THREADS, async |client| {
        for (query, threads, said) in [
            ("?threads=1", "1 thread", None),
            ("?threads=2", "2 threads", None),
            ("?threads=3", "3 threads", None),
            ("?threads=two", "thread", Some("“two” is no number of threads")),
            ("?threads=1000", "thread", Some("“1000” is no number of threads")),
        ] {
            let cards = answers(client, &server, query).await;
            assert_right(&cards, &expected, query);
            let backend = text_of(client, "backend").await;
            let count = backend.split(['·', ',']).map(str::trim).find(|part| part.contains("thread"));
            let count = count.unwrap_or_default();
            assert!(count.contains(threads), "{query}: {backend:?}");
            if said.is_none() {
                assert_eq!(count, threads, "{query}");
            }
            let notice = notice(client).await;
            assert_eq!(notice.is_some(), said.is_some(), "{query}: {notice:?}");
            assert!(notice.unwrap_or_default().contains(said.unwrap_or_default()), "{query}");
        }
    });
}

#[test]
fn a_build_that_is_not_there_gets_a_sentence() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &format!("{}?worker=avx2", server.url())).await;
        let error = text_of(client, "error").await;
        assert!(error.contains("“avx2”") && error.contains("relaxed-threads"), "{error:?}");
    });
}

#[test]
fn without_isolation_it_runs_on_one_thread_and_says_what_would_help() {
    let expected = classify(&photos());
    let server = site::serve_with(Options { isolation: false, ..Options::new(site::dist()) });
    browse(Setup::default(), async |client| {
        let cards = answers(client, &server, "").await;
        assert_right(&cards, &expected, "not isolated");
        assert!(!is_isolated(client).await);
        let backend = text_of(client, "backend").await;
        assert!(backend.contains("1 thread") && !backend.contains("1 threads"), "{backend:?}");
        let notice = notice(client).await.expect("a notice in the status line");
        for word in ["one of this device’s", "cross-origin isolated"] {
            assert!(notice.contains(word), "{notice:?} lacks {word:?}");
        }
        assert_eq!(console_errors(client).await, Vec::<String>::new());
        // The visitor's own remedy.
        let link =
            client.execute("return document.querySelector('[data-testid=notice] a').href", vec![]).await;
        assert_eq!(link.unwrap(), format!("{}?isolate=1", server.url()));
    });
}

/// WebKit on GTK gives isolated pages no `SharedArrayBuffer`, though it knows the instructions. In the other browsers
/// a script takes it away.
#[test]
fn without_memory_to_share_it_runs_on_one_thread_and_says_why() {
    let expected = classify(&photos());
    let html = std::fs::read_to_string(site::dist().join("index.html")).expect("the page");
    let answer = |content_type, body: &str| Disturbance::Answer {
        status: 200,
        content_type,
        headers: vec![],
        body: body.as_bytes().to_vec(),
    };
    let disturb = move |request: &server::Request| match request.path() {
        "/" => {
            let script = r#"<head><script src="take-away.js"></script>"#;
            answer("text/html; charset=utf-8", &html.replace("<head>", script))
        }
        "/take-away.js" => answer("text/javascript", "delete globalThis.SharedArrayBuffer;"),
        _ => Disturbance::None,
    };
    let server = site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(site::dist()) });
    browse(Setup::default(), async |client| {
        let cards = answers(client, &server, "").await;
        assert_right(&cards, &expected, "nothing to share");
        assert!(is_isolated(client).await);
        let backend = text_of(client, "backend").await;
        assert!(backend.contains("1 thread") && !backend.contains("1 threads"), "{backend:?}");
        let notice = notice(client).await.expect("a notice in the status line");
        assert!(notice.contains("this browser gives pages no memory that threads can share"), "{notice:?}");
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

/// Waits until the page is isolated; it may be loaded anew meanwhile.
async fn until_isolated(client: &Client) {
    let begun = Instant::now();
    while !is_isolated(client).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "never isolated: {}", body(client).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn page_loads(server: &Server, prefix: &str) -> usize {
    let is_page = |target: &str| target.split('?').next() == Some(prefix);
    server.requests().iter().filter(|request| is_page(&request.target)).count()
}

#[test]
fn a_service_worker_isolates_the_page_where_the_visitor_asks_for_it() {
    let expected = classify(&photos());
    let server = site::serve_with(Options {
        prefix: "/sub/path/".into(),
        isolation: false,
        record: true,
        ..Options::new(site::dist())
    });
    browse(Setup::THREADS, async |client| {
        client.goto(&format!("{}?isolate=1", server.url())).await.expect("the page opens");
        until_isolated(client).await;
        client.listen().await.expect("the page that it has loaded anew is heard");
        page::ready(client).await;
        // The second time the service worker may have the page itself.
        let loads = page_loads(&server, "/sub/path/");
        assert!((1..=2).contains(&loads), "loaded anew once: {:?}", server.requests());
        page::pick(client, &photos()).await;
        let cards = page::settled(client, photos().len()).await;
        assert_right(&cards, &expected, "isolated by the service worker");
        let cores = client.execute("return navigator.hardwareConcurrency", vec![]).await.unwrap();
        let threads = cores.as_u64().unwrap().min(16);
        let backend = text_of(client, "backend").await;
        assert!(backend.contains(&format!("{threads} thread")), "{backend:?}");
        assert_eq!(notice(client).await, None);
        assert_eq!(console_errors(client).await, Vec::<String>::new());

        // From now on it needs no asking, and taking it back lasts.
        page::open(client, &server.url()).await;
        assert!(is_isolated(client).await, "the next visit");
        page::open(client, &format!("{}?isolate=0", server.url())).await;
        page::ready(client).await;
        page::open(client, &server.url()).await;
        assert!(!is_isolated(client).await, "taken back");
    });
}

#[test]
fn whoever_hosts_the_page_can_opt_in_by_a_line_of_it() {
    let html = std::fs::read_to_string(site::dist().join("index.html")).expect("the page");
    let opted_in = html.replace("<head>", r#"<head><meta name="isolation" content="service-worker">"#);
    assert_ne!(html, opted_in);
    let disturb = move |request: &server::Request| match request.path() {
        "/" => Disturbance::Answer {
            status: 200,
            content_type: "text/html; charset=utf-8",
            headers: vec![],
            body: opted_in.clone().into_bytes(),
        },
        _ => Disturbance::None,
    };
    let disturb = Some(Box::new(disturb) as server::Disturb);
    let server = site::serve_with(Options { isolation: false, disturb, ..Options::new(site::dist()) });
    browse(Setup::THREADS, async |client| {
        client.goto(&server.url()).await.expect("the page opens");
        until_isolated(client).await;
        page::ready(client).await;
        assert_eq!(notice(client).await, None);
    });
}

#[test]
fn a_service_worker_that_does_not_isolate_makes_no_loop() {
    let disturb = |request: &server::Request| match request.path() {
        "/service-worker.js" => Disturbance::Answer {
            status: 200,
            content_type: "text/javascript",
            headers: vec![],
            body: b"// It does nothing.".to_vec(),
        },
        _ => Disturbance::None,
    };
    let server = site::serve_with(Options {
        isolation: false,
        record: true,
        disturb: Some(Box::new(disturb)),
        ..Options::new(site::dist())
    });
    browse(Setup::default(), async |client| {
        client.goto(&format!("{}?isolate=1", server.url())).await.expect("the page opens");
        let loaded_anew = async || page_loads(&server, "/") >= 2;
        let begun = Instant::now();
        while !loaded_anew().await {
            assert!(begun.elapsed() < Duration::from_secs(60), "never loaded anew");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        page::ready(client).await;
        assert_eq!(page_loads(&server, "/"), 2, "loaded anew once, and no more");
        let notice = notice(client).await.expect("a notice");
        assert!(notice.contains("cross-origin isolated"), "{notice:?}");
        client.refresh().await.expect("loads again");
        page::ready(client).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(page_loads(&server, "/"), 3, "the visitor's own reload is no reason for another");
    });
}

/// A server that lacks the files whose addresses end so.
fn without(ending: &'static str) -> Server {
    let disturb = move |request: &server::Request| match request.path().ends_with(ending) {
        true => Disturbance::Answer {
            status: 404,
            content_type: "text/plain",
            headers: vec![],
            body: b"not here".to_vec(),
        },
        false => Disturbance::None,
    };
    site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(site::dist()) })
}

#[test]
fn a_build_that_does_not_start_is_stood_in_for_by_the_plainest() {
    let expected = classify(&photos());
    let server = without("-threads/glue_bg.wasm");
    browse(Setup::THREADS, async |client| {
        let cards = answers(client, &server, "?threads=2").await;
        assert_right(&cards, &expected, "stand-in");
        let backend = text_of(client, "backend").await;
        let found = (page::instructions(client).await, backend.contains("1 thread"));
        assert_eq!(found, ("simd128".into(), true), "{backend:?}");
        assert!(body(client).await.contains("A faster program could not be started"));
    });
}

#[test]
fn threads_that_do_not_start_are_told_and_done_without() {
    let expected = classify(&photos());
    let server = without("-threads/helper.js");
    browse(Setup::THREADS, async |client| {
        let cards = answers(client, &server, "?threads=3").await;
        assert_right(&cards, &expected, "without helpers");
        let backend = text_of(client, "backend").await;
        assert!(backend.contains("1 thread"), "{backend:?}");
        let notice = notice(client).await.expect("a notice");
        assert!(notice.contains("1 of 3 threads"), "{notice:?}");
    });
}

/// A browser is asked, by validating small modules, and not known by name: one that learns relaxed SIMD takes that build
/// of a site that was published before.
#[test]
fn a_browser_that_learns_relaxed_simd_takes_that_build() {
    let server = site::serve();
    browse(Setup::THREADS, async |client| {
        page::open(client, &server.url()).await;
        // The probe for relaxed SIMD is the one with the instruction 0xfd 0x112.
        let ask = "const [knows] = arguments, validate = WebAssembly.validate;
            WebAssembly.validate = (module) =>
                [...module].join().includes('253,146,2') ? knows : validate(module);
            return import('./embed/worker-builds.js')
                .then(({ plan }) => plan(null, 2).build)
                .finally(() => { WebAssembly.validate = validate; })";
        for (knows, expected) in [(false, &["simd128", "simd128-threads"][..]), (true, &["relaxed-threads"])]
        {
            let build = client.execute(ask, vec![json!(knows)]).await.expect("the script runs");
            assert!(expected.contains(&build.as_str().unwrap_or_default()), "{knows}: {build:?}");
        }
    });
}

/// WebKit knows no relaxed SIMD.
mod chromium_and_firefox {
    use super::{PLAIN, assert_alike};

    #[test]
    fn relaxed_simd_changes_no_answer() {
        // It has all forms of the products, and takes the one that it finds fastest.
        assert_alike(&[PLAIN, ("relaxed-threads", "", "2 threads")]);
    }
}

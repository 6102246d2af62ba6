//! The two scripts that choose, start and watch a worker, for the page and for other pages, with a browser's workers,
//! clock and locks imitated. The tests are in JavaScript.

use super::{EXAMPLE, run};
use serde_json::json;
use tests::browser::{Setup, browse};
use tests::site;

#[test]
fn workers_are_chosen_replaced_and_missed() {
    let tests = std::fs::read(site::root().join("tests/data/embed/worker-tests.mjs")).expect("the tests");
    let server = site::serve_with_files(vec![(
        "embed/worker-tests.js".into(),
        "text/javascript; charset=utf-8",
        tests,
    )]);
    browse(Setup::default(), async |client| {
        client.goto(&format!("{}{EXAMPLE}", server.url())).await.unwrap();
        let failures = "return (await import('./worker-tests.js')).run(new URL('.', location.href))";
        assert_eq!(run(client, failures).await, json!([]));
    });
}

#[test]
fn a_worker_that_dies_while_it_loads_is_replaced_by_one_without_threads() {
    let server = site::serve_with_script_in_workers(site::DIE_LOADING_WITH_THREADS.into());
    browse(Setup::THREADS, async |client| {
        client.goto(&format!("{}{EXAMPLE}", server.url())).await.unwrap();
        let outcome = "const classify = await pipeline('image-classification');
            const [{ label }] = await classify('../samples/cat.jpg');
            return { build: classify.build, threads: classify.backend.threads, answered: label !== '' }";
        let expected = json!({ "build": "simd128", "threads": 1, "answered": true });
        assert_eq!(run(client, outcome).await, expected);
    });
}

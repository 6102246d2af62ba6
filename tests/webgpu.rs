//! The network on WebGPU in a real browser, whose only adapter imitates a GPU on the processor.

use serde_json::Value;
use server::{Disturbance, Options};
use std::fs;
use tests::browser::{Client, Setup, browse};
use tests::command_line::{answer, classify};
use tests::page::{self, Card};
use tests::site;

const WEBGPU: Setup = Setup { webgpu: true, ..Setup::DEFAULT };

/// The same five classes in the same order. Sums are in another order than the processor's, so scores differ
/// a little.
fn same_classes(card: &Card, expected: &Value) {
    assert_eq!(card.state, "done", "{card:?}");
    let expected = expected["predictions"].as_array().unwrap();
    for (got, expected) in card.predictions.iter().zip(expected) {
        assert_eq!(got.index, expected["index"], "{card:?}, expected {expected}");
        assert!(
            (got.score - expected["score"].as_f64().unwrap()).abs() < 1e-2,
            "{got:?}, expected {expected}"
        );
    }
}

async fn backend(client: &Client) -> String {
    page::element(client, "backend").await.text().await.unwrap()
}

async fn says(client: &Client, words: &str) {
    let script = format!("return document.body.innerText.includes({words:?})");
    page::until(client, &format!("the page says {words:?}"), &script).await;
}

#[test]
fn on_webgpu_the_answers_are_those_of_the_processor() {
    let photos = ["cat.jpg", "rocket.jpg"].map(site::sample);
    let expected = classify(&photos);
    let server = site::serve();
    browse(WEBGPU, async |client| {
        page::open(client, &format!("{}?backend=webgpu", server.url())).await;
        page::pick(client, &photos).await;
        for card in page::settled(client, 2).await {
            same_classes(&card, answer(&expected, card.name.as_ref()));
        }
        assert!(backend(client).await.contains("WebGPU"), "{}", backend(client).await);
        says(client, "would take about").await;
    });
}

#[test]
fn an_imitated_gpu_is_not_chosen_and_none_at_all_is_no_harm() {
    let server = site::serve();
    for (setup, query, why) in
        [(WEBGPU, "", "imitates one"), (Setup::default(), "?backend=webgpu", "The GPU is not used")]
    {
        browse(setup, async |client| {
            page::open(client, &format!("{}{query}", server.url())).await;
            page::pick(client, &[site::sample("cat.jpg")]).await;
            assert_eq!(page::settled(client, 1).await[0].state, "done");
            assert!(backend(client).await.contains("CPU"), "{}", backend(client).await);
            says(client, why).await;
        });
    }
}

/// Before the worker's own code: loses the GPU in the middle of the next photo whenever the page asks so.
const LOSE: &str = "let device, armed = false;
new BroadcastChannel('lose-gpu').addEventListener('message', () => { armed = true; });
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...options) {
  return (device = await request.apply(this, options));
};
const submit = GPUQueue.prototype.submit;
GPUQueue.prototype.submit = function (...commands) {
  submit.apply(this, commands);
  if (armed) { armed = false; device.destroy(); }
};
";

#[test]
fn a_gpu_that_is_lost_costs_no_photo() {
    let cat = site::sample("cat.jpg");
    let expected = classify(std::slice::from_ref(&cat));
    let disturb = |request: &server::Request| match request.path().strip_suffix("/worker.js") {
        Some(folder) => {
            let path = site::dist().join(folder.trim_start_matches('/')).join("worker.js");
            let body = [LOSE.as_bytes(), &fs::read(path).unwrap()].concat();
            Disturbance::Answer { status: 200, content_type: "text/javascript", headers: vec![], body }
        }
        None => Disturbance::None,
    };
    let server = site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(site::dist()) });
    browse(WEBGPU, async |client| {
        page::open(client, &format!("{}?backend=webgpu", server.url())).await;
        page::ready(client).await;
        for (photos, why) in [(1, "failed once and is used again"), (2, "not used any more")] {
            let lose = "new BroadcastChannel('lose-gpu').postMessage(true)";
            client.execute(lose, vec![]).await.unwrap();
            page::pick(client, std::slice::from_ref(&cat)).await;
            for card in page::settled(client, photos).await {
                same_classes(&card, &expected[0]);
            }
            says(client, why).await;
        }
        assert!(backend(client).await.contains("CPU"), "the second time the processor stays");
    });
}

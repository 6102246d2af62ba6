//! onnxruntime-web on the same network (`tools/bench-peers/make.sh`), in the same browser.

use serde_json::json;
use server::{Disturbance, Options, Server};
use std::path::Path;
use tests::browser::Client;

const PAGE: &str = "peer.html";

/// What it computes with.
#[derive(Clone, Copy)]
pub enum Provider {
    Wasm { threads: usize },
    WebGpu,
}

impl Provider {
    /// The form of BEiTv2-large that suits it.
    pub fn own_model(self) -> &'static str {
        match self {
            Self::Wasm { .. } => "beitv2_large_int8.onnx",
            // Its WebGPU has no integer products.
            Self::WebGpu => "beitv2_large_f32.onnx",
        }
    }
}

/// The contender's name and the address of its page, with `model`.
pub fn contender(server: &str, provider: Provider, model: &str) -> (String, String) {
    let (library, name, threads, what) = match provider {
        Provider::Wasm { threads } => ("ort.wasm.min.mjs", "wasm", threads, format!("{threads} threads")),
        Provider::WebGpu => ("ort.webgpu.min.mjs", "webgpu", 1, "WebGPU".into()),
    };
    let address = format!("{server}{PAGE}?library={library}&provider={name}&model={model}&threads={threads}");
    (format!("onnxruntime-web {model}, {what}"), address)
}

/// The folder with the model and `node_modules`, and the page that uses them.
pub fn serve(folder: &Path) -> Server {
    let disturb = |request: &server::Request| match request.path().ends_with(PAGE) {
        true => Disturbance::Answer {
            status: 200,
            content_type: "text/html",
            headers: vec![],
            body: b"<!doctype html><title>peer</title>".to_vec(),
        },
        false => Disturbance::None,
    };
    let options = Options { disturb: Some(Box::new(disturb)), ..Options::new(folder) };
    Server::start(options).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// Seconds from fetching the weights to the first answer, and milliseconds of each further one.
pub async fn run(client: &Client, address: &str, photos: usize) -> (f64, Vec<f64>) {
    client.goto(address).await.expect("the peer's page opens");
    let script = "const [photos, done] = arguments;
        (async () => {
            const dist = new URL('node_modules/onnxruntime-web/dist/', location).href;
            const begun = performance.now();
            const given = new URLSearchParams(location.search);
            const ort = await import(dist + given.get('library'));
            ort.env.wasm.wasmPaths = dist;
            ort.env.wasm.numThreads = Number(given.get('threads'));
            const get = async (name) => (await fetch(name)).arrayBuffer();
            const bytes = new Uint8Array(await get(given.get('model')));
            const session = await ort.InferenceSession.create(bytes, { executionProviders: [given.get('provider')] });
            const pixels = new Float32Array(await get('inputs.f32')), one = 3 * 224 * 224;
            const run = async (at) => {
                const input = pixels.slice(at * one, (at + 1) * one);
                const before = performance.now();
                await session.run({ pixel_values: new ort.Tensor('float32', input, [1, 3, 224, 224]) });
                return performance.now() - before;
            };
            await run(0);
            const first = (performance.now() - begun) / 1000;
            const steady = [];
            for (let at = 1; at <= photos; at++) steady.push(await run(at % 8));
            done([first, steady]);
        })().catch((error) => done(String(error)));";
    let result = client.execute_async(script, vec![json!(photos)]).await.expect("the peer runs");
    let first = result[0].as_f64().unwrap_or_else(|| panic!("the peer failed: {result}"));
    let steady = result[1].as_array().into_iter().flatten().filter_map(|ms| ms.as_f64()).collect();
    (first, steady)
}

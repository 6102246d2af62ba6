//! The network on WebGPU in a real browser, whose only adapter imitates a GPU on the processor.

use serde_json::Value;
use server::{Options, Server};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};
use tests::browser::{Client, Setup, browse};
use tests::command_line::{answer, classify, convert_tiny};
use tests::page::{self, Card, IMITATED_GPU};
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
    page::until_within(client, &format!("the page says {words:?}"), &script, IMITATED_GPU).await;
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
            assert_eq!(page::settled_within(client, 1, IMITATED_GPU).await[0].state, "done");
            assert!(backend(client).await.contains("Processor"), "{}", backend(client).await);
            says(client, why).await;
        });
    }
}

/// Before the worker's own code: loses the GPU in the middle of the next photo whenever the page asks so, and counts
/// pipelines, readbacks and bytes of wasm's memory.
const HOOKS: &str = "let device, armed = false, ahead = 0, pipelines = 0, readbacks = 0;
const memories = [];
const channel = new BroadcastChannel('gpu-hooks');
channel.addEventListener('message', ({ data }) => {
  if (data === 'lose') armed = true;
  if (data !== 'count') return;
  const bytes = memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
  channel.postMessage({ ahead, pipelines, readbacks, bytes });
});
const after = (prototype, name, then) => {
  const original = prototype[name];
  prototype[name] = function (...given) {
    const result = original.apply(this, given);
    then(result);
    return result;
  };
};
after(GPUAdapter.prototype, 'requestDevice', async (promise) => { device = await promise; });
after(GPUDevice.prototype, 'createComputePipelineAsync', async (promise) => { await promise; ahead += 1; });
after(GPUDevice.prototype, 'createComputePipeline', () => { pipelines += 1; });
after(GPUBuffer.prototype, 'mapAsync', () => { readbacks += 1; });
after(GPUQueue.prototype, 'submit', () => { if (armed) { armed = false; device.destroy(); } });
const { Memory, instantiate, instantiateStreaming } = WebAssembly;
WebAssembly.Memory = class extends Memory {
  constructor(...given) { super(...given); memories.push(this); }
};
for (const [name, original] of Object.entries({ instantiate, instantiateStreaming })) {
  WebAssembly[name] = async (...given) => {
    const made = await original.apply(WebAssembly, given);
    const memory = (made.instance ?? made).exports.memory;
    if (memory && !memories.includes(memory)) memories.push(memory);
    return made;
  };
}
";

/// Before the worker's own code: the adapter seems to be of silicon, without F16, and each pass to take so many
/// milliseconds.
fn fast_gpu(ms: f64) -> String {
    format!(
        "Object.defineProperty(GPUAdapter.prototype, 'info', {{ get: () => ({{ vendor: 'acme', architecture: 'quick',
  device: '', description: 'Acme 9000', isFallbackAdapter: false }}) }});
const {{ features }} = Object.getOwnPropertyDescriptors(GPUAdapter.prototype);
Object.defineProperty(GPUAdapter.prototype, 'features', {{ get() {{
  return new Set([...features.get.call(this)].filter((feature) => feature !== 'shader-f16'));
}} }});
const now = performance.now.bind(performance);
const {{ mapAsync }} = GPUBuffer.prototype, {{ createCommandEncoder }} = GPUDevice.prototype;
const later = self.setTimeout;
let hidden = 0, begun = null;
// Whoever waits for it for a minute has to wait for longer.
self.setTimeout = (then, ms, ...given) => later(then, ms >= 30_000 ? 60 * ms : ms, ...given);
performance.now = () => now() - hidden;
GPUDevice.prototype.createCommandEncoder = function (...given) {{
  begun ??= now();
  return createCommandEncoder.apply(this, given);
}};
GPUBuffer.prototype.mapAsync = async function (...given) {{
  await mapAsync.apply(this, given);
  hidden += Math.max(0, now() - (begun ?? now()) - {ms});
  begun = null;
}};
"
    )
}

/// The site with [`HOOKS`] in its workers.
fn hooked() -> Server {
    site::serve_with_script_in_workers(HOOKS.into())
}

/// What [`HOOKS`] counted so far.
#[derive(Debug)]
struct Counts {
    /// Pipelines that the browser compiled beside everything else.
    ahead: u64,
    pipelines: u64,
    readbacks: u64,
    /// Of wasm's memory.
    bytes: u64,
}

async fn counts(client: &Client) -> Counts {
    let ask = "const done = arguments[0], channel = new BroadcastChannel('gpu-hooks');
        channel.addEventListener('message', ({ data }) => done(data));
        channel.postMessage('count');";
    let counts = client.execute_async(ask, vec![]).await.unwrap();
    let number = |name: &str| counts[name].as_u64().unwrap_or_else(|| panic!("{name}: {counts}"));
    Counts {
        ahead: number("ahead"),
        pipelines: number("pipelines"),
        readbacks: number("readbacks"),
        bytes: number("bytes"),
    }
}

const SAMPLES: [&str; 3] = ["cat.jpg", "coffee.jpg", "mountain.jpg"];

#[test]
fn a_gpu_that_is_lost_costs_no_photo() {
    let photos = SAMPLES.map(site::sample);
    let expected = classify(&photos);
    let server = hooked();
    browse(WEBGPU, async |client| {
        page::open(client, &format!("{}?backend=webgpu", server.url())).await;
        page::ready_within(client, IMITATED_GPU).await;
        client.execute("new BroadcastChannel('gpu-hooks').postMessage('lose')", vec![]).await.unwrap();
        page::pick(client, &photos).await;
        for card in page::settled_within(client, photos.len(), IMITATED_GPU).await {
            same_classes(&card, answer(&expected, card.name.as_ref()));
        }
        // What comes of a second loss is the engine's to decide (crates/engine).
        says(client, "failed once and is used again").await;
    });
}

#[test]
fn photos_get_the_processors_answers_in_one_pass_and_compile_nothing() {
    let photos = SAMPLES.map(site::sample);
    let expected = classify(&photos);
    let server = hooked();
    browse(WEBGPU, async |client| {
        page::open(client, &format!("{}?backend=webgpu", server.url())).await;
        page::ready_within(client, IMITATED_GPU).await;
        assert!(backend(client).await.contains("GPU"), "{}", backend(client).await);
        says(client, "would take about").await;
        let ready = counts(client).await;
        assert!(ready.pipelines >= 8, "{ready:?}");
        assert_eq!(ready.ahead, ready.pipelines, "each was compiled beside the loading: {ready:?}");

        let broken = site::photo("not-a-photo.jpg");
        page::pick(client, &[&photos[..], &[broken]].concat()).await;
        for card in page::settled_within(client, 4, IMITATED_GPU).await {
            match card.name.as_str() {
                "not-a-photo.jpg" => assert_eq!(card.state, "error", "{card:?}"),
                name => same_classes(&card, answer(&expected, name.as_ref())),
            }
        }
        let answered = counts(client).await;
        assert_eq!(answered.readbacks - ready.readbacks, 1, "{ready:?}, {answered:?}");
        assert_eq!(answered.pipelines, ready.pipelines, "a photo compiled something");
    });
}

/// With the folder of a larger model in BEITSCOPE_MODEL, such as BEiTv2-large, that one is loaded: on the processor a
/// photo of it takes a second, which the page once took for 28 ms.
#[test]
fn a_fast_gpu_is_chosen_by_itself_and_the_page_says_why() {
    /// BEiTv2-large in F32 takes a minute a photo there.
    const LARGE_MODEL: Duration = Duration::from_secs(1800);
    let (tiny, named) = (tempfile::tempdir().unwrap(), env::var_os("BEITSCOPE_MODEL"));
    let (folder, ms) = match named {
        Some(folder) => (site::root().join(folder), 60.0),
        None => {
            convert_tiny("tiny-relative", tiny.path());
            (tiny.path().to_owned(), 0.01)
        }
    };
    let model = Server::start(Options { cross_origin: true, ..Options::new(&folder) }).unwrap();
    let server = site::serve_with_script_in_workers([HOOKS, &fast_gpu(ms)].concat());
    browse(WEBGPU, async |client| {
        page::open(client, &format!("{}?model={}manifest.json", server.url(), model.url())).await;
        page::ready_once_agreed(client, LARGE_MODEL).await;
        assert!(backend(client).await.contains("GPU"), "{}", backend(client).await);
        says(client, "on Acme 9000").await;
        says(client, "would take about").await;
        let compared = "return document.body.innerText.match(/A photo takes .*processor/)[0]";
        println!("{}", client.execute(compared, vec![]).await.unwrap());
        let on_gpu = counts(client).await.bytes;
        client.execute("new BroadcastChannel('gpu-hooks').postMessage('lose')", vec![]).await.unwrap();
        page::pick(client, &[site::sample("cat.jpg")]).await;
        assert_eq!(page::settled_within(client, 1, LARGE_MODEL).await[0].state, "done");
        let after_loss = counts(client).await.bytes;
        println!("wasm's memory: {on_gpu} bytes on the GPU, {after_loss} once it was lost");
    });
}

/// The GPU holds the weights: of them wasm's memory holds a shard's piece and a tensor at a time. With the folder of a
/// larger model in BEITSCOPE_MODEL, such as BEiTv2-large, that one is measured.
#[test]
fn weights_on_the_gpu_are_not_in_the_programs_memory() {
    /// BEiTv2-large takes minutes there.
    const LARGE_MODEL: Duration = Duration::from_secs(1200);
    /// At the true size 323 MB of weights.
    const MOST: u64 = 100_000_000;
    let folder = env::var_os("BEITSCOPE_MODEL").map_or(site::root().join("web/models/demo"), PathBuf::from);
    let shards = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let weights: u64 = shards.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    let model = Server::start(Options { cross_origin: true, ..Options::new(&folder) }).unwrap();
    let server = hooked();
    browse(WEBGPU, async |client| {
        let mut bytes = Vec::new();
        for device in ["webgpu", "cpu"] {
            let address = format!("{}?backend={device}&model={}manifest.json", server.url(), model.url());
            page::open(client, &address).await;
            page::ready_once_agreed(client, LARGE_MODEL).await;
            bytes.push(counts(client).await.bytes);
        }
        println!(
            "{weights} bytes of weights; wasm's memory on the GPU and on the processor: {bytes:?} bytes"
        );
        assert!(bytes[0] + weights / 2 < bytes[1] && bytes[0] < MOST, "{bytes:?}, weights {weights}");
    });
}

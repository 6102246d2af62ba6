//! A network of the true size in a real Chromium: the converted model in the folder that BEITSCOPE_MODEL names, such as
//! the one of random weights that `cargo xtask test large` makes.

use server::{Options, Server};
use std::env;
use std::path::PathBuf;
use std::time::Duration;
use tests::browser::{Setup, browse, console_errors};
use tests::command_line::{answer, classify_with};
use tests::{page, site};

/// 323 MB are read, checked and packed.
const LOADING: Duration = Duration::from_secs(120);
/// A few seconds a photo.
const ANSWERING: Duration = Duration::from_secs(60);

/// Before the worker's own code: no shared memory is to be had, as on a phone that is short of it, and memory of wasm ends
/// at 512 MB. What it holds is told to whoever asks.
const LITTLE_MEMORY: &str = "const MOST = 512e6 / 65536;
const { Memory, instantiate, instantiateStreaming } = WebAssembly;
const memories = [];
WebAssembly.Memory = class extends Memory {
  constructor(given) {
    if (given.shared) throw new RangeError('WebAssembly.Memory(): could not allocate memory');
    super(given);
  }
};
Memory.prototype.grow = ((grow) => function (pages) {
  if (this.buffer.byteLength / 65536 + pages > MOST) throw new RangeError('WebAssembly.Memory.grow(): too much');
  return grow.call(this, pages);
})(Memory.prototype.grow);
for (const [name, original] of Object.entries({ instantiate, instantiateStreaming })) {
  WebAssembly[name] = async (...given) => {
    const made = await original.apply(WebAssembly, given);
    memories.push((made.instance ?? made).exports.memory);
    return made;
  };
}
const channel = new BroadcastChannel('memory');
channel.addEventListener('message', ({ data }) => {
  if (data === 'ask') channel.postMessage(memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
});
";

/// A browser that gives no shared memory gets the build without threads, which stays below 512 MB with 4-bit weights.
#[test]
fn four_bits_fit_where_memory_is_short() {
    const MOST: u64 = 512_000_000;
    let folder = env::var_os("BEITSCOPE_MODEL_4_BIT")
        .expect("BEITSCOPE_MODEL_4_BIT names a converted model: run `cargo xtask test large`");
    let folder = site::root().join(PathBuf::from(folder));
    let photos = ["cat.jpg"].map(site::sample);
    let expected = classify_with(&folder, &photos);
    let model = Server::start(Options { cross_origin: true, ..Options::new(&folder) }).unwrap();
    let server = site::serve_with_script_in_workers(LITTLE_MEMORY.into());
    browse(Setup::default(), async |client| {
        page::open(client, &format!("{}?model={}manifest.json", server.url(), model.url())).await;
        page::ready_once_agreed(client, LOADING).await;
        page::pick(client, &photos).await;
        let cards = page::settled_within(client, 1, ANSWERING).await;
        assert_eq!(cards[0].predictions[0].index, expected[0]["predictions"][0]["index"], "{cards:?}");
        let ask = "const done = arguments[0], channel = new BroadcastChannel('memory');
            channel.addEventListener('message', ({ data }) => done(data));
            channel.postMessage('ask');";
        let bytes = client.execute_async(ask, vec![]).await.unwrap().as_u64().expect("bytes");
        println!("{bytes} bytes of wasm's memory");
        assert!((100_000_000..MOST).contains(&bytes), "{bytes} bytes of wasm's memory");
    });
}

#[test]
fn the_large_model_answers_in_the_page_as_on_the_command_line() {
    let folder = env::var_os("BEITSCOPE_MODEL")
        .expect("BEITSCOPE_MODEL names a converted model: run `cargo xtask test large`");
    let folder = site::root().join(PathBuf::from(folder));
    let photos = ["cat.jpg", "coffee.jpg"].map(site::sample);
    let expected = classify_with(&folder, &photos);
    let model = Server::start(Options { cross_origin: true, ..Options::new(&folder) }).unwrap();
    let server = site::serve();
    browse(Setup::default(), async |client| {
        // From the network, then from the browser's storage.
        for visit in ["the first visit", "the second visit"] {
            page::open(client, &format!("{}?model={}manifest.json", server.url(), model.url())).await;
            page::ready_once_agreed(client, LOADING).await;
            page::pick(client, &photos).await;
            for card in page::settled_within(client, photos.len(), ANSWERING).await {
                let expected = answer(&expected, card.name.as_ref())["predictions"].as_array().unwrap();
                assert_eq!((card.predictions.len(), expected.len()), (5, 5), "{visit}: {card:?}");
                for (got, expected) in card.predictions.iter().zip(expected) {
                    assert_eq!(got.index, expected["index"], "{visit}: {card:?}");
                    let score = expected["score"].as_f64().unwrap();
                    assert!((got.score - score).abs() < 1e-6, "{visit}: {got:?}, expected {expected}");
                }
            }
            assert_eq!(console_errors(client).await, Vec::<String>::new(), "{visit}");
        }
    });
}

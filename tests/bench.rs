//! How long a photo takes in Chromium, on each number of threads and beside a peer:
//!
//! ```sh
//! cargo xtask bench MODEL_DIR… [--threads 1,2] [--worker NAME] [--rounds 3] [--photos 3] \
//!     [--peer FOLDER [--peer-model FILE]…]
//! cargo xtask bench --backend gpu MODEL_DIR… [--rounds 3] [--photos 3] [--peer FOLDER [--peer-model FILE]…]
//! ```
//!
//! Models, numbers of threads and the peer take turns: each turn is a fresh page with the weights from the
//! browser's storage (for the peer, which has none, from the server on this machine). Prints medians, ratios and
//! the renderer's peak memory. Wants an otherwise idle machine. `--peer` takes a folder that
//! `tools/bench-peers/make.sh` has filled; of its models, int8 runs on the processor unless others are named.
//!
//! On a GPU there are no threads to vary. The page's WebGPU and the peer's have the same adapter: Chromium's own, which
//! imitates a GPU on the processor.

#[path = "bench/kernels.rs"]
mod kernels;
#[path = "bench/memory.rs"]
mod memory;
#[path = "bench/peer.rs"]
mod peer;

use memory::Peak;
use peer::Provider;
use serde_json::json;
use server::{Options, Server};
use std::env;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::time::{Duration, Instant};
use tests::browser::{Client, Setup, browse};
use tests::{page, site};
use tokio::time::sleep;

const USAGE: &str = "usage: bench MODEL_DIR… [--threads 1,2] [--worker NAME] [--rounds 3] [--photos 3] \
    [--backend cpu|gpu] [--peer FOLDER [--peer-model FILE]…]";

/// A benchmark is one script.
const BENCHMARK: Duration = Duration::from_secs(600);

/// Time on a blank page between two visits.
const BLANK: Duration = Duration::from_secs(3);

struct Arguments {
    models: Vec<PathBuf>,
    threads: Vec<usize>,
    worker: Option<String>,
    rounds: usize,
    photos: usize,
    peer: Option<PathBuf>,
    /// WebAssembly modules of the kernels' own bench, to be run first.
    kernels: Vec<PathBuf>,
    /// The same, on 256-bit registers.
    revectorized: Vec<PathBuf>,
    /// The peer's files in its folder; if none, the form of BEiTv2-large that suits what it runs on.
    peer_models: Vec<String>,
    gpu: bool,
}

/// What is measured in turns with the others.
struct Contender {
    name: String,
    address: String,
    is_peer: bool,
    /// Seconds from the page's opening to its first answer: weights from storage, or from this machine's server.
    first: Vec<f64>,
    /// The network's milliseconds for each further photo.
    steady: Vec<f64>,
    /// What the network's time for the last photo went to.
    stages: String,
    /// The renderer's peak in MB, of the first turn (weights over the network) and of the later ones.
    peaks: Vec<f64>,
}

fn main() {
    let Some(arguments) = parse(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        exit(2);
    };
    for (modules, revectorize) in [(&arguments.kernels, false), (&arguments.revectorized, true)] {
        for module in modules {
            browse(Setup { script: BENCHMARK, revectorize, ..Setup::DEFAULT }, async |client| {
                kernels::run(client, module).await
            });
        }
    }
    if arguments.models.is_empty() {
        return;
    }
    let (models, mut servers) = serve(&arguments.models);
    // A model of another origin that the site's list does not name would be asked about first.
    let list = models.iter().map(|model| json!({ "manifest": model.manifest, "name": model.name })).collect();
    let site = site::serve_with_files(vec![site::list_with(list)]);
    let mut contenders = contenders(&arguments, &models, &site, &mut servers);
    // The first turn fills the storage and is not timed.
    for round in 0..=arguments.rounds {
        for contender in &mut contenders {
            let peak = turn(contender, round, &arguments);
            contender.peaks.push(peak);
        }
    }
    report(&mut contenders);
}

/// A converted model on a server of its own.
struct Model {
    name: String,
    /// The manifest's address.
    manifest: String,
}

fn serve(folders: &[PathBuf]) -> (Vec<Model>, Vec<Server>) {
    let serve = |folder: &PathBuf| {
        let server = Server::start(Options { cross_origin: true, ..Options::new(folder) });
        let server = server.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (Model { name, manifest: format!("{}manifest.json", server.url()) }, server)
    };
    folders.iter().map(serve).unzip()
}

fn contenders(
    arguments: &Arguments,
    models: &[Model],
    site: &Server,
    servers: &mut Vec<Server>,
) -> Vec<Contender> {
    let mut contenders = Vec::new();
    if arguments.gpu {
        for model in models {
            contenders.push(ours(arguments, site, model, "WebGPU", "backend=webgpu"));
        }
        contenders.extend(theirs(arguments, servers, Provider::WebGpu));
        return contenders;
    }
    for &threads in &arguments.threads {
        for model in models {
            let (what, parameter) = (format!("{threads} threads"), format!("threads={threads}"));
            contenders.push(ours(arguments, site, model, &what, &parameter));
        }
        contenders.extend(theirs(arguments, servers, Provider::Wasm { threads }));
    }
    contenders
}

fn ours(arguments: &Arguments, site: &Server, model: &Model, what: &str, parameter: &str) -> Contender {
    let worker = arguments.worker.as_ref().map_or(String::new(), |name| format!("&worker={name}"));
    let address = format!("{}?model={}&{parameter}{worker}", site.url(), model.manifest);
    Contender::new(format!("{}, {what}", model.name), address, false)
}

/// The peer with each of its models; none without a peer.
fn theirs(arguments: &Arguments, servers: &mut Vec<Server>, provider: Provider) -> Vec<Contender> {
    let Some(folder) = &arguments.peer else { return Vec::new() };
    let server = peer::serve(folder);
    let own = [provider.own_model().to_owned()];
    let models = if arguments.peer_models.is_empty() { &own[..] } else { &arguments.peer_models };
    let contenders = models.iter().map(|model| {
        let (name, address) = peer::contender(&server.url(), provider, model);
        Contender::new(name, address, true)
    });
    let contenders = contenders.collect();
    servers.push(server);
    contenders
}

impl Contender {
    fn new(name: String, address: String, is_peer: bool) -> Self {
        Self { name, address, is_peer, first: vec![], steady: vec![], stages: String::new(), peaks: vec![] }
    }
}

/// One turn in a browser of its own profile for each contender; gives the renderer's peak in MB.
fn turn(contender: &mut Contender, round: usize, arguments: &Arguments) -> f64 {
    let photos = arguments.photos;
    let peak = Peak::watch();
    let photo = site::sample("coffee.jpg");
    browse(Setup { webgpu: arguments.gpu, script: BENCHMARK, ..Setup::DEFAULT }, async |client| {
        // A browser starts with an empty storage: one visit fills it, and the next is timed.
        if !contender.is_peer && round > 0 {
            page::open(client, &contender.address).await;
            page::ready(client).await;
            // A later visit begins with nothing of this one in memory. A browser gives threads that wait, as the
            // network's do, two seconds to end.
            client.goto("about:blank").await.expect("a blank page opens");
            sleep(BLANK).await;
        }
        let begun = Instant::now();
        if contender.is_peer {
            let (first, steady) = peer::run(client, &contender.address, photos).await;
            if round > 0 {
                contender.first.push(first);
                contender.steady.extend(steady);
            }
            return;
        }
        page::open(client, &contender.address).await;
        page::pick(client, std::slice::from_ref(&photo)).await;
        settled(client, 1).await;
        let first = begun.elapsed().as_secs_f64();
        let backend = page::element(client, "backend").await.text().await.unwrap();
        if round == 0 {
            println!("{}: {backend}", contender.name);
            return;
        }
        contender.first.push(first);
        for count in 2..=1 + photos {
            page::pick(client, std::slice::from_ref(&photo)).await;
            settled(client, count).await;
            // The newest comes first.
            contender.steady.push(page::cards(client).await[0].ms.expect("an answer"));
        }
        contender.stages = page::diagnosis(client, "of the last photo, ms").await;
    });
    peak.megabytes()
}

/// Waits until so many photos are settled, and leaves the processor to them: who asks again and again takes time from
/// the network.
async fn settled(client: &Client, count: usize) {
    let script = format!(
        "const [done] = arguments;
        const settled = () => {{ {} }};
        const look = () => {{
            if (settled()) {{
                observer.disconnect();
                done(true);
            }}
        }};
        const observer = new MutationObserver(look);
        observer.observe(document.body, {{ subtree: true, childList: true, attributeFilter: ['data-state'] }});
        look();",
        page::are_settled(count)
    );
    client.execute_async(&script, vec![]).await.expect("the photos are settled");
}

fn report(contenders: &mut [Contender]) {
    println!("\n| what | ms a photo | first answer, s | peak MB, first visit | later |");
    println!("|---|---|---|---|---|");
    for contender in contenders.iter_mut() {
        let Contender { name, first, steady, peaks, .. } = contender;
        println!(
            "| {name} | {:.0} | {:.2} | {:.0} | {:.0} |",
            median(steady),
            median(first),
            peaks[0],
            median(&mut peaks[1..].to_vec())
        );
    }
    println!("\nWhat a photo's ms go to:");
    for Contender { name, stages, .. } in contenders.iter().filter(|contender| !contender.is_peer) {
        println!("{name}: {stages}");
    }
    println!("\nRatios of medians, ms a photo (row ÷ column):");
    for row in contenders.iter() {
        let ratios: Vec<_> = contenders
            .iter()
            .map(|column| {
                format!("{:.2}", median(&mut row.steady.clone()) / median(&mut column.steady.clone()))
            })
            .collect();
        println!("{}: {}", row.name, ratios.join("  "));
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut parsed = Arguments {
        models: vec![],
        threads: vec![1, 2],
        worker: None,
        rounds: 3,
        photos: 3,
        peer: None,
        kernels: vec![],
        revectorized: vec![],
        peer_models: vec![],
        gpu: false,
    };
    while let Some(argument) = arguments.next() {
        if !argument.starts_with("--") {
            parsed.models.push(absolute(&argument));
            continue;
        }
        let value = arguments.next()?;
        match argument.as_str() {
            "--threads" => {
                parsed.threads = value.split(',').map(|n| n.parse().ok()).collect::<Option<_>>()?;
            }
            "--worker" => parsed.worker = Some(value),
            "--kernels" => parsed.kernels.push(absolute(&value)),
            "--kernels-revectorized" => parsed.revectorized.push(absolute(&value)),
            "--rounds" => parsed.rounds = value.parse().ok().filter(|&rounds| rounds > 0)?,
            "--photos" => parsed.photos = value.parse().ok().filter(|&photos| photos > 0)?,
            "--backend" => {
                parsed.gpu = match value.as_str() {
                    "gpu" => true,
                    "cpu" => false,
                    _ => return None,
                }
            }
            "--peer-model" => parsed.peer_models.push(value),
            "--peer" => parsed.peer = Some(absolute(&value)),
            _ => return None,
        }
    }
    let kernels = parsed.kernels.len() + parsed.revectorized.len();
    (!parsed.models.is_empty() || kernels > 0).then_some(parsed)
}

fn absolute(path: &str) -> PathBuf {
    Path::new(path).canonicalize().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

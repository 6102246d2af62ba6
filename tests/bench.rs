//! How long a photo takes in Chromium, on each number of threads and beside other runtimes:
//!
//! ```sh
//! cargo xtask bench MODEL_DIR… [--threads 1,2] [--worker NAME] [--rounds 3] [--photos 3] \
//!     [--peer FOLDER [--peers NAME,…]]
//! cargo xtask bench --backend gpu MODEL_DIR… [--rounds 3] [--photos 3] [--peer FOLDER [--peers NAME,…]]
//! ```
//!
//! Models, numbers of threads and peers take turns: each turn is a fresh page with the weights from the browser's storage
//! (for peers from the server on this machine). Prints medians, ratios and the renderer's peak memory. Wants an otherwise
//! idle machine. `--peer` takes a folder that `tools/bench-peers/make.sh` has filled; of its contenders all run that can,
//! unless `--peers` names some. Then all answers are compared with timm's, those of the page too, and what
//! differs by more than its arithmetic may, or ran on something else than it was asked to, is refused and not timed.
//!
//! On a GPU there are no threads to vary. The page's WebGPU and the peers' have the same adapter: Chromium's own, which
//! imitates a GPU on the processor.

#[path = "bench/arguments.rs"]
mod arguments;
#[path = "bench/check.rs"]
mod check;
#[path = "bench/kernels.rs"]
mod kernels;
#[path = "bench/memory.rs"]
mod memory;
#[path = "bench/peer.rs"]
mod peer;
#[path = "bench/provider.rs"]
mod provider;
#[path = "bench/report.rs"]
mod report;

use arguments::Arguments;
use check::{Arithmetic, Reference};
use memory::Peak;
use peer::Peer;
use provider::Provider;
use report::{Contender, report};
use serde_json::{Value, json};
use server::{Options, Server};
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::exit;
use std::time::{Duration, Instant};
use tests::browser::{Client, Setup, browse};
use tests::{page, site};
use tokio::time::sleep;

/// A benchmark is one script.
const BENCHMARK: Duration = Duration::from_secs(600);

/// Time on a blank page between two visits.
const BLANK: Duration = Duration::from_secs(3);

/// What a contender does in its turns.
enum Entrant {
    Ours { address: String, arithmetic: Arithmetic, provider: Provider },
    Peer(Peer, Provider),
}

/// The peers' folder on a server.
struct Peers {
    server: Server,
    reference: Reference,
}

fn main() {
    let arguments = Arguments::parse(env::args().skip(1)).unwrap_or_else(|why| fail(&why));
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
    let peers = arguments.peer.as_ref().map(|folder| Peers {
        reference: Reference::read(folder).unwrap_or_else(|why| fail(&why)),
        server: peer::serve(folder),
    });
    let models: Vec<Model> = arguments.models.iter().map(Model::serve).collect();
    // A model of another origin that the site's list does not name would be asked about first.
    let list = models.iter().map(|model| json!({ "manifest": model.manifest, "name": model.name })).collect();
    let site = site::serve_with_files(vec![site::list_with(list)]);
    let (entrants, mut contenders): (Vec<_>, Vec<_>) =
        entrants(&arguments, &models, &site).into_iter().unzip();
    // The first turn fills the storage, says what the network runs on, and is not timed.
    for round in 0..=arguments.rounds {
        for (entrant, contender) in entrants.iter().zip(&mut contenders) {
            if contender.refused.is_none() {
                let peak = turn(entrant, contender, round, &arguments, peers.as_ref());
                contender.peaks.push(peak);
            }
            if let (0, Some(why)) = (round, &contender.refused) {
                println!("{}: refused: {why}", contender.name);
            }
        }
    }
    println!("\n{}", report(&contenders));
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    exit(2);
}

/// A converted model on a server of its own.
struct Model {
    name: String,
    /// The manifest's address.
    manifest: String,
    arithmetic: Arithmetic,
    _server: Server,
}

impl Model {
    fn serve(folder: &PathBuf) -> Self {
        let file = folder.join("manifest.json");
        let read = || -> Result<Value, String> {
            let text = fs::read(&file).map_err(|error| error.to_string())?;
            serde_json::from_slice(&text).map_err(|error| error.to_string())
        };
        let manifest = read().unwrap_or_else(|why| fail(&format!("{}: {why}", file.display())));
        let arithmetic = match manifest["quantization"].as_str() {
            Some("q8_0") => Arithmetic::EightBits,
            Some("q4_0") => Arithmetic::FourBits,
            other => fail(&format!("{}: quantization {other:?}, expected q8_0 or q4_0", file.display())),
        };
        let server = Server::start(Options { cross_origin: true, ..Options::new(folder) });
        let server = server.unwrap_or_else(|error| fail(&format!("{}: {error}", folder.display())));
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, manifest: format!("{}manifest.json", server.url()), arithmetic, _server: server }
    }
}

fn entrants(arguments: &Arguments, models: &[Model], site: &Server) -> Vec<(Entrant, Contender)> {
    let providers = match arguments.gpu {
        true => vec![Provider::WebGpu],
        false => arguments.threads.iter().map(|&threads| Provider::Wasm { threads }).collect(),
    };
    let mut entrants = Vec::new();
    for provider in providers {
        entrants.extend(models.iter().map(|model| ours(arguments, site, model, provider)));
        let Some(folder) = &arguments.peer else { continue };
        for peer in arguments.peers.iter().filter(|peer| peer.runs_on(provider)) {
            let mut contender = Contender::new(peer.title(provider));
            contender.refused = peer.lacks(folder);
            entrants.push((Entrant::Peer(*peer, provider), contender));
        }
    }
    entrants
}

fn ours(arguments: &Arguments, site: &Server, model: &Model, provider: Provider) -> (Entrant, Contender) {
    let worker = arguments.worker.as_ref().map_or(String::new(), |name| format!("&worker={name}"));
    let parameter = match provider {
        Provider::Wasm { threads } => format!("threads={threads}"),
        Provider::WebGpu => "backend=webgpu".into(),
    };
    let address = format!("{}?model={}&{parameter}{worker}", site.url(), model.manifest);
    let entrant = Entrant::Ours { address, arithmetic: model.arithmetic, provider };
    (entrant, Contender::new(format!("{}, {}", model.name, provider.words())))
}

/// One turn in a browser of its own profile; gives the renderer's peak in MB.
fn turn(
    entrant: &Entrant,
    contender: &mut Contender,
    round: usize,
    arguments: &Arguments,
    peers: Option<&Peers>,
) -> f64 {
    let peak = Peak::watch();
    browse(Setup { webgpu: arguments.gpu, script: BENCHMARK, ..Setup::DEFAULT }, async |client| {
        let outcome = match entrant {
            Entrant::Ours { address, arithmetic, provider } => {
                our_turn(client, address, contender, round, arguments).await;
                let reference = peers.map(|peers| &peers.reference);
                judge_ours(client, contender, *arithmetic, *provider, reference).await
            }
            Entrant::Peer(peer, provider) => {
                let peers = peers.expect("peers have a folder");
                their_turn(client, peer, *provider, contender, round, arguments.photos, peers).await
            }
        };
        contender.refused = outcome.err();
    });
    peak.megabytes()
}

async fn their_turn(
    client: &Client,
    peer: &Peer,
    provider: Provider,
    contender: &mut Contender,
    round: usize,
    photos: usize,
    peers: &Peers,
) -> Result<(), String> {
    let url = peers.server.url();
    let turn = peer.turn(client, &url, provider, photos, round == 0, &peers.reference).await?;
    contender.agree(turn.agreement);
    if let Some(ran) = turn.ran {
        println!("{}: {ran}", contender.name);
        contender.ran = ran;
    }
    if round > 0 {
        contender.first.push(turn.first);
        contender.steady.extend(turn.steady);
    }
    Ok(())
}

async fn our_turn(
    client: &Client,
    address: &str,
    contender: &mut Contender,
    round: usize,
    arguments: &Arguments,
) {
    let photo = site::sample("coffee.jpg");
    // A browser starts with an empty storage: one visit fills it, and the next is timed.
    if round > 0 {
        page::open(client, address).await;
        page::ready(client).await;
        // A later visit begins with nothing of this one in memory. A browser gives threads that wait, as the
        // network's do, two seconds to end.
        client.goto("about:blank").await.expect("a blank page opens");
        sleep(BLANK).await;
    }
    let begun = Instant::now();
    page::open(client, address).await;
    page::pick(client, std::slice::from_ref(&photo)).await;
    settled(client, 1).await;
    let first = begun.elapsed().as_secs_f64();
    if round == 0 {
        return;
    }
    contender.first.push(first);
    for count in 2..=1 + arguments.photos {
        page::pick(client, std::slice::from_ref(&photo)).await;
        settled(client, count).await;
        // The newest comes first.
        contender.steady.push(page::cards(client).await[0].ms.expect("an answer"));
    }
    contender.stages = Some(page::diagnosis(client, "of the last photo, ms").await);
}

/// Whether the page ran where it was to, and answers as timm does, of whose classes it shows five.
async fn judge_ours(
    client: &Client,
    contender: &mut Contender,
    arithmetic: Arithmetic,
    provider: Provider,
    reference: Option<&Reference>,
) -> Result<(), String> {
    let backend = page::element(client, "backend").await.text().await?;
    let ran = format!("{}, {}", provider.page_says(&backend)?, page::instructions(client).await);
    if contender.ran != ran {
        println!("{}: {ran}", contender.name);
        contender.ran = ran;
    }
    let Some(reference) = reference else { return Ok(()) };
    for card in page::cards(client).await {
        let classes = card.predictions.iter().map(|one| (one.index as usize, one.score)).collect::<Vec<_>>();
        contender.agree(reference.compare_classes(&classes, arithmetic)?);
    }
    Ok(())
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

//! A checkpoint of the true size, 1.2 GB, imported from a hub by a real Chromium: the one of random weights that
//! `cargo xtask test large` makes, in the file that BEITSCOPE_CHECKPOINT names, converted in the folders that
//! BEITSCOPE_MODEL (8 bits) and BEITSCOPE_MODEL_4_BIT name. Alone in its file, since it measures the page's memory.

use server::Disturbance;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tests::browser::{Client, Setup, browse, console_errors};
use tests::command_line::{classify_with, same_answers};
use tests::hub_stand_in::{HubStandIn, Repository};
use tests::{import, memory, page, site};

const NAME: &str = "timm/large";
const MODEL: &str = "large";

/// 1.2 GB are sent in half a minute, and quantised without optimisation of what is not arithmetic.
const IMPORTING: Duration = Duration::from_secs(400);
/// A few seconds a photo.
const ANSWERING: Duration = Duration::from_secs(120);

/// Bytes a second: a fast connection at home, and none that limits.
const CONNECTIONS: [Option<u64>; 2] = [Some(40_000_000), None];
/// More than before the import, beside the quantised network: its two largest tensors in F32 take 34 MB, and what waits to
/// be collected differs from run to run.
const BESIDE_NETWORK: u64 = 100_000_000;

/// One after the other, since tests of one file share a process.
#[test]
fn the_true_size_is_imported_in_little_memory() {
    is_imported_in_little_memory("q8_0", "8-bit", "BEITSCOPE_MODEL");
    is_imported_in_little_memory("q4_0", "4-bit", "BEITSCOPE_MODEL_4_BIT");
}

fn is_imported_in_little_memory(quantization: &str, bits: &str, variable: &str) {
    let (checkpoint, model) = (folder("BEITSCOPE_CHECKPOINT"), folder(variable));
    let (reference, maker) = (format!("hf:{NAME}#{quantization}"), format!("{MODEL}, {bits}"));
    let photos = ["cat.jpg", "coffee.jpg"].map(site::sample);
    let expected = classify_with(&model, &photos);
    let most_more = bytes_of_shards(&model) + BESIDE_NETWORK;
    for connection in CONNECTIONS {
        let hub = HubStandIn::start(Repository::new(NAME, &checkpoint));
        let server = site::serve_with_files(vec![import::list(&hub.url(), MODEL, &[&reference])]);
        browse(Setup::THREADS, async |client| {
            page::open(client, &server.url()).await;
            page::ready(client).await;
            page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
            let before = memory::of_page();
            import::ask(client, &reference).await;
            if let Some(rate) = connection {
                hub.set(|behaviour| behaviour.every_transfer = Disturbance::Throttle(rate));
            }
            let (begun, worked) = (Instant::now(), memory::processor_seconds_of_pages());
            import::start(client).await;
            let most = most_until_finished(client, &reference).await;
            let seconds = begun.elapsed().as_secs_f64();
            let worked = memory::processor_seconds_of_pages() - worked;
            println!(
                "{quantization}, {connection:?} B/s: imported in {seconds:.1} s, {worked:.1} s of processors"
            );
            println!("page and workers: {} MB before, {} MB at most", before / 1_000_000, most / 1_000_000);
            assert!(most < before + most_more, "{most} bytes, {before} before");

            hub.forget();
            client.refresh().await.unwrap();
            page::pick(client, &photos).await;
            let cards = page::made_by_within(client, &maker, photos.len(), ANSWERING).await;
            same_answers(&cards, &expected);
            assert_eq!((hub.asked_of_hub(), hub.asked_of_storage()), (vec![], vec![]));
            assert_eq!(console_errors(client).await, Vec::<String>::new());

            drop((hub, server));
            client.refresh().await.unwrap();
            page::pick(client, &photos).await;
            let cards = page::made_by_within(client, &maker, photos.len(), ANSWERING).await;
            same_answers(&cards, &expected);
            import::same_bytes(client, &reference, &model).await;
        });
    }
}

/// What `cargo xtask test large` names in this variable.
fn folder(variable: &str) -> PathBuf {
    let path = env::var_os(variable).unwrap_or_else(|| panic!("no {variable}: run `cargo xtask test large`"));
    site::root().join(PathBuf::from(path))
}

fn bytes_of_shards(model: &Path) -> u64 {
    let files = fs::read_dir(model).expect("a converted model").map(|file| file.expect("a file"));
    let shards = files.filter(|file| file.file_name().to_string_lossy().contains(".gguf-"));
    shards.map(|file| file.metadata().expect("its length").len()).sum()
}

/// Waits until the import is finished. The most bytes of memory that the page took until then.
async fn most_until_finished(client: &Client, reference: &str) -> u64 {
    let begun = Instant::now();
    let mut most = 0;
    while !import::is_finished(client, reference).await {
        assert!(begun.elapsed() < IMPORTING, "it takes too long");
        most = most.max(memory::of_page());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    most
}

//! A checkpoint of the true size, 1.2 GB, imported from a hub by a real Chromium: the one of random weights that
//! `cargo xtask test large` makes, in the file that BEITSCOPE_CHECKPOINT names, converted in the folder that
//! BEITSCOPE_MODEL names. Alone in its file, since it measures the page's memory.

use server::Disturbance;
use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tests::browser::{Setup, browse};
use tests::command_line::{classify_with, same_answers};
use tests::hub_stand_in::{HubStandIn, Repository};
use tests::{import, memory, page, site};

const REFERENCE: &str = "hf:timm/large";
const MODEL: &str = "large";

/// 1.2 GB are sent in half a minute, and quantised without optimisation of what is not arithmetic.
const IMPORTING: Duration = Duration::from_secs(400);
/// A few seconds a photo.
const ANSWERING: Duration = Duration::from_secs(120);

/// Bytes a second: a fast connection at home, and none that limits.
const CONNECTIONS: [Option<u64>; 2] = [Some(40_000_000), None];
/// More than before the import: the quantised network takes 326 MB, and the checkpoint would take 1.2 GB.
const MOST_MORE: u64 = 560_000_000;

#[test]
fn the_true_size_is_imported_in_little_memory() {
    let folder = |variable: &str| {
        let path =
            env::var_os(variable).unwrap_or_else(|| panic!("no {variable}: run `cargo xtask test large`"));
        site::root().join(PathBuf::from(path))
    };
    let (checkpoint, model) = (folder("BEITSCOPE_CHECKPOINT"), folder("BEITSCOPE_MODEL"));
    let photos = ["cat.jpg", "coffee.jpg"].map(site::sample);
    let expected = classify_with(&model, &photos);
    for connection in CONNECTIONS {
        let hub = HubStandIn::start(Repository::new("timm/large", &checkpoint));
        let server = site::serve_with_files(vec![import::list(&hub.url(), MODEL, &[REFERENCE])]);
        browse(Setup::THREADS, async |client| {
            page::open(client, &server.url()).await;
            page::ready(client).await;
            let before = memory::of_page();
            import::ask(client, REFERENCE).await;
            if let Some(rate) = connection {
                hub.set(|behaviour| behaviour.every_transfer = Disturbance::Throttle(rate));
            }
            let begun = Instant::now();
            import::start(client).await;
            let mut most = 0;
            while !import::is_finished(client, REFERENCE).await {
                assert!(begun.elapsed() < IMPORTING, "it takes too long");
                most = most.max(memory::of_page());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            println!("{connection:?} B/s: imported in {:.1} s", begun.elapsed().as_secs_f64());
            println!("page and workers: {} MB before, {} MB at most", before / 1_000_000, most / 1_000_000);
            import::same_bytes(client, REFERENCE, &model).await;
            assert!(most < before + MOST_MORE, "{most} bytes, {before} before");
            hub.forget();
            client.refresh().await.unwrap();
            page::pick(client, &photos).await;
            let cards = page::answered_by_within(client, MODEL, photos.len(), ANSWERING).await;
            same_answers(&cards, &expected);
            assert_eq!((hub.asked_of_hub(), hub.asked_of_storage()), (vec![], vec![]));
        });
    }
}

//! How much faster more threads make a photo, in Chromium:
//!
//! ```sh
//! cargo xtask build
//! cargo run -p tests --example scaling -- MODEL_DIR [--threads 1,2] [--worker NAME] [--rounds 3] [--photos 3]
//! ```
//!
//! The numbers of threads take turns, each round a fresh page with the weights from the browser's storage.
//! Prints the median of the network's milliseconds for each, and the ratio of the first to each of the others.

use server::{Options, Server};
use std::env;
use std::path::PathBuf;
use std::process::exit;
use tests::browser::{Setup, browse};
use tests::{page, site};

const USAGE: &str = "usage: scaling MODEL_DIR [--threads 1,2] [--worker NAME] [--rounds 3] [--photos 3]";

struct Arguments {
    model: PathBuf,
    threads: Vec<usize>,
    worker: Option<String>,
    rounds: usize,
    photos: usize,
}

fn main() {
    let Some(arguments) = parse(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        exit(2);
    };
    let Arguments { model, threads, worker, rounds, photos } = arguments;
    let site = site::serve();
    let model = Options { cross_origin: true, ..Options::new(model) };
    let model = Server::start(model).unwrap_or_else(|error| panic!("the model: {error}"));
    let mut times = vec![Vec::new(); threads.len()];
    browse(Setup::default(), async |client| {
        for round in 0..rounds {
            for (threads, times) in threads.iter().zip(&mut times) {
                let worker = worker.as_ref().map_or(String::new(), |name| format!("&worker={name}"));
                let address =
                    format!("{}?model={}manifest.json&threads={threads}{worker}", site.url(), model.url());
                page::open(client, &address).await;
                page::ready(client).await;
                let backend = page::element(client, "backend").await.text().await.unwrap();
                let photo = site::sample("coffee.jpg");
                for count in 1..=photos {
                    page::pick(client, std::slice::from_ref(&photo)).await;
                    let cards = page::settled(client, count).await;
                    // The newest comes first.
                    times.push(cards[0].ms.expect("an answer"));
                }
                let of_round: Vec<_> = times.iter().rev().take(photos).map(|ms| format!("{ms:.0}")).collect();
                println!("round {}: {backend}: {} ms", round + 1, of_round.join(", "));
            }
        }
    });
    let medians: Vec<_> = times.iter_mut().map(|times| median(times)).collect();
    for (threads, median) in threads.iter().zip(&medians) {
        println!("{threads} threads: median {median:.0} ms, {:.2} × the first", medians[0] / median);
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Arguments> {
    let model = arguments.next().filter(|model| !model.starts_with('-'))?.into();
    let mut parsed = Arguments { model, threads: vec![1, 2], worker: None, rounds: 3, photos: 3 };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        match name.as_str() {
            "--threads" => {
                parsed.threads = value.split(',').map(|n| n.parse().ok()).collect::<Option<_>>()?;
            }
            "--worker" => parsed.worker = Some(value),
            "--rounds" => parsed.rounds = value.parse().ok()?,
            "--photos" => parsed.photos = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(parsed)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

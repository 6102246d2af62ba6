//! A file without the cache: its bytes as they come.

mod support;

use hub::{Error, Receiver, Reference, RemoteFile, Settings};
use server::Disturbance;
use std::io;
use support::{COMMIT, HuggingFace, in_turn};

/// What came, and how often it began; it may want no more after some bytes.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    beginnings: Vec<RemoteFile>,
    enough: Option<usize>,
}

impl Receiver for Received {
    fn begin(&mut self, file: &RemoteFile) -> io::Result<()> {
        self.bytes.clear();
        self.beginnings.push(file.clone());
        Ok(())
    }

    fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend(bytes);
        match self.enough {
            Some(enough) if self.bytes.len() >= enough => Err(io::Error::other("enough")),
            _ => Ok(()),
        }
    }
}

fn stream(settings: &Settings, received: &mut Received) -> Result<RemoteFile, Error> {
    let reference: Reference = "hf:timm/tiny".parse().unwrap();
    hub::stream(&reference, settings, &|_| (), received)
}

#[test]
fn bytes_come_in_order_and_the_cache_stays_empty() {
    let hub =
        HuggingFace::start(in_turn(vec![Disturbance::HangUpAfter(100_000), Disturbance::HangUpAfter(0)]));
    let cache = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    let file = stream(&hub.settings(cache.path()), &mut received).unwrap();
    assert!(received.bytes == hub.bytes);
    assert_eq!((file.path.as_str(), file.bytes), ("model.safetensors", 300_000));
    assert_eq!(file.commit.as_deref(), Some(COMMIT));
    assert_eq!(received.beginnings, [file], "it goes on where it broke");
    let from = Some("bytes=100000-".to_owned());
    assert_eq!(hub.storage.ranges(), [(None, 200), (from.clone(), 206), (from, 206)]);
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn where_the_server_sends_all_again_it_begins_anew() {
    let whole = support::answer(200, &[], support::content());
    let hub = HuggingFace::start(in_turn(vec![Disturbance::HangUpAfter(100_000), whole]));
    let cache = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    stream(&hub.settings(cache.path()), &mut received).unwrap();
    assert!(received.bytes == hub.bytes);
    assert_eq!(received.beginnings.len(), 2);
}

#[test]
fn faults_are_told() {
    let cache = tempfile::tempdir().unwrap();
    let fails = |disturb: fn() -> Disturbance, received: &mut Received| {
        let hub = HuggingFace::start(move |_| disturb());
        let error = stream(&hub.settings(cache.path()), received).unwrap_err();
        (error.to_string(), hub.storage.asked().len())
    };
    let (sentence, asked) = fails(|| Disturbance::Corrupt(7), &mut Received::default());
    assert!(sentence.contains("arrived damaged") && asked == 1, "{sentence}");
    let (sentence, asked) = fails(|| Disturbance::HangUpAfter(0), &mut Received::default());
    assert!(sentence.contains("nothing of it is kept") && asked > 1, "{sentence}");
    let mut enough = Received { enough: Some(1), ..Received::default() };
    let (sentence, asked) = fails(|| Disturbance::None, &mut enough);
    assert!(sentence.contains("enough") && asked == 1, "it is not tried again: {sentence}");

    let hub = HuggingFace::start(|_| Disturbance::None);
    let settings = Settings { offline: Some("HF_HUB_OFFLINE"), ..hub.settings(cache.path()) };
    let sentence = stream(&settings, &mut Received::default()).unwrap_err().to_string();
    assert!(sentence.contains("HF_HUB_OFFLINE forbids"), "{sentence}");
    assert_eq!(hub.hub.asked(), []);
}

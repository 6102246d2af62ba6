//! `beitscope convert --no-cache`: the same files, and nothing of the checkpoint on the disk.

mod support;

use server::Disturbance;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use support::golden;
use support::hubs::Hubs;

/// Every file of a conversion.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// What the transfers of the checkpoint meet, one after another.
fn in_turn(
    disturbances: Vec<Disturbance>,
) -> impl Fn(&server::Request) -> Disturbance + Send + Sync + 'static {
    let queue = Mutex::new(disturbances.into_iter());
    move |_| queue.lock().unwrap().next().unwrap_or(Disturbance::None)
}

#[test]
fn the_files_are_those_of_a_conversion_from_the_cache() {
    for source in ["hf:timm/tiny", "modelscope:timm/tiny"] {
        let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let hubs = Hubs::start(&[], |_| Disturbance::None);
        let kept = hubs.convert(with.path(), source, "out", &[]);
        assert_eq!(kept.code, 0, "{}", kept.stderr);
        let streamed = hubs.convert(without.path(), source, "out", &["--no-cache"]);
        assert_eq!(streamed.code, 0, "{}", streamed.stderr);
        assert!(files(&without.path().join("out")) == files(&with.path().join("out")), "{source}");
        let left: Vec<_> =
            fs::read_dir(without.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["out"], "no cache, no partial file");
        let [report] = &streamed.json()[..] else { panic!("{}", streamed.stdout) };
        assert_eq!((report["name"].as_str(), report["classes"].as_u64()), (Some("tiny"), Some(50)));
        assert!(streamed.stderr.contains("its hash is the hub's"), "{}", streamed.stderr);
    }
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    let folder = tempfile::tempdir().unwrap();
    let hubs = Hubs::start(&[], in_turn(vec![Disturbance::HangUpAfter(1_000_000)]));
    let run = hubs.convert(folder.path(), "hf:timm/tiny", "out", &["--no-cache"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let transfers = hubs.transfers();
    assert_eq!(transfers.len(), 2, "{transfers:?}");
    assert_eq!((&transfers[0], transfers[1].1), (&(None, 200), 206));
    let from = transfers[1].0.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    assert_eq!(from, Some("1000000"));
}

#[test]
fn a_server_without_ranges_is_asked_for_all_of_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(golden("tiny-relative")).unwrap();
    let again = Disturbance::Answer {
        status: 200,
        content_type: "application/octet-stream",
        headers: Vec::new(),
        body: whole,
    };
    let hubs = Hubs::start(&[], in_turn(vec![Disturbance::HangUpAfter(1_000_000), again]));
    let run = hubs.convert(folder.path(), "hf:timm/tiny", "out", &["--no-cache"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let kept = hubs.convert(folder.path(), "hf:timm/tiny", "kept", &[]);
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    assert!(files(&folder.path().join("out")) == files(&folder.path().join("kept")));
}

#[test]
fn damaged_bytes_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hubs = Hubs::start(&[], |_| Disturbance::Corrupt(2_000_000));
    let run = hubs.convert(folder.path(), "hf:timm/tiny", "out", &["--no-cache"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("SHA-256") || run.stderr.contains("finite"), "{}", run.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{}", run.stderr);
}

#[test]
fn what_needs_the_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let hubs = Hubs::start(&[], |_| Disturbance::None);
    let photos = support::data("photos");
    let photos = photos.to_str().unwrap();
    for (source, more, sentence) in [
        ("hf:timm/tiny", &["--calibrate", photos][..], "--calibrate can't go with --no-cache"),
        ("hf:timm/tiny", &["--verify", photos], "--verify can't go with --no-cache"),
        ("hf:timm/tiny", &["--card", photos], "--card can't go with --no-cache"),
        ("model.safetensors", &[], "--no-cache is for models on a hub"),
        ("hf:timm/tiny", &["--shard-size", "0"], "--shard-size"),
    ] {
        let refused = hubs.convert(folder.path(), source, "out", &[more, &["--no-cache"]].concat());
        assert_eq!(refused.code, 2, "{more:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(sentence), "{}", refused.stderr);
    }
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::write(folder.path().join("out/mine"), "").unwrap();
    let refused = hubs.convert(folder.path(), "hf:timm/tiny", "out", &["--no-cache"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(hubs.targets().is_empty(), "before anything is asked");
}

//! `hf:` against a local hub: cache layout, redirects, interruptions, damage.

mod support;

use hub::Error;
use server::Disturbance;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;
use support::{COMMIT, Host, HuggingFace, answer, content, download, in_turn, settings, sha256};

const REFERENCE: &str = "hf:timm/tiny";

fn hub() -> HuggingFace {
    HuggingFace::start(|_| Disturbance::None)
}

/// A fresh cache folder.
fn cache() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn fails(reference: &str, settings: &hub::Settings) -> Error {
    download(reference, settings).0.unwrap_err()
}

#[test]
fn the_cache_is_laid_out_as_pythons_and_the_second_run_fetches_nothing() {
    let (hub, cache) = (hub(), cache());
    let settings = hub.settings(cache.path());
    let (result, events) = download(REFERENCE, &settings);
    let first = result.unwrap();
    assert_eq!(first.path, hub.pointer(cache.path()));
    assert_eq!((first.bytes, first.transferred), (300_000, 300_000));
    assert_eq!((first.file.as_str(), first.commit.as_deref()), ("model.safetensors", Some(COMMIT)));
    assert_eq!(events, [r#"chosen model.safetensors, not ["pytorch_model.bin"]"#, "transfer"]);
    assert_eq!(fs::read(&first.path).unwrap(), hub.bytes);
    let link = fs::read_link(&first.path).unwrap();
    assert_eq!(link, Path::new("../../blobs").join(&hub.hash));
    assert!(fs::symlink_metadata(hub.blob(cache.path())).unwrap().is_file());
    assert!(!hub.partial(cache.path()).exists());
    let main = fs::read_to_string(hub.repository(cache.path()).join("refs/main")).unwrap();
    assert_eq!(main, COMMIT);
    let lock = format!(".locks/models--timm--tiny/{}.lock", hub.hash);
    assert!(cache.path().join(lock).is_file());

    hub.hub.forget();
    hub.storage.forget();
    let second = download(REFERENCE, &settings).0.unwrap();
    assert_eq!((second.path, second.transferred), (first.path, 0));
    assert_eq!(hub.storage.asked(), []);
    let methods: Vec<_> = hub.hub.asked().into_iter().map(|asked| asked.method).collect();
    assert_eq!(methods, ["GET", "HEAD"], "the listing, and the file's headers");
}

#[test]
fn the_token_is_for_the_hub_alone() {
    let (hub, cache) = (hub(), cache());
    download(REFERENCE, &hub.settings(cache.path())).0.unwrap();
    let at_hub = hub.hub.asked();
    assert_eq!(at_hub.len(), 3);
    assert!(at_hub.iter().all(|asked| asked.authorization.as_deref() == Some("Bearer hf_secret")));
    let at_storage = hub.storage.asked();
    assert_eq!(at_storage.len(), 1);
    assert_eq!((&at_storage[0].authorization, &at_storage[0].cookie), (&None, &None));
}

#[test]
fn a_redirect_away_and_back_does_not_bring_the_token_back() {
    // 127.0.0.1 (the hub) → localhost (another origin) → 127.0.0.1 again.
    let bytes = content();
    let hash = sha256(&bytes);
    let host = Host::start(&[("blob", &bytes)], move |request| {
        let port = request.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
        let tag = format!("\"{hash}\"");
        let linked = [("X-Linked-Etag", &*tag), ("X-Linked-Size", "300000"), ("X-Repo-Commit", COMMIT)];
        let redirect = |to: String, more: &[(&'static str, &str)]| {
            let mut headers = more.to_vec();
            headers.push(("Location", &to));
            answer(307, &headers, "")
        };
        match request.path() {
            "/timm/tiny/resolve/main/x.pth" => redirect("/timm/renamed/resolve/main/x.pth".into(), &[]),
            "/timm/renamed/resolve/main/x.pth" => redirect(format!("http://localhost:{port}/away"), &linked),
            "/away" => redirect(format!("http://127.0.0.1:{port}/blob"), &[]),
            _ => Disturbance::None,
        }
    });
    let cache = cache();
    download("hf:timm/tiny/x.pth", &settings(&host.url(), cache.path())).0.unwrap();
    let asked = host.asked();
    let told: Vec<_> = asked.iter().map(|a| (&*a.method, &*a.target, a.authorization.is_some())).collect();
    let (old, new) = ("/timm/tiny/resolve/main/x.pth", "/timm/renamed/resolve/main/x.pth");
    assert_eq!(
        told,
        [
            ("HEAD", old, true),
            ("HEAD", new, true),
            ("GET", old, true),
            ("GET", new, true),
            ("GET", "/away", false),
            ("GET", "/blob", false),
        ]
    );
}

#[test]
fn a_dropped_connection_is_taken_up_where_it_broke() {
    let hub = HuggingFace::start(in_turn(vec![
        Disturbance::HangUpAfter(100_000),
        Disturbance::HangUpAfter(0),
        Disturbance::HangUpAfter(50_000),
    ]));
    let cache = cache();
    let (result, events) = download(REFERENCE, &hub.settings(cache.path()));
    let done = result.unwrap();
    assert_eq!((done.transferred, fs::read(done.path).unwrap()), (300_000, content()));
    let from = |at: u64| (Some(format!("bytes={at}-")), 206);
    assert_eq!(hub.storage.ranges(), [(None, 200), from(100_000), from(100_000), from(150_000)]);
    let tags: Vec<_> = hub.storage.asked().into_iter().map(|asked| asked.if_range).collect();
    assert!(tags[0].is_none() && tags[1..].iter().all(Option::is_some), "{tags:?}");
    let retries = events.iter().filter(|event| event.starts_with("retry")).count();
    assert_eq!(retries, 3, "{events:?}");
}

#[test]
fn a_connection_that_always_drops_leaves_its_bytes_for_the_next_run() {
    let hub = HuggingFace::start(in_turn(vec![Disturbance::HangUpAfter(20_000); 5]));
    let cache = cache();
    let settings = hub.settings(cache.path());
    let error = fails(REFERENCE, &settings);
    assert!(matches!(error, Error::Interrupted { got: 100_000, expected: 300_000, .. }), "{error:?}");
    assert!(error.to_string().contains("run the same command again"), "{error}");
    assert_eq!(fs::metadata(hub.partial(cache.path())).unwrap().len(), 100_000);
    assert!(!hub.blob(cache.path()).exists() && !hub.pointer(cache.path()).exists());

    hub.storage.forget();
    let done = download(REFERENCE, &settings).0.unwrap();
    assert_eq!(hub.storage.ranges(), [(Some("bytes=100000-".into()), 206)]);
    assert_eq!((done.transferred, fs::read(done.path).unwrap()), (200_000, content()));
    assert!(!hub.partial(cache.path()).exists());
}

/// Puts bytes where an interrupted run leaves them.
fn leave_partial(hub: &HuggingFace, cache: &Path, bytes: &[u8]) {
    fs::create_dir_all(hub.partial(cache).parent().unwrap()).unwrap();
    fs::write(hub.partial(cache), bytes).unwrap();
}

#[test]
fn a_partial_file_is_used_for_what_it_is_worth() {
    let whole = content();
    let stale = vec![7; 100_000];
    let too_long = vec![7; 300_001];
    let ranges = |at: u64| Some(format!("bytes={at}-"));
    for (left, expected) in [
        (&whole[..123_456], vec![(ranges(123_456), 206)]),
        // Complete, but the earlier run ended before it was moved.
        (&whole[..], vec![]),
        (&stale[..], vec![(ranges(100_000), 206), (None, 200)]),
        (&too_long[..], vec![(None, 200)]),
    ] {
        let (hub, cache) = (hub(), cache());
        leave_partial(&hub, cache.path(), left);
        let done = download(REFERENCE, &hub.settings(cache.path())).0.unwrap();
        assert_eq!(fs::read(done.path).unwrap(), whole);
        assert_eq!(hub.storage.ranges(), expected, "{} bytes left", left.len());
    }
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let whole = content();
    let hub = HuggingFace::start(in_turn(vec![answer(200, &[], whole.clone())]));
    let cache = cache();
    leave_partial(&hub, cache.path(), &whole[..1000]);
    let (result, events) = download(REFERENCE, &hub.settings(cache.path()));
    let done = result.unwrap();
    assert_eq!((done.transferred, fs::read(done.path).unwrap()), (300_000, whole));
    assert!(events.contains(&"restart".into()), "{events:?}");
}

#[test]
fn wrong_parts_are_not_taken() {
    let whole = content();
    // The wrong place; no such part; the right place of a file of another length.
    let part = |range: &str| answer(206, &[("Content-Range", range)], whole[..10].to_vec());
    for odd in [part("bytes 0-9/300000"), answer(206, &[], "x"), answer(416, &[], "")] {
        let hub = HuggingFace::start(in_turn(vec![odd]));
        let cache = cache();
        leave_partial(&hub, cache.path(), &whole[..1000]);
        let done = download(REFERENCE, &hub.settings(cache.path())).0.unwrap();
        assert_eq!(fs::read(done.path).unwrap(), whole);
        assert_eq!(hub.storage.ranges()[1..], [(None, 200)]);
    }
    let hub = HuggingFace::start(in_turn(vec![part("bytes 1000-1009/299999")]));
    let cache = cache();
    leave_partial(&hub, cache.path(), &whole[..1000]);
    let error = fails(REFERENCE, &hub.settings(cache.path()));
    assert!(matches!(error, Error::Length { got: 299_999, .. }), "{error:?}");
}

#[test]
fn a_wrong_hash_is_named_and_nothing_is_kept() {
    let hub = HuggingFace::start(in_turn(vec![Disturbance::Corrupt(200_000)]));
    let cache = cache();
    let settings = hub.settings(cache.path());
    let error = fails(REFERENCE, &settings);
    let mut damaged = content();
    damaged[200_000] = !damaged[200_000];
    let sentence = error.to_string();
    for part in [&hub.hash, &sha256(&damaged), "have been removed", "run the same command again"] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
    for path in [hub.partial(cache.path()), hub.blob(cache.path()), hub.pointer(cache.path())] {
        assert!(!path.exists(), "{}", path.display());
    }
    assert_eq!(download(REFERENCE, &settings).0.unwrap().transferred, 300_000);
}

#[test]
fn a_file_of_another_length_is_refused() {
    let hub = HuggingFace::start(in_turn(vec![answer(200, &[], "short")]));
    let cache = cache();
    let error = fails(REFERENCE, &hub.settings(cache.path()));
    assert!(matches!(error, Error::Length { expected: 300_000, got: 5, .. }), "{error:?}");
}

#[test]
fn what_python_has_fetched_is_reused_and_damage_in_it_is_mended() {
    let (hub, cache) = (hub(), cache());
    let settings = hub.settings(cache.path());
    // Only the blob, as after another commit with the same file.
    fs::create_dir_all(hub.blob(cache.path()).parent().unwrap()).unwrap();
    fs::write(hub.blob(cache.path()), &hub.bytes).unwrap();
    let done = download(REFERENCE, &settings).0.unwrap();
    assert_eq!((done.path, done.transferred), (hub.pointer(cache.path()), 0));
    assert_eq!(hub.storage.asked(), []);

    let mut damaged = hub.bytes.clone();
    damaged[5] ^= 1;
    fs::write(hub.blob(cache.path()), damaged).unwrap();
    let (result, events) = download(REFERENCE, &settings);
    assert_eq!(result.unwrap().transferred, 300_000);
    assert!(events.contains(&"stale".into()), "{events:?}");
    assert_eq!(fs::read(hub.pointer(cache.path())).unwrap(), hub.bytes);

    // A copy instead of a link, as on a system without links.
    fs::remove_file(hub.pointer(cache.path())).unwrap();
    fs::rename(hub.blob(cache.path()), hub.pointer(cache.path())).unwrap();
    assert_eq!(download(REFERENCE, &settings).0.unwrap().transferred, 0);
}

#[test]
fn a_commit_in_the_cache_needs_no_network() {
    let (hub, cache) = (hub(), cache());
    let mut settings = hub.settings(cache.path());
    download(REFERENCE, &settings).0.unwrap();
    drop(hub.hub);
    settings.hugging_face.endpoint = "http://127.0.0.1:1".into();
    let (result, events) = download(&format!("{REFERENCE}@{COMMIT}"), &settings);
    assert_eq!(result.unwrap().transferred, 0);
    assert_eq!(events, ["chosen model.safetensors, not []", "checking"]);
    // A branch might have moved: that is said.
    let (result, events) = download(REFERENCE, &settings);
    assert_eq!(result.unwrap().transferred, 0);
    assert_eq!(events.last().map(String::as_str), Some("unreachable"));
}

#[test]
fn offline_only_the_cache_counts() {
    let (hub, cache) = (hub(), cache());
    let online = hub.settings(cache.path());
    let mut offline = online.clone();
    offline.offline = Some("HF_HUB_OFFLINE");
    let sentence = fails(REFERENCE, &offline).to_string();
    assert!(sentence.contains("HF_HUB_OFFLINE") && sentence.contains("hf:timm/tiny"), "{sentence}");
    assert_eq!(hub.hub.asked(), []);

    download(REFERENCE, &online).0.unwrap();
    hub.hub.forget();
    assert_eq!(download(REFERENCE, &offline).0.unwrap().path, hub.pointer(cache.path()));
    assert_eq!(hub.hub.asked(), []);

    fs::write(hub.blob(cache.path()), "damaged").unwrap();
    let error = fails(REFERENCE, &offline);
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
}

#[test]
fn two_at_once_fetch_once() {
    let hub = HuggingFace::start(in_turn(vec![Disturbance::Throttle(3_000_000)]));
    let cache = cache();
    let settings = hub.settings(cache.path());
    let transferred: Vec<u64> = thread::scope(|scope| {
        let run = || download(REFERENCE, &settings).0.unwrap().transferred;
        let runs = [scope.spawn(run), scope.spawn(run)];
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(transferred.iter().sum::<u64>(), 300_000, "{transferred:?}");
    assert_eq!(hub.storage.asked().len(), 1);
}

#[test]
fn an_address_that_has_run_out_is_asked_for_anew() {
    let hub = HuggingFace::start(in_turn(vec![answer(403, &[], "expired")]));
    let cache = cache();
    assert_eq!(download(REFERENCE, &hub.settings(cache.path())).0.unwrap().transferred, 300_000);
    assert_eq!(hub.storage.ranges(), [(None, 403), (None, 200)]);
}

#[test]
fn a_busy_hub_is_waited_for() {
    for (status, headers) in [(429, &[("Retry-After", "0")][..]), (429, &[]), (503, &[]), (500, &[])] {
        let headers = headers.to_vec();
        let turns = in_turn(vec![answer(status, &headers, "{}"); 2]);
        let hub = HuggingFace::start_with(
            |_| Disturbance::None,
            move |request| Some(turns(request)).filter(|disturbance| *disturbance != Disturbance::None),
        );
        let cache = cache();
        let (result, events) = download(REFERENCE, &hub.settings(cache.path()));
        assert_eq!(result.unwrap().transferred, 300_000, "{status}");
        assert!(events[0].starts_with("retry: 127.0.0.1:"), "{events:?}");
        assert_eq!(hub.hub.asked().len(), 2 + 3);
    }
}

#[test]
fn every_refusal_is_a_sentence_that_helps() {
    let listing = "/api/models/timm/tiny/revision/main";
    let file = "/timm/tiny/resolve/main/model.safetensors";
    let code = |code: &'static str| vec![("X-Error-Code", code)];
    let table = [
        (listing, 401, code("RepoNotFound"), &["private or gated", "misspelt", "HF_TOKEN"][..], 1),
        (listing, 403, code("GatedRepo"), &["private or gated", "/timm/tiny"], 1),
        (listing, 404, code("RepoNotFound"), &["has no model timm/tiny", "spelling"], 1),
        (listing, 404, code("RevisionNotFound"), &["has no revision main"], 1),
        (file, 404, code("EntryNotFound"), &["has no file model.safetensors"], 2),
        (listing, 429, vec![], &["429", "in a few minutes", "HF_TOKEN"], 5),
        (listing, 429, vec![("Retry-After", "3600")], &["429", "in 60 minutes"], 1),
        (listing, 500, vec![], &["status 500", "try again later"], 5),
        (listing, 418, vec![], &["status 418"], 1),
        (listing, 200, vec![], &["something unexpected"], 1),
    ];
    for (path, status, headers, parts, requests) in table {
        let refusal = answer(status, &headers, "no");
        let hub = HuggingFace::start_with(
            |_| Disturbance::None,
            move |request| (request.path() == path).then(|| refusal.clone()),
        );
        let cache = cache();
        let mut settings = hub.settings(cache.path());
        settings.hugging_face.token = None;
        let sentence = fails(REFERENCE, &settings).to_string();
        for part in parts {
            assert!(sentence.contains(part), "{status} {headers:?}: {part}: {sentence}");
        }
        assert_eq!(hub.hub.asked().len(), requests, "{status} {headers:?}");
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0, "nothing is left behind");
    }
    // With a token in use, another one is asked for.
    let hub = HuggingFace::start_with(|_| Disturbance::None, |_| Some(answer(403, &[], "")));
    let cache = cache();
    let sentence = fails(REFERENCE, &hub.settings(cache.path())).to_string();
    assert!(sentence.contains("the token in use has no access"), "{sentence}");
}

#[test]
fn a_hub_cannot_write_outside_its_cache() {
    let hub = HuggingFace::start_with(
        |_| Disturbance::None,
        |request| {
            (request.method == "HEAD").then(|| {
                let tag = "0".repeat(64);
                answer(200, &[("ETag", &*tag), ("X-Repo-Commit", "../../../../evil")], "x")
            })
        },
    );
    let cache = cache();
    let error = fails(REFERENCE, &hub.settings(cache.path()));
    assert!(error.to_string().contains("which commit"), "{error}");
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn a_small_file_is_checked_by_its_git_hash_and_without_a_hash_there_is_none() {
    // printf 'what is up, doc?' | git hash-object --stdin
    let blob = "bd9dbf5aae1a3862dd1526723246b20206e5fc37";
    for (tag, works) in [(blob, true), ("5f-3c", false)] {
        let hub = HuggingFace::start_with(
            |_| Disturbance::None,
            move |request| {
                let headers = [("ETag", &*format!("W/\"{tag}\"")), ("X-Repo-Commit", COMMIT)];
                (request.path() == "/timm/tiny/resolve/main/model.safetensors")
                    .then(|| answer(200, &headers, "what is up, doc?"))
            },
        );
        let cache = cache();
        match download(REFERENCE, &hub.settings(cache.path())).0 {
            Ok(done) if works => assert_eq!(done.bytes, 16),
            Err(Error::NoHash { .. }) if !works => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_hub_that_is_not_there_or_speaks_no_tls_is_named() {
    let cache = cache();
    let error = fails(REFERENCE, &settings("http://127.0.0.1:1", cache.path()));
    let sentence = error.to_string();
    assert!(
        sentence.starts_with("can't reach 127.0.0.1:1:") && sentence.contains("HF_ENDPOINT"),
        "{sentence}"
    );
    let hub = hub();
    let error = fails(REFERENCE, &settings(&hub.hub.url().replace("http", "https"), cache.path()));
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let (hub, cache) = (hub(), cache());
    fs::create_dir_all(hub.partial(cache.path()).parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/full", hub.partial(cache.path())).unwrap();
    let error = fails(REFERENCE, &hub.settings(cache.path()));
    assert!(matches!(error, Error::NoSpace { missing: 300_000, .. }), "{error:?}");
    assert!(error.to_string().contains("HF_HOME"), "{error}");
}

#[test]
fn a_silent_connection_is_given_up_for_another() {
    let hub = HuggingFace::start(in_turn(vec![Disturbance::Delay(Duration::from_secs(3))]));
    let cache = cache();
    let mut settings = hub.settings(cache.path());
    settings.retries.read_timeout = Duration::from_millis(500);
    let (result, events) = download(REFERENCE, &settings);
    assert_eq!(result.unwrap().transferred, 300_000);
    assert!(events.iter().any(|event| event.starts_with("retry: can't reach localhost")), "{events:?}");
}

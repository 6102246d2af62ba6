//! The stand-ins for model hubs, as the command line's own client meets them, and as a browser does.

use hub::settings::{Proxies, Settings, Site};
use hub::{Download, Error, Event};
use server::Disturbance;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tempfile::TempDir;
use tests::hub_stand_in::{Behaviour, COMMIT, HubStandIn, Repository, html_page, lfs_pointer, status};

const HUGGING_FACE: &str = "hf:timm/tiny";
const MODELSCOPE: &str = "modelscope:timm/tiny";
const BYTES: u64 = 300_000;

struct Hub {
    stand_in: HubStandIn,
    folder: TempDir,
}

impl Hub {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let checkpoint = folder.path().join("model.safetensors");
        let content: Vec<u8> =
            (0..BYTES as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        fs::write(&checkpoint, content).unwrap();
        let mut repository = Repository::new("timm/tiny", &checkpoint);
        repository.small_files.push(("config.json".into(), b"{}".into()));
        Self { stand_in: HubStandIn::start(repository), folder }
    }

    fn content(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("model.safetensors")).unwrap()
    }

    /// Fetches into a fresh cache; also the errors that were retried.
    fn fetch(&self, reference: &str) -> (Result<Download, Error>, Vec<String>) {
        let site = || Site {
            endpoint: self.stand_in.url(),
            token: None,
            cache: tempfile::tempdir_in(self.folder.path()).unwrap().keep(),
        };
        let mut settings = Settings::read(&|name| (name == "HOME").then(|| "/nowhere".into())).unwrap();
        (settings.hugging_face, settings.modelscope) = (site(), site());
        settings.proxies = Proxies::default();
        settings.retries.first_pause = Duration::from_millis(1);
        let noted = std::cell::RefCell::new(Vec::new());
        let download = hub::download(&reference.parse().unwrap(), &settings, &|event| match event {
            Event::Retry { error, .. } => noted.borrow_mut().push(error.brief()),
            Event::Restart => noted.borrow_mut().push("restart".into()),
            _ => {}
        });
        (download, noted.into_inner())
    }

    fn sentence(&self, reference: &str) -> String {
        self.fetch(reference).0.unwrap_err().to_string()
    }

    fn ranges(&self) -> Vec<(Option<String>, u16)> {
        self.stand_in.transfers().into_iter().map(|record| (record.range, record.status)).collect()
    }
}

#[test]
fn both_hubs_give_the_checkpoint_from_the_storage_server() {
    let hub = Hub::start();
    for reference in [HUGGING_FACE, MODELSCOPE] {
        hub.stand_in.forget();
        let (download, noted) = hub.fetch(reference);
        let download = download.unwrap();
        assert_eq!((download.file.as_str(), download.commit.as_deref()), ("model.safetensors", Some(COMMIT)));
        assert_eq!(fs::read(download.path).unwrap(), hub.content());
        assert_eq!(noted, Vec::<String>::new());
        let asked = hub.stand_in.asked_of_hub();
        assert!(asked.iter().any(|record| record.status == 302), "{asked:?}");
        assert_eq!(hub.ranges(), [(None, 200)]);
    }
}

#[test]
fn a_transfer_that_is_cut_goes_on_where_parts_are_sent_and_begins_anew_elsewhere() {
    let part = || Some("bytes=100000-".to_owned());
    for (what, range, expected, noted) in [
        ("parts are sent", true, vec![(None, 200), (part(), 206)], 1),
        ("parts are not sent", false, vec![(None, 200), (part(), 200)], 2),
    ] {
        let hub = Hub::start();
        hub.stand_in.set(|behaviour| {
            behaviour.range = range;
            behaviour.next_transfers.push_back(Disturbance::HangUpAfter(100_000));
        });
        let (download, events) = hub.fetch(HUGGING_FACE);
        assert_eq!(fs::read(download.unwrap().path).unwrap(), hub.content(), "{what}");
        assert_eq!((hub.ranges(), events.len()), (expected, noted), "{what}: {events:?}");
        assert!(hub.stand_in.transfers()[1].if_range.is_some(), "{what}");
    }
}

#[test]
fn each_fault_is_played() {
    let changed = |change: fn(&mut Behaviour)| {
        let hub = Hub::start();
        hub.stand_in.set(change);
        hub
    };
    for (what, change, words) in [
        ("altered byte", (|b| b.altered_byte = Some(170_000)) as fn(&mut Behaviour), "arrived damaged"),
        ("wrong hash", |b| b.told_sha256 = Some("0a".repeat(32)), "arrived damaged"),
        ("no access", |b| b.instead_of_listing = Some(status(401, &[])), "private or gated"),
        ("forbidden", |b| b.instead_of_listing = Some(status(403, &[])), "private or gated"),
        ("not there", |b| b.instead_of_listing = Some(status(404, &[])), "has no model timm/tiny"),
        ("html", |b| b.instead_of_listing = Some(html_page()), "something unexpected"),
        ("busy", |b| b.instead_of_checkpoint = Some(status(503, &[])), "status 503"),
        (
            "too many requests",
            |b| b.instead_of_listing = Some(status(429, &[("Retry-After", "1000".into())])),
            "too many requests",
        ),
        ("a pointer", |b| b.instead_of_checkpoint = Some(lfs_pointer(&"0a".repeat(32), BYTES)), "bytes, but"),
        ("always cut", |b| b.every_transfer = Disturbance::HangUpAfter(1000), "interrupted after 5000 of"),
    ] {
        for reference in [HUGGING_FACE, MODELSCOPE] {
            let sentence = changed(change).sentence(reference);
            assert!(sentence.contains(words), "{what}, {reference}: {sentence}");
        }
    }
    let hub = Hub::start();
    for (reference, words) in [
        ("hf:timm/other", "has no model timm/other"),
        ("hf:timm/tiny@v9", "has no revision v9"),
        ("hf:timm/tiny/other.pth", "has no file other.pth"),
        ("modelscope:timm/other", "has no model timm/other"),
    ] {
        let sentence = hub.sentence(reference);
        assert!(sentence.contains(words), "{reference}: {sentence}");
    }
}

/// Status and head.
fn ask(url: &str, method: &str, headers: &str) -> (u16, String) {
    let url = url::Url::parse(url).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
    let target = &url[url::Position::BeforePath..];
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: hub\r\nOrigin: http://page\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = String::from_utf8_lossy(&answer).split("\r\n\r\n").next().unwrap().to_owned();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head)
}

#[test]
fn pages_of_other_sites_may_read_what_the_switches_allow() {
    let hub = Hub::start();
    let listing = format!("{}/api/models/timm/tiny/revision/main?blobs=true", hub.stand_in.url());
    let file = format!("{}/timm/tiny/resolve/main/model.safetensors", hub.stand_in.url());
    let header = |head: &str, name: &str| {
        head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned)).unwrap()
    };
    let (redirect, head) = ask(&file, "GET", "");
    let stored = header(&head, "Location");
    assert!(redirect == 302 && !stored.starts_with(&hub.stand_in.url()), "{head}");
    let preflight =
        "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: if-range,range\r\n";
    let allows = "Access-Control-Allow-Origin: ";
    assert!(ask(&listing, "GET", "").1.contains(&format!("{allows}http://page")));
    let (ok, head) = ask(&stored, "GET", "Range: bytes=5-9\r\n");
    assert_eq!(ok, 206, "{head}");
    assert!(head.contains(&format!("{allows}*")) && head.contains("Expose-Headers: ETag"), "{head}");
    let (ok, head) = ask(&stored, "OPTIONS", preflight);
    assert!(ok == 200 && head.contains("Allow-Headers: if-range,range"), "{head}");
    let unsigned = stored.split('?').next().unwrap();
    assert_eq!(ask(unsigned, "GET", "").0, 403);

    hub.stand_in.set(|behaviour| behaviour.preflight = false);
    for url in [&listing, &stored] {
        let (refused, head) = ask(url, "OPTIONS", preflight);
        assert!(refused == 403 && !head.contains(allows), "{head}");
    }
    assert!(ask(&stored, "GET", "").1.contains(allows), "a plain request is allowed");
    hub.stand_in.set(|behaviour| (behaviour.hub_cors, behaviour.storage_cors) = (false, false));
    for url in [&listing, &file, &stored] {
        assert!(!ask(url, "GET", "").1.contains(allows));
    }

    let tag = |head: &str| header(head, "ETag");
    let before = tag(&ask(&stored, "GET", "").1);
    hub.stand_in.change_etag();
    assert_ne!(tag(&ask(&stored, "GET", "").1), before);
    assert_eq!(ask(&stored, "GET", &format!("Range: bytes=5-\r\nIf-Range: {before}\r\n")).0, 200);
}

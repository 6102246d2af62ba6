//! A hub and a storage server on this machine, and what was asked of them.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use hub::settings::{Proxies, Settings, Site, Token};
use hub::{Download, Error, Event, Reference};
use server::{Disturbance, Options, Record, Request, Server};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// 300,000 bytes that tell their places apart.
pub fn content() -> Vec<u8> {
    (0..300_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One request and what it said about who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    pub target: String,
    pub authorization: Option<String>,
    pub cookie: Option<String>,
    pub if_range: Option<String>,
}

/// A server whose every answer a function can replace.
pub struct Host {
    server: Server,
    folder: TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Host {
    pub fn start(
        files: &[(&str, &[u8])],
        answer: impl Fn(&Request) -> Disturbance + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let disturb = move |request: &Request| {
            let header = |name| request.header(name).map(str::to_owned);
            log.lock().unwrap().push(Asked {
                method: request.method.clone(),
                target: request.target.clone(),
                authorization: header("authorization"),
                cookie: header("cookie"),
                if_range: header("if-range"),
            });
            answer(request)
        };
        let options =
            Options { disturb: Some(Box::new(disturb)), record: true, ..Options::new(folder.path()) };
        Self { server: Server::start(options).unwrap(), folder, asked }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.server.url().trim_end_matches('/').to_owned()
    }

    /// The same server by its other name, which is another origin.
    pub fn other_url(&self) -> String {
        self.url().replace("127.0.0.1", "localhost")
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn records(&self) -> Vec<Record> {
        self.server.requests()
    }

    /// Of each request: range, status.
    pub fn ranges(&self) -> Vec<(Option<String>, u16)> {
        self.records().into_iter().map(|record| (record.range, record.status)).collect()
    }

    pub fn forget(&self) {
        self.server.forget_requests();
        self.asked.lock().unwrap().clear();
    }
}

pub fn answer(status: u16, headers: &[(&'static str, &str)], body: impl Into<Vec<u8>>) -> Disturbance {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Disturbance::Answer { status, content_type: "application/json", headers, body: body.into() }
}

/// What a storage server does with the first request, the second and so on; then it behaves.
pub fn in_turn(disturbances: Vec<Disturbance>) -> impl Fn(&Request) -> Disturbance + Send + Sync + 'static {
    let queue = Mutex::new(disturbances.into_iter());
    move |_| queue.lock().unwrap().next().unwrap_or(Disturbance::None)
}

/// A Hugging Face hub that has `timm/tiny` with one large file, and the storage server that it leads to.
pub struct HuggingFace {
    pub hub: Host,
    pub storage: Host,
    pub bytes: Vec<u8>,
    pub hash: String,
}

impl HuggingFace {
    pub fn start(disturb_storage: impl Fn(&Request) -> Disturbance + Send + Sync + 'static) -> Self {
        Self::start_with(disturb_storage, |_| None)
    }

    /// `instead` may replace an answer of the hub itself.
    pub fn start_with(
        disturb_storage: impl Fn(&Request) -> Disturbance + Send + Sync + 'static,
        instead: impl Fn(&Request) -> Option<Disturbance> + Send + Sync + 'static,
    ) -> Self {
        let bytes = content();
        let hash = sha256(&bytes);
        let storage = Host::start(&[("blob", &bytes)], disturb_storage);
        let (location, tag) = (format!("{}/blob?signed", storage.other_url()), format!("\"{hash}\""));
        let length = bytes.len().to_string();
        let listing = format!(
            r#"{{"id":"timm/tiny","sha":"{COMMIT}","siblings":[{{"rfilename":"README.md"}},
               {{"rfilename":"model.safetensors"}},{{"rfilename":"pytorch_model.bin"}},
               {{"rfilename":"../../../evil.safetensors"}}]}}"#
        );
        let hub = Host::start(&[], move |request| {
            if let Some(disturbance) = instead(request) {
                return disturbance;
            }
            match request.path() {
                "/api/models/timm/tiny/revision/main" => answer(200, &[], &*listing),
                "/timm/tiny/resolve/main/model.safetensors" => answer(
                    302,
                    &[
                        ("Location", &location),
                        ("X-Linked-Etag", &tag),
                        ("X-Linked-Size", &length),
                        ("X-Repo-Commit", COMMIT),
                        ("ETag", "\"of the redirect\""),
                    ],
                    "",
                ),
                _ => answer(404, &[("X-Error-Code", "RepoNotFound")], "{}"),
            }
        });
        Self { hub, storage, bytes, hash }
    }

    pub fn repository(&self, cache: &Path) -> PathBuf {
        cache.join("models--timm--tiny")
    }

    pub fn blob(&self, cache: &Path) -> PathBuf {
        self.repository(cache).join("blobs").join(&self.hash)
    }

    pub fn partial(&self, cache: &Path) -> PathBuf {
        self.repository(cache).join("blobs").join(format!("{}.incomplete", self.hash))
    }

    pub fn pointer(&self, cache: &Path) -> PathBuf {
        self.repository(cache).join("snapshots").join(COMMIT).join("model.safetensors")
    }

    pub fn settings(&self, cache: &Path) -> Settings {
        settings(&self.hub.url(), cache)
    }
}

/// Both hubs at `endpoint`, each with a token, pauses too short to notice.
pub fn settings(endpoint: &str, cache: &Path) -> Settings {
    let site = |token| Site { endpoint: endpoint.into(), token: Token::new(token), cache: cache.into() };
    let mut settings = Settings::read(&|name| (name == "HOME").then(|| "/nowhere".into())).unwrap();
    settings.hugging_face = site("hf_secret");
    settings.modelscope = site("ms-secret");
    settings.proxies = Proxies::default();
    settings.retries.first_pause = Duration::from_millis(1);
    settings
}

/// Downloads and tells what was announced meanwhile, one line an event, repeated progress once.
pub fn download(reference: &str, settings: &Settings) -> (Result<Download, Error>, Vec<String>) {
    let reference: Reference = reference.parse().unwrap();
    let lines = RefCell::new(Vec::<String>::new());
    let result = hub::download(&reference, settings, &|event| {
        let line = match event {
            Event::Chosen { file, others } => format!("chosen {file}, not {others:?}"),
            Event::Part { file, number, of } => format!("part {number} of {of}: {file}"),
            Event::Waiting => "waiting".into(),
            Event::Checking { .. } => "checking".into(),
            Event::Transfer { .. } => "transfer".into(),
            Event::Retry { error, .. } => format!("retry: {}", error.brief()),
            Event::Restart => "restart".into(),
            Event::Stale { .. } => "stale".into(),
            Event::Unreachable { .. } => "unreachable".into(),
        };
        let mut lines = lines.borrow_mut();
        if lines.last() != Some(&line) || line.starts_with("retry") {
            lines.push(line);
        }
    });
    (result, lines.into_inner())
}

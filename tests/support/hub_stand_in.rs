//! Hugging Face and ModelScope on this machine, with one model: a server that answers as both hubs do, and the storage
//! server that it redirects to, which is another origin. Their faults are played by [`Behaviour`].

mod behaviour;
mod hugging_face;
mod modelscope;
mod storage;

pub use behaviour::{Behaviour, html_page, lfs_pointer, status};

use crate::site;
use server::{Disturbance, Options, Record, Request, Server};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tempfile::TempDir;

/// The commit of every file.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A model's repository.
#[derive(Clone, Debug)]
pub struct Repository {
    /// `OWNER/NAME`
    pub name: String,
    /// The checkpoint, served under its own file name. Others in its folder are not listed.
    pub checkpoint: PathBuf,
    /// The other files, such as `config.json`: name and content.
    pub small_files: Vec<(String, Vec<u8>)>,
    /// What Hugging Face's listing says in `cardData`.
    pub license: Option<String>,
}

impl Repository {
    /// A repository with nothing beside the checkpoint.
    pub fn new(name: &str, checkpoint: &Path) -> Self {
        Self { name: name.into(), checkpoint: checkpoint.into(), small_files: Vec::new(), license: None }
    }

    fn file(&self) -> &str {
        self.checkpoint.file_name().and_then(|name| name.to_str()).expect("a file name")
    }

    fn small_file(&self, name: &str) -> Option<&[u8]> {
        let file = self.small_files.iter().find(|(other, _)| other == name);
        file.map(|(_, content)| content.as_slice())
    }
}

/// Both servers. They stop when it is dropped.
pub struct HubStandIn {
    hub: Server,
    storage: Server,
    behaviour: Arc<Mutex<Behaviour>>,
    checkpoint: PathBuf,
    _empty: TempDir,
}

/// What the answers are made of.
struct Shared {
    repository: Repository,
    bytes: u64,
    sha256: String,
    storage: String,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl HubStandIn {
    /// Starts both on free ports.
    pub fn start(repository: Repository) -> Self {
        let checkpoint = repository.checkpoint.canonicalize().expect("a checkpoint");
        let folder = checkpoint.parent().expect("its folder").to_owned();
        let behaviour = Arc::new(Mutex::new(Behaviour::default()));
        let storage = {
            let behaviour = behaviour.clone();
            let sent_as = checkpoint.clone();
            start(folder, move |request| storage::answer(request, &sent_as, &mut lock(&behaviour)))
        };
        let shared = Shared {
            bytes: fs::metadata(&checkpoint).expect("a checkpoint").len(),
            sha256: site::sha256(&checkpoint),
            storage: storage.url(),
            behaviour: behaviour.clone(),
            repository,
        };
        let empty = TempDir::new().expect("a folder");
        let hub = start(empty.path().to_owned(), move |request| answer(request, &shared));
        Self { hub, storage, behaviour, checkpoint, _empty: empty }
    }

    /// The hubs' address, without a slash at the end.
    pub fn url(&self) -> String {
        self.hub.url().trim_end_matches('/').to_owned()
    }

    /// Changes how requests are answered from now on.
    pub fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.behaviour));
    }

    /// All that the hub was asked.
    pub fn asked_of_hub(&self) -> Vec<Record> {
        self.hub.requests()
    }

    /// All that the storage server was asked.
    pub fn asked_of_storage(&self) -> Vec<Record> {
        self.storage.requests()
    }

    /// The transfers of the checkpoint, preflights left out.
    pub fn transfers(&self) -> Vec<Record> {
        self.asked_of_storage().into_iter().filter(|record| record.method == "GET").collect()
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.hub.forget_requests();
        self.storage.forget_requests();
    }

    /// The storage server takes no address any more that the hub has led to so far.
    pub fn expire_addresses(&self) {
        self.set(|behaviour| behaviour.signature += 1);
    }

    /// Gives the checkpoint another `ETag`, as if it were another file of the same length.
    pub fn change_etag(&self) {
        let file = File::options().append(true).open(&self.checkpoint).expect("the checkpoint");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("another time");
    }
}

fn start(root: PathBuf, disturb: impl Fn(&Request) -> Disturbance + Send + Sync + 'static) -> Server {
    let options = Options {
        // Hubs know nothing of isolation; what they let pages read, each answer says.
        isolation: false,
        disturb: Some(Box::new(disturb)),
        record: true,
        ..Options::new(root)
    };
    Server::start(options).expect("a server on a free port")
}

/// What the hub's server says.
fn answer(request: &Request, shared: &Shared) -> Disturbance {
    let behaviour = lock(&shared.behaviour);
    if request.method == "OPTIONS" {
        return behaviour.preflight(request, behaviour.hub_cors);
    }
    let answer = hugging_face::answer(request, shared, &behaviour)
        .or_else(|| modelscope::answer(request, shared, &behaviour))
        .unwrap_or_else(|| status(404, &[]));
    let mut together = vec![answer];
    if behaviour.hub_cors {
        together.push(Disturbance::Headers(hugging_face::cors(request)));
    }
    Disturbance::All(together)
}

/// A redirect to the checkpoint on the storage server, which takes no address without a signature.
fn redirect_to_storage(
    shared: &Shared,
    behaviour: &Behaviour,
    headers: &[(&'static str, String)],
) -> Disturbance {
    let location = format!(
        "{}{}?response-content-type=application%2Foctet-stream&{}",
        shared.storage,
        shared.repository.file(),
        storage::signature(behaviour)
    );
    let mut headers = headers.to_vec();
    headers.push(("Location", location));
    status(302, &headers)
}

/// A small file, or an answer of the hub's interface.
fn content(name: &str, body: impl Into<Vec<u8>>, headers: &[(&'static str, String)]) -> Disturbance {
    Disturbance::Answer {
        status: 200,
        content_type: server::content_type(name),
        headers: headers.to_vec(),
        body: body.into(),
    }
}

/// The path and the query's parameters, decoded.
fn target(request: &Request) -> (String, Vec<(String, String)>) {
    let url = url::Url::parse(&format!("http://hub{}", request.target)).expect("an address");
    (url.path().to_owned(), url.query_pairs().into_owned().collect())
}

fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock(behaviour: &Mutex<Behaviour>) -> MutexGuard<'_, Behaviour> {
    behaviour.lock().unwrap_or_else(PoisonError::into_inner)
}

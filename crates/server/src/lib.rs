//! A static file server for one folder, with the headers that cross-origin isolation needs.
//!
//! It answers `GET` and `HEAD` over HTTP/1.1 from a thread per connection, streams files, knows byte
//! ranges and validators, and listens on this machine alone by default. Tests can listen
//! to what was asked ([`Server::requests`]) and disturb any answer ([`Options::disturb`]): that is
//! why it speaks HTTP itself, since a library that owns the socket can't hang up half-way.
//!
//! ```no_run
//! let server = server::Server::start(server::Options::new("dist"))?;
//! println!("{}", server.url());
//! server.join();
//! # Ok::<(), server::Error>(())
//! ```

#![warn(missing_docs)]

mod answer;
mod connection;
mod date;
mod disturbance;
mod mime;
mod range;
mod request;
mod resolve;

pub use disturbance::Disturbance;
pub use mime::content_type;
pub use request::Request;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

macro_rules! page_policy {
    () => {
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
         worker-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; \
         connect-src 'self' blob: https: http://localhost:* http://127.0.0.1:*; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'"
    };
}

/// What a page of the site may load and do: scripts, styles and workers are files of the site and nothing
/// else. `index.html` says the same.
///
/// `connect-src`: the visitor may name a model or a picture on another host.
pub const PAGE_POLICY: &str = page_policy!();

/// The header `Content-Security-Policy`: the [`PAGE_POLICY`], which only a header tells to workers, and that no page of
/// another origin frames this one, which only a header can say.
pub const CONTENT_SECURITY_POLICY: &str = concat!(page_policy!(), "; frame-ancestors 'self'");

/// What to serve, where and how.
pub struct Options {
    /// The folder whose files are served.
    pub root: PathBuf,
    /// The address to listen on; 127.0.0.1 keeps the server to this machine.
    pub host: IpAddr,
    /// The port to listen on; 0 takes any free one.
    pub port: u16,
    /// Sends the headers that make a page `crossOriginIsolated`.
    pub isolation: bool,
    /// Lets pages of other origins fetch the files.
    pub cross_origin: bool,
    /// The path that `root` appears under: `/`, or `/any/sub/path/`.
    pub prefix: String,
    /// Asked before each answer, so that a test can play a bad network.
    pub disturb: Option<Disturb>,
    /// Keeps a record of every answered request for [`Server::requests`].
    pub record: bool,
}

/// See [`Options::disturb`].
pub type Disturb = Box<dyn Fn(&Request) -> Disturbance + Send + Sync>;

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `GET`, `HEAD` or what else was asked.
    pub method: String,
    /// The path as it was asked, with its query.
    pub target: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-Range` header.
    pub if_range: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Length of the answer's body in bytes, sent or, for `HEAD`, announced.
    pub length: u64,
}

impl Options {
    /// Serves `root` at `/` on any free port of 127.0.0.1, with cross-origin isolation.
    pub fn new(root: impl Into<PathBuf>) -> Options {
        Options {
            root: root.into(),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            isolation: true,
            cross_origin: false,
            prefix: "/".into(),
            disturb: None,
            record: false,
        }
    }
}

/// Why the server did not start.
#[derive(Debug)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum Error {
    /// The folder to serve is not there, or is no folder.
    Root { path: PathBuf, source: io::Error },
    /// The prefix does not start and end with a slash.
    Prefix { got: String },
    /// Another program listens on the address.
    PortInUse { address: SocketAddr },
    /// The address can't be listened on for another reason.
    Listen { address: SocketAddr, source: io::Error },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Root { path, source } => {
                write!(f, "the folder {} can't be served: {source}", path.display())
            }
            Error::Prefix { got } => {
                write!(f, "the path to serve under must start and end with a slash, got {got:?}")
            }
            Error::PortInUse { address } => write!(
                f,
                "port {} on {} is in use by another program: stop that program, or choose another port, such as --port {}",
                address.port(),
                address.ip(),
                address.port().checked_add(1).unwrap_or(8080),
            ),
            Error::Listen { address, source } => write!(f, "can't listen on {address}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Root { source, .. } | Error::Listen { source, .. } => Some(source),
            Error::Prefix { .. } | Error::PortInUse { .. } => None,
        }
    }
}

/// A running server; it stops when dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

/// What every connection's thread sees.
struct Shared {
    /// [`Options::root`], canonical.
    root: PathBuf,
    options: Options,
    stopping: AtomicBool,
    /// The open connections, so that stopping can close them.
    connections: Mutex<Vec<(u64, TcpStream)>>,
    records: Mutex<Vec<Record>>,
}

impl Server {
    /// Starts to listen and answers from threads of its own.
    ///
    /// # Errors
    /// [`Error`], when the folder, the prefix or the port is unusable.
    pub fn start(options: Options) -> Result<Server, Error> {
        let root_error = |source| Error::Root { path: options.root.clone(), source };
        let root = options.root.canonicalize().map_err(root_error)?;
        if !root.is_dir() {
            return Err(root_error(io::ErrorKind::NotADirectory.into()));
        }
        if !options.prefix.starts_with('/') || !options.prefix.ends_with('/') {
            return Err(Error::Prefix { got: options.prefix.clone() });
        }
        let asked = SocketAddr::new(options.host, options.port);
        let listen_error = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => Error::PortInUse { address: asked },
            _ => Error::Listen { address: asked, source },
        };
        let listener = TcpListener::bind(asked).map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;

        let shared = Arc::new(Shared {
            root,
            options,
            stopping: AtomicBool::new(false),
            connections: Mutex::default(),
            records: Mutex::default(),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Ok(Server { shared, address, accepting: Some(accepting) })
    }

    /// The address it listens on, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the folder it serves, such as `http://127.0.0.1:8080/`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.shared.options.prefix)
    }

    /// The requests answered so far, oldest first, where [`Options::record`] asked for them.
    pub fn requests(&self) -> Vec<Record> {
        lock(&self.shared.records).clone()
    }

    /// Forgets the requests answered so far.
    pub fn forget_requests(&self) {
        lock(&self.shared.records).clear();
    }

    /// Serves until the process ends.
    pub fn join(mut self) {
        if let Some(accepting) = self.accepting.take() {
            // A panic of the accepting thread has already been reported by its hook.
            let _ = accepting.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; where listening failed meanwhile there is nothing to wake.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for (_, stream) in lock(&self.shared.connections).drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for id in 0.. {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok((stream, _)) = accepted else {
            // The client left before it was accepted, or descriptors ran out for a moment.
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let Ok(handle) = stream.try_clone() else { continue };
        lock(&shared.connections).push((id, handle));
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            connection::serve(&stream, &shared);
            lock(&shared.connections).retain(|(other, _)| *other != id);
        });
    }
}

/// Locks, also after another thread panicked: no lock here guards a half-made change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

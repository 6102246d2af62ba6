//! Everything that can go wrong, each as a sentence that says what to do.

use crate::hub::Hub;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "its messages say it")]
pub enum Error {
    /// A name that is no hub's.
    #[error(
        "{got} names no model: expected {prefix}:OWNER/NAME, then /FILE and @REVISION if need be; {reason}"
    )]
    Reference { got: String, prefix: &'static str, reason: &'static str },
    /// An environment variable that makes no sense.
    #[error("the environment variable {name} is unusable: expected {expected}, got {got:?}")]
    Setting { name: String, expected: &'static str, got: String },
    /// No folder to keep the file in.
    #[error("there is no home folder to keep the checkpoint in: set {variable} to a folder")]
    NoHome { variable: &'static str },
    /// 401, or 403 for what only some may have.
    #[error("{hub} does not give {repository} ({status}): {}", access_advice(*.hub, .repository, .endpoint, *.with_token))]
    Access { hub: Hub, repository: String, endpoint: String, status: u16, with_token: bool },
    /// 404 for the repository.
    #[error("{endpoint} has no model {repository}: check the spelling of owner and name")]
    NoRepository { repository: String, endpoint: String },
    /// 404 for the revision.
    #[error(
        "{repository} on {hub} has no revision {revision}: give a branch, a tag or a commit, or leave @{revision} out"
    )]
    NoRevision { hub: Hub, repository: String, revision: String },
    /// 404 for the file.
    #[error("{repository} on {hub} has no file {file}{}", list(". It has ", .files))]
    NoFile { hub: Hub, repository: String, file: String, files: Vec<String> },
    /// Nothing among the repository's files that looks like a checkpoint.
    #[error(
        "{repository} on {hub} has no checkpoint in its top folder (model.safetensors, pytorch_model.bin, *.pth…){}",
        list(". It has ", .files)
    )]
    NoCheckpoint { hub: Hub, repository: String, files: Vec<String> },
    /// Only parts of a checkpoint.
    #[error(
        "the checkpoint of {repository} on {hub} is split over {files} files, and the index that tells what is in which \
         (such as model.safetensors.index.json) is not there: save it as one file with PyTorch or safetensors and give \
         that file's path"
    )]
    Split { hub: Hub, repository: String, files: usize },
    /// An index that says nothing sensible.
    #[error("{} is no index of a split checkpoint: {reason}", .path.display())]
    Index { path: PathBuf, reason: String },
    /// 429, still after waiting.
    #[error(
        "{host} has had too many requests from here (429): try again {}; with {variable} set it allows more",
        when(.wait)
    )]
    TooManyRequests { host: String, wait: Option<Duration>, variable: &'static str },
    /// A status of server failure, still after the retries.
    #[error("{host} can't answer at the moment (status {status}): try again later")]
    Server { host: String, status: u16, wait: Option<Duration> },
    /// No connection.
    #[error(
        "can't reach {host}{}: {reason}. Check the network, the proxy (HTTPS_PROXY, NO_PROXY) and {variable}",
        through(.proxy)
    )]
    Unreachable { host: String, proxy: Option<String>, reason: String, variable: &'static str },
    /// A connection that can't be trusted.
    #[error(
        "the connection to {host} can't be made safe: {reason}. Behind a proxy that signs with a certificate of its \
         own, set SSL_CERT_FILE to that certificate's PEM file"
    )]
    Tls { host: String, reason: String },
    /// A connection that ended too soon, again and again.
    #[error(
        "the transfer from {host} was interrupted after {got} of {expected} bytes ({reason}): run the same command \
         again, it goes on from there"
    )]
    Interrupted { host: String, got: u64, expected: u64, reason: String },
    /// The same of a transfer that leaves nothing to go on from.
    #[error(
        "the transfer from {host} was interrupted after {got} of {expected} bytes ({reason}), and nothing of it is kept: \
         run the same command again, or let it use the cache, which keeps what came"
    )]
    InterruptedStream { host: String, got: u64, expected: u64, reason: String },
    /// An answer that is not what the hub's API promises.
    #[error("{url} answered something unexpected: {reason}")]
    Answer { url: String, reason: String },
    /// A file of another length than the hub says.
    #[error("{file} has {got} bytes, but {hub} says {expected}: try again, the model may just be changing")]
    Length { hub: Hub, file: String, expected: u64, got: u64 },
    /// Bytes that are not the ones the hub hashed.
    #[error(
        "{file} arrived damaged: its {algorithm} is {got}, but {hub} says {expected}. The bytes have been removed: run \
         the same command again; if it happens again, a proxy or a mirror on the way changes them"
    )]
    Hash { hub: Hub, file: String, algorithm: &'static str, expected: String, got: String },
    /// A cached file that is damaged, and no network to fetch it again.
    #[error("{} is damaged: delete it and run the command again with access to the network", .path.display())]
    Damaged { path: PathBuf },
    /// A server that gives no hash.
    #[error(
        "{url} gives no SHA-256 or Git hash of {file}, so the file can't be checked: use another endpoint, or download \
         it by hand and give its path"
    )]
    NoHash { url: String, file: String },
    /// Forbidden to ask, and not in the cache.
    #[error("{repository} is not in the cache {}, and {variable} forbids to download it", .cache.display())]
    Offline { repository: String, cache: PathBuf, variable: &'static str },
    /// Forbidden to ask, and the cache is not to be used.
    #[error("{variable} forbids to download {repository}: unset it, or use the cache")]
    Forbidden { repository: String, variable: &'static str },
    /// A full disk.
    #[error(
        "no space is left for {file} in {} ({missing} bytes are missing): free some, or set {variable} to a folder on \
         another disk, and run the same command again",
        .path.display()
    )]
    NoSpace { file: String, path: PathBuf, missing: u64, variable: &'static str },
    /// Another fault of the file system.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

#[cfg(feature = "client")]
impl Error {
    /// For `map_err`.
    pub(crate) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn answer(url: &str, reason: impl Into<String>) -> Self {
        Self::Answer { url: url.to_owned(), reason: reason.into() }
    }

    /// Whether the hub answered that there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoFile { .. } | Self::NoRepository { .. } | Self::NoRevision { .. })
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        self.transient().is_some()
    }

    /// Whether the error is transient, and how long the server asks to wait.
    pub(crate) fn transient(&self) -> Option<Option<Duration>> {
        match self {
            Self::TooManyRequests { wait, .. } | Self::Server { wait, .. } => Some(*wait),
            Self::Unreachable { .. } | Self::Interrupted { .. } => Some(None),
            _ => None,
        }
    }
}

impl Error {
    /// The fault alone, without what to do about it: for the message that it is retried.
    pub fn brief(&self) -> String {
        match self {
            Self::TooManyRequests { host, .. } => format!("{host} has had too many requests from here"),
            Self::Server { host, status, .. } => {
                format!("{host} can't answer at the moment (status {status})")
            }
            Self::Unreachable { host, proxy, reason, .. } => {
                format!("can't reach {host}{}: {reason}", through(proxy))
            }
            Self::Interrupted { host, got, expected, reason } => {
                format!("the transfer from {host} was interrupted after {got} of {expected} bytes ({reason})")
            }
            _ => self.to_string(),
        }
    }
}

fn access_advice(hub: Hub, repository: &str, endpoint: &str, with_token: bool) -> String {
    let variable = hub.token_variable();
    let page = hub.page(endpoint, repository);
    if with_token {
        format!(
            "the token in use has no access. See {page} (a gated model's terms must be accepted there first), and set \
             {variable} to a token that may read it"
        )
    } else {
        format!(
            "it is private or gated, or the name is misspelt. See {page}; if it is yours to read, set {variable} to an \
             access token"
        )
    }
}

/// At most twelve names.
fn list(introduction: &str, files: &[String]) -> String {
    const SHOWN: usize = 12;
    if files.is_empty() {
        return String::new();
    }
    let mut text = format!("{introduction}{}", files[..files.len().min(SHOWN)].join(", "));
    if files.len() > SHOWN {
        text += &format!(" and {} more", files.len() - SHOWN);
    }
    text
}

fn when(wait: &Option<Duration>) -> String {
    match wait {
        Some(wait) if wait.as_secs() >= 120 => format!("in {} minutes", wait.as_secs().div_ceil(60)),
        Some(wait) => format!("in {} seconds", wait.as_secs().max(1)),
        None => "in a few minutes".into(),
    }
}

fn through(proxy: &Option<String>) -> String {
    proxy.as_ref().map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default()
}

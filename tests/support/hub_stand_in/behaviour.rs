//! How the stand-ins answer, changeable while they run.

use server::{Disturbance, Request};
use std::collections::VecDeque;

/// What is well on both servers, and what is not.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The hub lets pages of other sites read its answers.
    pub hub_cors: bool,
    /// The storage server does.
    pub storage_cors: bool,
    /// `OPTIONS` is answered as browsers want it before they send headers that need leave; else it is refused with 403.
    pub preflight: bool,
    /// The storage server sends parts of a file; else it ignores `Range`.
    pub range: bool,
    /// What the hub answers in place of its listing.
    pub instead_of_listing: Option<Disturbance>,
    /// What the hub answers in place of the redirect to the checkpoint.
    pub instead_of_redirect: Option<Disturbance>,
    /// What the storage server answers in place of the checkpoint.
    pub instead_of_checkpoint: Option<Disturbance>,
    /// What is done to the next transfers of the checkpoint, in turn.
    pub next_transfers: VecDeque<Disturbance>,
    /// What is done to each transfer of the checkpoint.
    pub every_transfer: Disturbance,
    /// The signature that the storage server takes. Earlier ones have expired.
    pub signature: u64,
    /// The checkpoint's byte that is sent with its bits inverted.
    pub altered_byte: Option<u64>,
    /// The hash that the hub tells in place of the true one.
    pub told_sha256: Option<String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            hub_cors: true,
            storage_cors: true,
            preflight: true,
            range: true,
            instead_of_listing: None,
            instead_of_redirect: None,
            instead_of_checkpoint: None,
            next_transfers: VecDeque::new(),
            every_transfer: Disturbance::None,
            signature: 0,
            altered_byte: None,
            told_sha256: None,
        }
    }
}

impl Behaviour {
    /// The answer to a browser that asks whether it may send more than a plain `GET`.
    pub(super) fn preflight(&self, request: &Request, cors: bool) -> Disturbance {
        if !cors || !self.preflight {
            return status(403, &[]);
        }
        let wanted = request.header("access-control-request-headers").unwrap_or_default();
        status(
            200,
            &[
                ("Access-Control-Allow-Origin", "*".into()),
                ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS".into()),
                ("Access-Control-Allow-Headers", wanted.to_owned()),
                // A test may change its mind.
                ("Access-Control-Max-Age", "0".into()),
            ],
        )
    }
}

/// An answer without content.
pub fn status(status: u16, headers: &[(&'static str, String)]) -> Disturbance {
    Disturbance::Answer { status, content_type: "application/json", headers: headers.to_vec(), body: vec![] }
}

/// A page for people, as a proxy or a hotel's network sends it with a good status.
pub fn html_page() -> Disturbance {
    let body = "<!doctype html><title>Please log in</title><p>Please log in to use this network.".into();
    Disturbance::Answer { status: 200, content_type: "text/html; charset=utf-8", headers: vec![], body }
}

/// What a repository holds in place of a large file, where large files are not resolved.
pub fn lfs_pointer(sha256: &str, bytes: u64) -> Disturbance {
    let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {bytes}\n");
    Disturbance::Answer { status: 200, content_type: "text/plain", headers: vec![], body: text.into() }
}

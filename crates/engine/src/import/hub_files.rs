//! A repository's listing and its small files, and which of them is the checkpoint.

use super::fault::{Cause, Failure, Hub};
use crate::fetch::STALL_MS;
use crate::platform::{Body, Bytes, Caching, Clock, Get, Network, Platform, Response};
use crate::retry_budget::RetryBudget;
use crate::timeout::timeout;
use hub::{ListedFile, Listing, Reference};
use protocol::import::{Hubs, ImportFault};

/// The longest listing that is read.
const MAX_LISTING_BYTES: u64 = 16 << 20;

/// A repository on a hub, at one revision.
pub struct Repository {
    pub hub: Hub,
    reference: Reference,
    endpoint: String,
    listing: Listing,
}

impl Repository {
    /// Asks the hub for the repository that `checkpoint` names.
    pub async fn list<P: Platform>(platform: &P, checkpoint: &str, hubs: &Hubs) -> Result<Self, ImportFault> {
        let reference: Reference = checkpoint.parse().map_err(|error| match error {
            hub::Error::Reference { got, reason, .. } => {
                ImportFault::NotAReference { got, reason: reason.into() }
            }
            error => ImportFault::NotAReference { got: checkpoint.into(), reason: error.to_string() },
        })?;
        let own = match reference.hub {
            hub::Hub::HuggingFace => &hubs.hf,
            hub::Hub::ModelScope => &hubs.modelscope,
        };
        let endpoint = own.as_deref().unwrap_or(reference.hub.endpoint()).trim_end_matches('/').to_owned();
        let asked = Hub {
            host: platform.network().host(&endpoint).unwrap_or_else(|| endpoint.clone()),
            page: reference.page(&endpoint),
            checkpoint: checkpoint.into(),
        };
        let url = reference.listing_address(&endpoint);
        let json = small(platform, &asked, &url, MAX_LISTING_BYTES).await?;
        let listing = Listing::parse(reference.hub, &json).map_err(|reason| asked.answer(reason))?;
        Ok(Self { hub: asked, reference, endpoint, listing })
    }

    /// The model's name, as the command line takes it from a reference.
    pub fn name(&self) -> &str {
        &self.reference.name
    }

    /// The checkpoint among its files.
    pub fn checkpoint(&self) -> Result<&ListedFile, ImportFault> {
        let page = || self.hub.page.clone();
        let choice = hub::choose(&self.reference, &self.listing.names()).map_err(|error| match error {
            hub::Error::NoFile { .. } => self.hub.not_found(),
            hub::Error::Split { .. } => ImportFault::Split { page: page() },
            _ => ImportFault::NoCheckpoint { page: page() },
        })?;
        if hub::is_index(&choice.file) {
            return Err(ImportFault::Split { page: page() });
        }
        self.listing.file(&choice.file).ok_or_else(|| self.hub.not_found())
    }

    /// Where a file is fetched: of the listing's commit, so that it is the one whose hash the listing tells.
    pub fn address(&self, file: &str) -> String {
        let revision = self.listing.commit.as_deref().unwrap_or(self.reference.revision());
        self.reference.file_address(&self.endpoint, revision, file)
    }

    /// A small file's content; none if the repository has no such file.
    pub async fn read(
        &self,
        platform: &impl Platform,
        file: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, ImportFault> {
        if self.listing.file(file).is_none() {
            return Ok(None);
        }
        small(platform, &self.hub, &self.address(file), limit).await.map(Some)
    }
}

/// A GET to a hub. Every status that is no success is a failure, but for 416.
pub async fn get<P: Platform>(
    platform: &P,
    hub: &Hub,
    get: Get<'_>,
) -> Result<Response<<P::Network as Network>::Body>, Failure> {
    let answer = timeout(platform.clock(), STALL_MS, platform.network().get(get)).await;
    let response = answer.ok_or_else(stalled)?.map_err(Failure::lost)?;
    let Response { status, url, retry_after, media_type, .. } = &response;
    if !matches!(status, 200..=299 | 416) {
        let host = url.as_deref().and_then(|url| platform.network().host(url));
        return Err(hub.status(*status, host.as_deref(), *retry_after));
    }
    // A network that wants its terms agreed to, or a hub's page for signing in.
    if media_type.as_deref().is_some_and(|media| media.eq_ignore_ascii_case("text/html")) {
        return Err(hub.answer("it sent a web page and not the file").into());
    }
    Ok(response)
}

/// The next bytes of a body; none at its end.
pub async fn next<P: Platform>(
    platform: &P,
    body: &mut <P::Network as Network>::Body,
) -> Result<Option<P::Bytes>, Failure> {
    let next = timeout(platform.clock(), STALL_MS, body.next()).await;
    next.ok_or_else(stalled)?.map_err(Failure::lost)
}

fn stalled() -> Failure {
    Failure::lost(format!("nothing came for {} seconds", STALL_MS / 1_000))
}

/// A small file of at most `limit` bytes.
pub async fn small<P: Platform>(
    platform: &P,
    hub: &Hub,
    url: &str,
    limit: u64,
) -> Result<Vec<u8>, ImportFault> {
    with_retries(platform, hub, async || small_once(platform, hub, url, limit).await).await
}

/// Tries a few times, where that may help.
pub async fn with_retries<T>(
    platform: &impl Platform,
    hub: &Hub,
    attempt: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, ImportFault> {
    let mut budget = RetryBudget::default();
    loop {
        let Failure { cause, retry } = match attempt().await {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        match (retry.wait(&mut budget), cause) {
            (Some(wait), _) => platform.clock().sleep(wait).await,
            (None, Cause::Fault(fault)) => return Err(fault),
            (None, Cause::Lost(reason)) => return Err(hub.unreachable(reason)),
        }
    }
}

async fn small_once<P: Platform>(platform: &P, hub: &Hub, url: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    let request = Get { url, from: 0, length: None, caching: Caching::Confirmed };
    let mut response = get(platform, hub, request).await?;
    let mut bytes = Vec::new();
    while let Some(part) = next(platform, &mut response.body).await? {
        if bytes.len() as u64 + part.length() > limit {
            return Err(hub.answer(format!("{url} is longer than {limit} bytes")).into());
        }
        bytes.extend(part.to_vec());
        part.free();
    }
    Ok(bytes)
}

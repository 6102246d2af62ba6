//! Downloads with a size limit, a timeout for stalled connections, and resumption where the connection broke.

use crate::error::FetchError;
use crate::platform::{Body, Bytes, Caching, Clock, Get, Network, Platform, Response};
use crate::retry_budget::RetryBudget;
use crate::timeout::timeout;
use beit::weights::{Shard, ShardError};

/// A connection without a byte for so long is closed: a half-open one never reports an error.
pub const STALL_MS: u32 = 20_000;

/// A shard's bytes, checked against its size and SHA-256. A broken download is resumed; a damaged one is fetched again.
/// `progress` is called with the number of bytes received, negative for bytes that are discarded.
pub async fn shard<P: Platform>(
    platform: &P,
    url: &str,
    shard: &Shard,
    progress: &impl Fn(i64),
) -> Result<P::Bytes, FetchError> {
    let mut budget = RetryBudget::default();
    let mut download = Download::new(url, shard.bytes, STALL_MS);
    let mut caching = Caching::Usual;
    loop {
        let before = download.received;
        let error = match download.resume(platform, caching, progress).await {
            Ok(()) => match verify(shard, &mut download).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error.into(),
            },
            Err(error) => error,
        };
        if !can_resume_after(&error) {
            download.restart(progress);
        }
        budget.progressed(download.received.saturating_sub(before));
        // The browser's HTTP cache may hold the damaged bytes.
        caching = Caching::Nothing;
        let wait = budget.next_wait().filter(|_| error.is_transient());
        let Some(wait) = wait else {
            download.restart(progress);
            return Err(error);
        };
        platform.clock().sleep(wait).await;
    }
}

/// Whether the bytes before the error can be kept, and the rest requested.
fn can_resume_after(error: &FetchError) -> bool {
    match error {
        FetchError::Broken { .. } | FetchError::Stalled { .. } => true,
        // It ended early.
        FetchError::Damaged(ShardError::Size { expected, got, .. }) => got < expected,
        // 416: the range is what was refused.
        FetchError::Status { status, .. } => *status != 416,
        // Some servers on another origin may not be sent a range request.
        FetchError::Unreachable { .. } => false,
        FetchError::Damaged(_) | FetchError::TooLong { .. } | FetchError::WebPage { .. } => false,
    }
}

/// The bytes, if they are the shard's.
async fn verify<B: Bytes>(shard: &Shard, download: &mut Download<'_, B>) -> Result<B, ShardError> {
    shard.check_size(download.received)?;
    let bytes = download.bytes.take().unwrap_or_else(|| B::zeroed(0));
    shard.check_digest(bytes.sha256().await)?;
    Ok(bytes)
}

/// A small file of at most `limit` bytes, revalidated with the server. Fails after `timeout_ms` without a byte; no
/// retries.
pub async fn small<P: Platform>(
    platform: &P,
    url: &str,
    limit: u64,
    timeout_ms: u32,
) -> Result<Vec<u8>, FetchError> {
    let mut download = Download::<P::Bytes>::new(url, limit, timeout_ms);
    download.resume(platform, Caching::Confirmed, &|_| ()).await?;
    let length = download.received;
    Ok(download.bytes.map(|bytes| bytes.truncated(length).to_vec()).unwrap_or_default())
}

/// The same with a few more tries where they may help.
pub async fn small_with_retries<P: Platform>(
    platform: &P,
    url: &str,
    limit: u64,
) -> Result<Vec<u8>, FetchError> {
    let mut budget = RetryBudget::default();
    loop {
        let error = match small(platform, url, limit, STALL_MS).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => error,
        };
        match budget.next_wait().filter(|_| error.is_transient()) {
            Some(wait) => platform.clock().sleep(wait).await,
            None => return Err(error),
        }
    }
}

/// A download in progress.
struct Download<'a, B> {
    url: &'a str,
    /// The most bytes to take.
    limit: u64,
    timeout_ms: u32,
    /// Made once bytes come: an announced size alone is not believed.
    bytes: Option<B>,
    received: u64,
}

impl<'a, B: Bytes> Download<'a, B> {
    fn new(url: &'a str, limit: u64, timeout_ms: u32) -> Self {
        Self { url, limit, timeout_ms, bytes: None, received: 0 }
    }

    /// Requests and receives what is missing.
    async fn resume<P: Platform<Bytes = B>>(
        &mut self,
        platform: &P,
        caching: Caching,
        progress: &impl Fn(i64),
    ) -> Result<(), FetchError> {
        let url = self.url;
        let mut response = self.request(platform, caching).await?;
        if response.from != self.received {
            // The server sends all of it, whatever it was asked for.
            self.restart(progress);
        }
        loop {
            let next = timeout(platform.clock(), self.timeout_ms, response.body.next()).await;
            let part = next
                .ok_or_else(|| self.stalled())?
                .map_err(|reason| FetchError::Broken { url: url.into(), reason })?;
            let Some(part) = part else { return Ok(()) };
            let end = self.received + part.length();
            if end > self.limit {
                return Err(FetchError::TooLong { url: url.into(), limit: self.limit });
            }
            self.bytes.get_or_insert_with(|| B::zeroed(self.limit)).put(self.received, &part);
            self.received = end;
            progress(part.length() as i64);
            part.free();
        }
    }

    async fn request<P: Platform<Bytes = B>>(
        &self,
        platform: &P,
        caching: Caching,
    ) -> Result<Response<<P::Network as Network>::Body>, FetchError> {
        let url = self.url;
        let get = platform.network().get(Get { url, from: self.received, length: None, caching });
        let answer = timeout(platform.clock(), self.timeout_ms, get).await.ok_or_else(|| self.stalled())?;
        let response = answer.map_err(|reason| FetchError::Unreachable { url: url.into(), reason })?;
        if !(200..300).contains(&response.status) {
            return Err(FetchError::Status { url: url.into(), status: response.status });
        }
        // A network that wants its terms agreed to, or a server that shows its start page for whatever it lacks.
        if response.media_type.as_deref().is_some_and(|media| media.eq_ignore_ascii_case("text/html")) {
            return Err(FetchError::WebPage { url: url.into() });
        }
        if response.from != 0 && response.from != self.received {
            let reason =
                format!("asked for bytes from {} on, got those from {} on", self.received, response.from);
            return Err(FetchError::Broken { url: url.into(), reason });
        }
        Ok(response)
    }

    /// Discards what was received.
    fn restart(&mut self, progress: &impl Fn(i64)) {
        progress(-(self.received as i64));
        self.received = 0;
    }

    fn stalled(&self) -> FetchError {
        FetchError::Stalled { url: self.url.into(), seconds: self.timeout_ms / 1_000 }
    }
}

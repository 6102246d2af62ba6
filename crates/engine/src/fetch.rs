//! Fetching over the network, in pieces: with a hard limit on how much is taken, an end to silence, and from where the
//! connection broke.

use crate::error::FetchError;
use crate::platform::{Body, Bytes, Caching, Clock, Get, Network, Platform, Response};
use crate::retry_budget::RetryBudget;
use crate::within::within;
use beit::weights::{Shard, ShardError};

/// A server that sends no byte for so long is given up: a half-open connection never says that it is.
pub const STALL_MS: u32 = 20_000;

/// A shard's bytes, checked against its size and SHA-256. What breaks off goes on where it broke; what turns out damaged
/// comes anew. `progress` is told of bytes as they come, and of bytes that have to come again as a negative number.
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
        let error = match download.go_on(platform, caching, progress).await {
            Ok(()) => match whole(shard, &mut download).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error.into(),
            },
            Err(error) => error,
        };
        if !goes_on_after(&error) {
            download.begin_anew(progress);
        }
        budget.progressed(download.received.saturating_sub(before));
        // What the machine's own cache has of it may be what is wrong.
        caching = Caching::Nothing;
        let wait = budget.next_wait().filter(|_| error.is_passing());
        let Some(wait) = wait else {
            download.begin_anew(progress);
            return Err(error);
        };
        platform.clock().sleep(wait).await;
    }
}

/// Whether what came before the error is good, as far as can be told, and the server may be asked for the rest.
fn goes_on_after(error: &FetchError) -> bool {
    match error {
        FetchError::Broken { .. } | FetchError::Stalled { .. } => true,
        // It ended early.
        FetchError::Damaged(ShardError::Size { expected, got, .. }) => got < expected,
        // 416 is the answer to the very question.
        FetchError::Status { status, .. } => *status != 416,
        // To some servers on another origin a question for a part may not be sent.
        FetchError::Unreachable { .. } => false,
        FetchError::Damaged(_) | FetchError::TooLong { .. } | FetchError::WebPage { .. } => false,
    }
}

/// The bytes, if they are the shard's.
async fn whole<B: Bytes>(shard: &Shard, download: &mut Download<'_, B>) -> Result<B, ShardError> {
    shard.check_size(download.received)?;
    let bytes = download.bytes.take().unwrap_or_else(|| B::zeroed(0));
    shard.check_digest(bytes.sha256().await)?;
    Ok(bytes)
}

/// A small file, at most `limit` bytes of it, as the server has it now. Given up after `silence_ms` without a byte, and
/// not tried again.
pub async fn small<P: Platform>(
    platform: &P,
    url: &str,
    limit: u64,
    silence_ms: u32,
) -> Result<Vec<u8>, FetchError> {
    let mut download = Download::<P::Bytes>::new(url, limit, silence_ms);
    download.go_on(platform, Caching::Confirmed, &|_| ()).await?;
    let length = download.received;
    Ok(download.bytes.map(|bytes| bytes.truncated(length).to_vec()).unwrap_or_default())
}

/// A file on its way.
struct Download<'a, B> {
    url: &'a str,
    /// The most bytes to take.
    limit: u64,
    silence_ms: u32,
    /// Made once bytes come: an announced size alone is not believed.
    bytes: Option<B>,
    received: u64,
}

impl<'a, B: Bytes> Download<'a, B> {
    fn new(url: &'a str, limit: u64, silence_ms: u32) -> Self {
        Self { url, limit, silence_ms, bytes: None, received: 0 }
    }

    /// Fetches what has not come yet.
    async fn go_on<P: Platform<Bytes = B>>(
        &mut self,
        platform: &P,
        caching: Caching,
        progress: &impl Fn(i64),
    ) -> Result<(), FetchError> {
        let url = self.url;
        let mut response = self.ask(platform, caching).await?;
        if response.from != self.received {
            // The server sends all of it, whatever it was asked for.
            self.begin_anew(progress);
        }
        loop {
            let next = within(platform.clock(), self.silence_ms, response.body.next()).await;
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

    async fn ask<P: Platform<Bytes = B>>(
        &self,
        platform: &P,
        caching: Caching,
    ) -> Result<Response<<P::Network as Network>::Body>, FetchError> {
        let url = self.url;
        let get = platform.network().get(Get { url, from: self.received, caching });
        let answer = within(platform.clock(), self.silence_ms, get).await.ok_or_else(|| self.stalled())?;
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

    /// What has come has to come again.
    fn begin_anew(&mut self, progress: &impl Fn(i64)) {
        progress(-(self.received as i64));
        self.received = 0;
    }

    fn stalled(&self) -> FetchError {
        FetchError::Stalled { url: self.url.into(), seconds: self.silence_ms / 1_000 }
    }
}

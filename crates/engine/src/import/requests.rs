//! Which request brings the next bytes of a checkpoint.
//!
//! The first one has no header of its own: some storage servers of hubs fail the browser's preflight. A body that may
//! fill the memory before it is read is left for parts of bounded length (`Range`) once the host has sent one; until
//! then, and where it sends none, the whole body is read on. After a break the rest is requested, and where no part can
//! be, all of it.
//!
//! Parts are requested from the address that a redirect led to, as long as that answers: such addresses are signed and
//! expire, and some browsers drop `Range` on their way to another origin. Then the hub's own address is requested again.

use super::fault::{Cause, Failure, Hub, Retry};
use super::hub_files::get;
use crate::platform::{Caching, Get, Network, Platform, Response};

/// After so many tries in a row that could not request a part, all of it is requested.
const TRIES_FOR_A_PART: u32 = 2;

/// A response, and where in the file it ends if it is complete.
pub struct Source<B> {
    pub response: Response<B>,
    pub end: u64,
}

type SourceOf<P> = Source<<<P as Platform>::Network as Network>::Body>;

/// What is known of the file, and how much of it is converted.
#[derive(Clone, Debug)]
pub struct Point {
    pub converted: u64,
    pub total: u64,
    pub etag: Option<String>,
    /// Its SHA-256 is known, and checked at the end.
    pub has_hash: bool,
}

/// Why there is no response to read.
pub enum Refused {
    /// The file is another one than that of which the beginning was converted.
    Changed,
    Failed(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What was requested of one file so far.
pub struct Requests<'a, P> {
    platform: &'a P,
    hub: &'a Hub,
    url: &'a str,
    /// Where the last redirect led, while it answers.
    redirected: Option<String>,
    /// Whether parts were requested.
    tried_parts: bool,
    /// A part has come.
    has_parts: bool,
    /// Tries in a row that could not request a part.
    failed_parts: u32,
    /// Only all of it can be requested.
    whole: bool,
}

/// What a response to the request for a part is.
enum Part {
    Asked,
    /// All of the file.
    Whole,
    /// A part of a file that may be another one.
    OtherTag,
    /// A part of another file.
    OtherFile,
    /// Another part.
    Elsewhere(u64),
}

impl<'a, P: Platform> Requests<'a, P> {
    pub fn new(platform: &'a P, hub: &'a Hub, url: &'a str) -> Self {
        Self {
            platform,
            hub,
            url,
            redirected: None,
            tried_parts: false,
            has_parts: false,
            failed_parts: 0,
            whole: false,
        }
    }

    /// Requests what follows the converted bytes, or where that can't be, all of the file.
    pub async fn next(&mut self, point: &Point) -> Result<SourceOf<P>, Refused> {
        if point.converted == 0 {
            self.tried_parts = false;
        }
        if point.converted > 0 && !self.whole {
            match self.part(point).await {
                Ok(source) => {
                    self.failed_parts = 0;
                    match kind(&source.response, point) {
                        Part::Asked | Part::Whole => return Ok(source),
                        Part::OtherFile => return Err(Refused::Changed),
                        Part::Elsewhere(from) => return Err(self.elsewhere(point, from).into()),
                        // All of it is compared with what was converted.
                        Part::OtherTag => {}
                    }
                }
                // A network that is gone fails in the same way: only all of it that comes says that it was the request.
                Err(failure) if failure.is_lost() && !self.has_parts => {
                    self.failed_parts += 1;
                    if self.failed_parts < TRIES_FOR_A_PART {
                        return Err(failure.into());
                    }
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        let source = self.get(self.url, 0, point).await?;
        self.whole = point.converted > 0;
        self.redirected = self.redirect_of(&source);
        Ok(source)
    }

    /// A part of bounded length in place of a whole body that may fill the memory; none if that is to be read on.
    pub async fn part_in_place_of(&mut self, whole: &SourceOf<P>, point: &Point) -> Option<SourceOf<P>> {
        let is_long = point.total.saturating_sub(point.converted) > self.platform.network().part_bytes();
        if self.tried_parts || !is_long || whole.response.from > 0 || point.converted == 0 {
            return None;
        }
        let source = self.part(point).await.ok()?;
        matches!(kind(&source.response, point), Part::Asked).then_some(source)
    }

    /// Requests the next part, from the address that a redirect led to if there is one.
    async fn part(&mut self, point: &Point) -> Result<SourceOf<P>, Failure> {
        self.tried_parts = true;
        let known = self.redirected.take();
        if let Some(source) = self.part_of_redirected(known.clone(), point).await {
            return Ok(source);
        }
        let source = self.get(self.url, point.converted, point).await?;
        match kind(&source.response, point) {
            Part::Asked => {
                self.has_parts = true;
                self.redirected = self.redirect_of(&source);
            }
            // The header may have been lost on the way.
            Part::Whole => {
                let redirected = self.redirect_of(&source).filter(|url| known.as_ref() != Some(url));
                if let Some(part) = self.part_of_redirected(redirected, point).await {
                    return Ok(part);
                }
            }
            Part::OtherTag | Part::OtherFile | Part::Elsewhere(_) => {}
        }
        Ok(source)
    }

    /// The part, if this address gives it. Then the next one is requested there, too.
    async fn part_of_redirected(&mut self, url: Option<String>, point: &Point) -> Option<SourceOf<P>> {
        let url = url?;
        let source = self.get(&url, point.converted, point).await.ok()?;
        matches!(kind(&source.response, point), Part::Asked).then(|| {
            self.has_parts = true;
            self.redirected = Some(url);
            source
        })
    }

    /// Requests what follows the first `from` bytes: at most as many as may wait in memory, or all of it from the beginning.
    async fn get(&self, url: &str, from: u64, point: &Point) -> Result<SourceOf<P>, Failure> {
        let most = self.platform.network().part_bytes();
        let length = Some(most).filter(|most| from > 0 && point.total.saturating_sub(from) > *most);
        let request = Get { url, from, length, caching: Caching::NotKept };
        let response = get(self.platform, self.hub, request).await?;
        let asked = length.filter(|_| response.from == from);
        let end = asked.map_or(point.total, |length| from + length);
        Ok(Source { response, end })
    }

    fn redirect_of(&self, source: &SourceOf<P>) -> Option<String> {
        source.response.url.clone().filter(|url| url != self.url)
    }

    fn elsewhere(&self, point: &Point, from: u64) -> Failure {
        let reason = format!("asked for bytes from {} on, got those from {from} on", point.converted);
        Failure { cause: Cause::Fault(self.hub.answer(reason)), retry: Retry::After(0) }
    }
}

/// What came where the bytes after those that are converted were requested.
fn kind<B>(response: &Response<B>, point: &Point) -> Part {
    let same_length = response.length.is_none_or(|length| length == point.total);
    // A tag that is not told leaves it to the hash, where that is known.
    let same_tag = match (point.etag.as_deref(), response.etag.as_deref()) {
        (Some(before), Some(now)) => before == now,
        _ => point.has_hash,
    };
    match response.from {
        _ if response.status == 416 => Part::OtherFile,
        // What comes once more is compared byte for byte.
        0 => Part::Whole,
        _ if !same_length => Part::OtherFile,
        _ if !same_tag => Part::OtherTag,
        from if from != point.converted => Part::Elsewhere(from),
        _ => Part::Asked,
    }
}

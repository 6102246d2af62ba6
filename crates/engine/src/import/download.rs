//! The checkpoint by one GET, and after a break the rest of it.
//!
//! The first request has no header of its own: some storage servers of hubs fail the browser's preflight. After a break the
//! rest is asked for, if it is still the same file's (`Range`, `If-Range`); where such a request can't be made, `Range`
//! alone; and where that can't be made either, all of it once more. What was converted is not converted again then.

use super::fault::{Cause, Failure, Hub, Retry};
use super::hub_files::{get, next};
use super::incoming::{Incoming, Refusal};
use crate::platform::{Caching, Clock, Get, Network, Platform, Response};
use crate::retry_budget::RetryBudget;
use protocol::import::{ImportFault, ImportOffer};

/// A file that changes more often while it is fetched is given up.
const MOST_CHANGES: u32 = 2;
/// After so many tries in a row that could not ask for a part, all of it is asked for.
const TRIES_FOR_A_PART: u32 = 2;

/// Fetches what is missing.
pub async fn download<P: Platform>(
    platform: &P,
    incoming: &mut Incoming<'_, P>,
    offer: &ImportOffer,
) -> Result<(), ImportFault> {
    let mut download =
        Download { platform, hub: Hub::of(offer), url: &offer.url, failed_parts: 0, whole: false };
    let mut budget = RetryBudget::patient();
    let mut changes = 0;
    while !incoming.is_complete() {
        let before = incoming.converted();
        let failure = match download.receive(incoming).await {
            Ok(()) => continue,
            Err(Broken::Changed) if changes < MOST_CHANGES => {
                changes += 1;
                incoming.start_anew().await?;
                continue;
            }
            Err(Broken::Changed) => {
                return Err(download.hub.answer("the file changes again and again while it is fetched"));
            }
            Err(Broken::Failed(failure)) => failure,
        };
        budget.progressed(incoming.converted().saturating_sub(before));
        let Some(wait) = failure.retry.wait(&mut budget) else {
            return Err(download.give_up(incoming, failure.cause).await);
        };
        incoming.reconnecting();
        platform.clock().sleep(wait).await;
    }
    Ok(())
}

struct Download<'a, P> {
    platform: &'a P,
    hub: Hub,
    url: &'a str,
    /// Tries in a row that could not ask for a part.
    failed_parts: u32,
    /// Only all of it can be asked for.
    whole: bool,
}

/// Why a response ended before the file did.
enum Broken {
    /// It is of another file than what was converted.
    Changed,
    Failed(Failure),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Changed => Self::Changed,
            Refusal::Fault(fault) => Self::Failed(fault.into()),
        }
    }
}

type Answer<P> = Response<<<P as Platform>::Network as Network>::Body>;

impl<P: Platform> Download<'_, P> {
    /// One response, to its end.
    async fn receive(&mut self, incoming: &mut Incoming<'_, P>) -> Result<(), Broken> {
        let converted = incoming.converted();
        let etag = incoming.pieces().etag().map(str::to_owned);
        let mut response = self.request(converted, etag.as_deref()).await?;
        if response.status == 416 || !is_same_file(&response, incoming.total(), etag.as_deref(), converted) {
            return Err(Broken::Changed);
        }
        match response.from {
            from if from == converted => {}
            // All of it comes, whatever was asked for.
            0 => incoming.restarted(),
            from => {
                let reason = format!("asked for bytes from {converted} on, got those from {from} on");
                return Err(self.failed(self.hub.answer(reason)));
            }
        }
        // A weak tag does not tell two versions apart byte for byte.
        let strong = response.etag.take().filter(|tag| tag.starts_with('"'));
        incoming.pieces().set_etag(strong);
        incoming.begin_at(response.from);
        while !incoming.is_complete() {
            let Some(part) = next(self.platform, &mut response.body).await? else {
                return Err(Failure::lost("the connection was closed").into());
            };
            incoming.push(part).await?;
        }
        Ok(())
    }

    fn failed(&self, fault: ImportFault) -> Broken {
        Broken::Failed(Failure { cause: Cause::Fault(fault), retry: Retry::After(0) })
    }

    /// Asks for what follows the first `from` bytes, or for all of it.
    async fn request(&mut self, from: u64, etag: Option<&str>) -> Result<Answer<P>, Failure> {
        if from > 0 && !self.whole {
            if etag.is_some() {
                match self.get(from, etag).await {
                    Err(failure) if failure.is_lost() => {}
                    outcome => return outcome,
                }
            }
            match self.get(from, None).await {
                // A network that is gone fails in the same way: only all of it that comes says that it was the request.
                Err(failure) if failure.is_lost() => {
                    self.failed_parts += 1;
                    if self.failed_parts < TRIES_FOR_A_PART {
                        return Err(failure);
                    }
                }
                outcome => {
                    self.failed_parts = 0;
                    return outcome;
                }
            }
        }
        let response = self.get(0, None).await?;
        self.whole = from > 0;
        Ok(response)
    }

    async fn get(&self, from: u64, if_range: Option<&str>) -> Result<Answer<P>, Failure> {
        get(self.platform, &self.hub, Get { url: self.url, from, if_range, caching: Caching::NotKept }).await
    }

    /// Keeps what came, and says why no more does.
    async fn give_up(&self, incoming: &mut Incoming<'_, P>, cause: Cause) -> ImportFault {
        let reason = match cause {
            Cause::Fault(fault) => return fault,
            Cause::Lost(reason) => reason,
        };
        if incoming.converted() == 0 {
            return self.hub.unreachable(reason);
        }
        if let Err(fault) = incoming.save().await {
            return fault;
        }
        let (received, total) = (incoming.converted(), incoming.total());
        ImportFault::Interrupted { host: self.hub.host.clone(), received, total, reason }
    }
}

/// Whether a response can be of the file of which `converted` bytes are there.
fn is_same_file<B>(response: &Response<B>, total: u64, etag: Option<&str>, converted: u64) -> bool {
    if response.from == 0 || converted == 0 {
        // What comes once more is compared byte for byte.
        return true;
    }
    let same_length = response.length.is_none_or(|length| length == total);
    let same_tag = match (etag, response.etag.as_deref()) {
        (Some(before), Some(now)) => before == now,
        _ => true,
    };
    same_length && same_tag
}

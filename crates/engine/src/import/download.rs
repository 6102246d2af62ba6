//! The checkpoint from a hub, response after response, until all of it is converted.
//!
//! What was converted is not converted again: where only all of the file can be had after a break, its beginning is
//! compared.

use super::fault::{Cause, Failure, Hub};
use super::hub_files::next;
use super::incoming::{Incoming, Refusal};
use super::requests::{Point, Refused, Requests};
use crate::platform::{Clock, Platform};
use crate::retry_budget::RetryBudget;
use protocol::import::{ImportFault, ImportOffer};

/// A file that changes more often while it is fetched is given up.
const MOST_CHANGES: u32 = 2;

/// Fetches what is missing.
pub async fn download<P: Platform>(
    platform: &P,
    incoming: &mut Incoming<'_, P>,
    offer: &ImportOffer,
) -> Result<(), ImportFault> {
    let hub = Hub::of(offer);
    let requests = Requests::new(platform, &hub, &offer.url);
    let mut download = Download { platform, hub: &hub, has_hash: offer.sha256.is_some(), requests };
    let mut budget = RetryBudget::patient();
    let mut changes = 0;
    while !incoming.is_complete() {
        let before = incoming.converted();
        let outcome = download.receive(incoming).await;
        budget.progressed(incoming.converted().saturating_sub(before));
        let failure = match outcome {
            Ok(()) => continue,
            Err(Broken::Changed) if changes < MOST_CHANGES => {
                changes += 1;
                incoming.start_anew().await?;
                continue;
            }
            Err(Broken::Changed) => {
                return Err(hub.answer("the file changes again and again while it is fetched"));
            }
            Err(Broken::Failed(failure)) => failure,
        };
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
    hub: &'a Hub,
    has_hash: bool,
    requests: Requests<'a, P>,
}

/// Why a response ended before it was complete.
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

impl From<Refused> for Broken {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Changed => Self::Changed,
            Refused::Failed(failure) => Self::Failed(failure),
        }
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

impl<P: Platform> Download<'_, P> {
    /// Reads one response to its end, or to where a part of bounded length takes its place, and then that.
    async fn receive(&mut self, incoming: &mut Incoming<'_, P>) -> Result<(), Broken> {
        let mut source = self.requests.next(&self.point(incoming)).await?;
        if source.response.from < incoming.converted() {
            incoming.restarted();
        }
        // A weak tag does not tell two versions apart byte for byte.
        let strong = source.response.etag.take().filter(|tag| tag.starts_with('"'));
        if strong.is_some() || source.response.from == 0 {
            incoming.pieces().set_etag(strong);
        }
        incoming.begin_at(source.response.from);
        while !incoming.is_complete() {
            if let Some(part) = self.requests.part_in_place_of(&source, &self.point(incoming)).await {
                incoming.begin_at(part.response.from);
                source = part;
            }
            match next(self.platform, &mut source.response.body).await? {
                Some(bytes) => incoming.push(bytes).await?,
                None if incoming.converted() >= source.end => break,
                None => return Err(Failure::lost("the connection was closed").into()),
            }
        }
        Ok(())
    }

    fn point(&self, incoming: &mut Incoming<'_, P>) -> Point {
        let (converted, total) = (incoming.converted(), incoming.total());
        let etag = incoming.pieces().etag().map(str::to_owned);
        Point { converted, total, etag, has_hash: self.has_hash }
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

//! What went wrong with an import, as the protocol's faults, and whether trying again may help.

use crate::platform::StorageError;
use crate::retry_budget::RetryBudget;
use checkpoint::CheckpointError;
use protocol::import::{ImportFault, ImportOffer};

/// A server that asks for a longer wait is not waited for.
const LONGEST_WAIT_S: u64 = 30;

/// Who was asked, for the messages.
#[derive(Clone, Debug)]
pub struct Hub {
    pub host: String,
    /// The repository's page for people.
    pub page: String,
    /// As the visitor named it.
    pub checkpoint: String,
}

impl Hub {
    pub fn of(offer: &ImportOffer) -> Self {
        let ImportOffer { host, page, source, .. } = offer;
        Self { host: host.clone(), page: page.clone(), checkpoint: source.checkpoint.clone() }
    }

    /// What an HTTP status means. `answered` is the host that it came from, after redirects.
    pub fn status(&self, status: u16, answered: Option<&str>, retry_after: Option<u64>) -> Failure {
        let host = answered.unwrap_or(&self.host).to_owned();
        let retry = match retry_after {
            Some(seconds) if seconds > LONGEST_WAIT_S => Retry::Never,
            Some(seconds) => Retry::After(seconds as u32 * 1_000),
            None => Retry::After(0),
        };
        let fault = |fault, retry| Failure { cause: Cause::Fault(fault), retry };
        match status {
            // A storage server that the hub led to has no say in who may read: its signed addresses run out, and the next
            // request to the hub gives a fresh one.
            401 | 403 | 404 | 410 if host != self.host => fault(ImportFault::Status { host, status }, retry),
            401 | 403 => fault(ImportFault::NoAccess { page: self.page.clone(), host, status }, Retry::Never),
            404 | 410 => fault(self.not_found(), Retry::Never),
            429 => fault(ImportFault::TooManyRequests { host, seconds: retry_after }, retry),
            408 | 500.. => fault(ImportFault::Status { host, status }, retry),
            _ => fault(ImportFault::Status { host, status }, Retry::Never),
        }
    }

    pub fn not_found(&self) -> ImportFault {
        ImportFault::NotFound { checkpoint: self.checkpoint.clone(), host: self.host.clone() }
    }

    pub fn answer(&self, reason: impl Into<String>) -> ImportFault {
        ImportFault::Answer { host: self.host.clone(), reason: reason.into() }
    }

    /// A connection that never was.
    pub fn unreachable(&self, reason: String) -> ImportFault {
        ImportFault::Unreachable { host: self.host.clone(), reason }
    }
}

/// Why a request was of no use.
#[derive(Debug)]
pub struct Failure {
    pub cause: Cause,
    pub retry: Retry,
}

#[derive(Debug)]
pub enum Cause {
    /// There is no connection, or it broke, for this reason.
    Lost(String),
    Fault(ImportFault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    Never,
    /// At least so many milliseconds later.
    After(u32),
}

impl Retry {
    /// Milliseconds to wait before the next try; none if there shall be none.
    pub fn wait(self, budget: &mut RetryBudget) -> Option<u32> {
        match self {
            Self::Never => None,
            Self::After(least) => budget.next_wait().map(|wait| wait.max(least)),
        }
    }
}

impl Failure {
    pub fn lost(reason: impl Into<String>) -> Self {
        Self { cause: Cause::Lost(reason.into()), retry: Retry::After(0) }
    }

    pub fn is_lost(&self) -> bool {
        matches!(self.cause, Cause::Lost(_))
    }
}

impl From<ImportFault> for Failure {
    fn from(fault: ImportFault) -> Self {
        Self { cause: Cause::Fault(fault), retry: Retry::Never }
    }
}

/// What is wrong with a checkpoint that came from this host.
pub fn of_checkpoint(error: CheckpointError, host: &str) -> ImportFault {
    match error {
        CheckpointError::Hash { expected, got, .. } => {
            ImportFault::Damaged { host: host.into(), expected, got }
        }
        CheckpointError::Format { reason, .. } => ImportFault::Format { reason },
        CheckpointError::OutOfMemory { bytes, .. } => {
            ImportFault::OutOfMemory { reason: format!("for a tensor of {bytes} bytes") }
        }
        error => ImportFault::Refused { reason: error.to_string() },
    }
}

/// Storage did not take `missing` bytes.
pub fn of_storage(error: &StorageError, missing: u64) -> ImportFault {
    match error {
        StorageError::NoRoom => ImportFault::NoRoom { missing },
        StorageError::Failed(_) => ImportFault::NoStorage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_the_hubs_or_a_storage_servers() {
        let hub = Hub { host: "hub".into(), page: "https://hub/x".into(), checkpoint: "hf:x/y".into() };
        let kind = |status, answered: Option<&str>, retry_after| {
            let Failure { cause, retry } = hub.status(status, answered, retry_after);
            let Cause::Fault(fault) = cause else { panic!("a fault") };
            let fault = serde_json::to_value(fault).unwrap();
            (fault["kind"].as_str().unwrap().to_owned(), retry)
        };
        for (status, answered, retry_after, expected, retry) in [
            (403, None, None, "no_access", Retry::Never),
            (401, Some("hub"), None, "no_access", Retry::Never),
            (403, Some("cdn"), None, "status", Retry::After(0)),
            (404, None, None, "not_found", Retry::Never),
            (429, None, Some(5), "too_many_requests", Retry::After(5_000)),
            (429, None, Some(3_600), "too_many_requests", Retry::Never),
            (503, Some("cdn"), None, "status", Retry::After(0)),
            (418, None, None, "status", Retry::Never),
        ] {
            assert_eq!(
                kind(status, answered, retry_after),
                (expected.into(), retry),
                "{status} {answered:?}"
            );
        }
    }
}

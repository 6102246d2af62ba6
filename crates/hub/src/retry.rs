//! The retry policy and the budget of one series of retries.

use crate::{Error, Event};
use std::thread;
use std::time::Duration;

/// How transient errors (no connection, a dropped one, 429, 5xx) are retried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Attempts in a row, the first included, that may fail.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause that a server may ask for (`Retry-After`): above it, the error is given at once.
    pub longest_pause: Duration,
    /// A connection that is silent for so long is taken for dropped.
    pub read_timeout: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(120),
            read_timeout: Duration::from_secs(60),
        }
    }
}

/// Counts failures in a row against the allowed [`Retries`].
pub struct RetryBudget<'a> {
    retries: &'a Retries,
    failures: u32,
}

impl<'a> RetryBudget<'a> {
    pub fn new(retries: &'a Retries) -> Self {
        Self { retries, failures: 0 }
    }

    /// Spends one attempt: waits until it is time to try again.
    ///
    /// # Errors
    /// Gives `error` back when it is not transient, or the budget is used up.
    pub fn spend(&mut self, error: Error, notify: &dyn Fn(Event)) -> Result<(), Error> {
        let Some(asked) = error.transient() else { return Err(error) };
        self.failures += 1;
        let pause = asked
            .unwrap_or_else(|| self.retries.first_pause.saturating_mul(1 << (self.failures - 1).min(16)));
        if self.failures >= self.retries.attempts || pause > self.retries.longest_pause {
            return Err(error);
        }
        notify(Event::Retry { error: &error, pause });
        thread::sleep(pause);
        Ok(())
    }

    /// There was progress: failures count from zero again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

//! How many retries a download has: some without progress, more as bytes come.

/// Waits between tries without progress, in milliseconds.
const BACK_OFF: [u32; 2] = [500, 2_000];
/// The same for a download that takes minutes: a connection that is gone for a moment must not end it.
const PATIENT_BACK_OFF: [u32; 5] = [500, 2_000, 5_000, 10_000, 20_000];
/// After so many bytes the retries without progress count from 0 again.
const PROGRESS: u64 = 1 << 20;
/// However much was received: a server that always breaks off would be retried for ever.
const MOST_TRIES: u32 = 40;

/// What is left of the tries for one file.
#[derive(Debug)]
pub struct RetryBudget {
    back_off: &'static [u32],
    /// Tries since the last progress.
    fruitless: usize,
    tries: u32,
    received: u64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(&BACK_OFF)
    }
}

impl RetryBudget {
    fn new(back_off: &'static [u32]) -> Self {
        Self { back_off, fruitless: 0, tries: 0, received: 0 }
    }

    /// For a large file.
    pub fn patient() -> Self {
        Self::new(&PATIENT_BACK_OFF)
    }

    /// Bytes came that need not come again.
    pub fn progressed(&mut self, bytes: u64) {
        self.received += bytes;
        if self.received >= PROGRESS {
            self.received = 0;
            self.fruitless = 0;
        }
    }

    /// Milliseconds to wait before the next try; none if there shall be none.
    pub fn next_wait(&mut self) -> Option<u32> {
        let wait = self.back_off.get(self.fruitless).copied().filter(|_| self.tries < MOST_TRIES)?;
        self.fruitless += 1;
        self.tries += 1;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_without_progress_are_few_and_all_tries_are_bounded() {
        let mut budget = RetryBudget::default();
        assert_eq!(
            [budget.next_wait(), budget.next_wait(), budget.next_wait()],
            [Some(500), Some(2_000), None]
        );
        budget.progressed(PROGRESS - 1);
        assert_eq!(budget.next_wait(), None);
        budget.progressed(1);
        assert_eq!(budget.next_wait(), Some(500));

        let mut endless = RetryBudget::default();
        let tries = (0..1_000).filter(|_| {
            endless.progressed(PROGRESS);
            endless.next_wait().is_some()
        });
        assert_eq!(tries.count(), MOST_TRIES as usize);
    }
}

//! How fast a download goes.

use std::cell::RefCell;
use std::collections::VecDeque;

/// The rate is that of the last milliseconds.
const WINDOW: f64 = 4_000.0;
/// A rate over less than this would fluctuate.
const FIRST_RATE_AFTER: f64 = 400.0;

/// When how many bytes had come, oldest first.
pub struct Rate(RefCell<VecDeque<(f64, u64)>>);

impl Rate {
    /// So many bytes were there at the beginning.
    pub fn new(now: f64, bytes: u64) -> Self {
        Self(RefCell::new(VecDeque::from([(now, bytes)])))
    }

    /// What was counted says nothing any more.
    pub fn forget(&self) {
        self.0.borrow_mut().clear();
    }

    /// Bytes a second, now that so many are there; none until it can be estimated.
    pub fn per_second(&self, now: f64, bytes: u64) -> Option<f64> {
        let mut history = self.0.borrow_mut();
        history.push_back((now, bytes));
        while history.front().is_some_and(|(then, _)| now - then > WINDOW) && history.len() > 2 {
            history.pop_front();
        }
        let &(then, before) = history.front()?;
        let seconds = (now - then) / 1_000.0;
        (now - then >= FIRST_RATE_AFTER).then(|| bytes.saturating_sub(before) as f64 / seconds)
    }
}

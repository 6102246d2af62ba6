//! Gives up a future after some time.

use crate::platform::Clock;
use futures_util::future::{Either, select};
use std::pin::pin;

/// What the future gives, or none after so many milliseconds; it is dropped then.
pub async fn timeout<T>(clock: &impl Clock, ms: u32, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(clock.sleep(ms))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

//! The browser's clocks and timers.

use crate::worker_scope;
use engine::platform::Clock;
use gloo_timers::future::TimeoutFuture;

#[derive(Default)]
pub struct BrowserClock;

impl Clock for BrowserClock {
    fn now(&self) -> f64 {
        worker_scope::now()
    }

    fn today(&self) -> u64 {
        js_sys::Date::now() as u64
    }

    async fn sleep(&self, ms: u32) {
        TimeoutFuture::new(ms).await;
    }
}

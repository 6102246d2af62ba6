//! Time that passes when everybody waits.

use engine::platform::Clock;
use std::cell::{Cell, RefCell};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Clone, Default)]
pub struct FakeClock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<f64>,
    sleepers: RefCell<Vec<(f64, Waker)>>,
}

/// 2026-11-29 or so.
const BEGIN: u64 = 1_796_000_000_000;

impl Clock for FakeClock {
    fn now(&self) -> f64 {
        self.0.now.get()
    }

    fn today(&self) -> u64 {
        BEGIN + self.0.now.get() as u64
    }

    async fn sleep(&self, ms: u32) {
        Sleep { clock: self, until: self.now() + f64::from(ms) }.await;
    }
}

impl FakeClock {
    /// Something took so long.
    pub fn advance(&self, ms: f64) {
        self.0.now.set(self.now() + ms);
    }

    /// Goes to the next moment that somebody waits for; false if nobody does.
    fn go_on(&self) -> bool {
        let mut sleepers = self.0.sleepers.borrow_mut();
        let Some(next) = sleepers.iter().map(|(until, _)| *until).min_by(f64::total_cmp) else {
            return false;
        };
        self.0.now.set(next.max(self.now()));
        let now = self.now();
        sleepers.extract_if(.., |(until, _)| *until <= now).for_each(|(_, waker)| waker.wake());
        true
    }

    /// Runs the future to its end, in no time.
    ///
    /// # Panics
    /// When it waits for something that never comes.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = flag.clone().into();
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while flag.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    // What was given up and still sleeps is nobody's any more.
                    self.0.sleepers.borrow_mut().clear();
                    return output;
                }
            }
            assert!(self.go_on(), "it waits for ever");
        }
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Sleep<'a> {
    clock: &'a FakeClock,
    until: f64,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context) -> Poll<()> {
        if self.clock.now() >= self.until {
            return Poll::Ready(());
        }
        self.clock.0.sleepers.borrow_mut().push((self.until, context.waker().clone()));
        Poll::Pending
    }
}

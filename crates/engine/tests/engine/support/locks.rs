//! Locks that one holds at a time, first come, first served.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

#[derive(Clone, Default)]
pub struct Locks(Rc<RefCell<HashMap<String, Queue>>>);

#[derive(Default)]
struct Queue {
    held: bool,
    waiting: VecDeque<Waker>,
}

/// Free again when dropped.
pub struct FakeLock {
    locks: Locks,
    name: String,
}

impl Locks {
    pub fn wait(&self, name: &str) -> impl Future<Output = FakeLock> + use<> {
        Waiting { locks: self.clone(), name: name.into() }
    }

    /// Whether anybody still holds one.
    pub fn is_any_held(&self) -> bool {
        self.0.borrow().values().any(|queue| queue.held)
    }
}

struct Waiting {
    locks: Locks,
    name: String,
}

impl Future for Waiting {
    type Output = FakeLock;

    fn poll(self: Pin<&mut Self>, context: &mut Context) -> Poll<FakeLock> {
        let mut queues = self.locks.0.borrow_mut();
        let queue = queues.entry(self.name.clone()).or_default();
        if queue.held {
            queue.waiting.push_back(context.waker().clone());
            return Poll::Pending;
        }
        queue.held = true;
        Poll::Ready(FakeLock { locks: self.locks.clone(), name: self.name.clone() })
    }
}

impl Drop for FakeLock {
    fn drop(&mut self) {
        let mut queues = self.locks.0.borrow_mut();
        let queue = queues.get_mut(&self.name).expect("a lock that is held");
        queue.held = false;
        queue.waiting.drain(..).for_each(Waker::wake);
    }
}

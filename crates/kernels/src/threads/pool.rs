//! A pool of threads that somebody else starts: in a browser only JavaScript can, as web workers that
//! share the module's memory.
//!
//! [`Pool::run`] cuts the work into one share a thread, all of nearly equal length, and the calling
//! thread works too. Each takes its own share in ever smaller parts, then helps with what is left of the
//! others'. A core that is slow, or busy with something else, holds nobody up for longer than the part takes that it
//! has begun.
//!
//! Threads that wait spin for a moment and then sleep, so a pool costs nothing between photos.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, Thread};

use super::share::Share;

/// Threads beside the calling one, at most.
pub const MOST_HELPERS: usize = 63;

/// Looks at a flag before a thread goes to sleep: some ten microseconds, which is as long as waking it takes.
const SPINS: u32 = 20_000;

/// Threads that wait for work, and the work.
pub(crate) struct Pool {
    helpers: [Helper; MOST_HELPERS],
    shares: [Share; MOST_HELPERS + 1],
    /// Slots of the helpers that take part, in order; the first `admitted` are set.
    members: [AtomicU32; MOST_HELPERS],
    admitted: AtomicU32,
    /// A turn is on. Only who has set it touches `job` and `turn`.
    busy: AtomicBool,
    turn: AtomicU32,
    job: UnsafeCell<Option<Job>>,
}

// SAFETY: `job` is written only while `busy` is held and no helper works (`Pool::run` waits for all of
// them), and read by helpers only between the store of their turn and that of `done`.
unsafe impl Sync for Pool {}

/// One thread's place. A cache line of its own (two, where they are fetched in pairs), since it is
/// looked at all the time.
#[repr(align(128))]
struct Helper {
    thread: OnceLock<Thread>,
    /// The number of the turn it shall take part in.
    turn: AtomicU32,
    /// The number of the turn it has finished.
    done: AtomicU32,
    /// It will never finish a turn again.
    lost: AtomicBool,
}

/// What the threads do in one turn.
#[derive(Clone)]
struct Job {
    /// Alive until the turn ends.
    work: *const (dyn Fn(usize, Range<usize>) + Sync),
    threads: usize,
    grain: usize,
    caller: Thread,
}

impl Pool {
    pub const fn new() -> Self {
        Self {
            helpers: [const { Helper::new() }; MOST_HELPERS],
            shares: [const { Share::empty() }; MOST_HELPERS + 1],
            members: [const { AtomicU32::new(0) }; MOST_HELPERS],
            admitted: AtomicU32::new(0),
            busy: AtomicBool::new(false),
            turn: AtomicU32::new(0),
            job: UnsafeCell::new(None),
        }
    }

    /// Threads that share the work: the calling one and the admitted helpers.
    pub fn threads(&self) -> usize {
        1 + self.admitted.load(Ordering::Acquire) as usize
    }

    /// Makes the calling thread the helper of this slot, calls `joined` and works until the program ends.
    /// It has no part in the work before it is [admitted](Self::admit).
    ///
    /// # Panics
    /// If the slot is taken or there is none of this number.
    pub fn help(&self, slot: usize, joined: impl FnOnce()) -> ! {
        let helper = &self.helpers[slot];
        assert!(helper.thread.set(thread::current()).is_ok(), "helper {slot} is there already");
        // Where a panic unwinds, whoever waits for this thread has to know.
        let _lost = Defer(|| self.lose(slot));
        joined();
        let mut turn = 0;
        loop {
            wait(|| helper.turn.load(Ordering::Acquire) != turn);
            turn = helper.turn.load(Ordering::Acquire);
            // SAFETY: the caller has written the job before this turn's number, and leaves it alone
            // until `done` says that this thread has finished.
            let Some(job) = (unsafe { (*self.job.get()).clone() }) else { continue };
            let number = self.number_of(slot);
            self.work_off(&job, number);
            helper.done.store(turn, Ordering::Release);
            job.caller.unpark();
        }
    }

    /// Gives work to the helper of this slot from now on. It has joined, and no turn is on.
    ///
    /// # Panics
    /// If it has not joined.
    pub fn admit(&self, slot: usize) {
        assert!(self.helpers[slot].thread.get().is_some(), "helper {slot} has not joined");
        let admitted = self.admitted.load(Ordering::Acquire);
        self.members[admitted as usize].store(slot as u32, Ordering::Release);
        self.admitted.store(admitted + 1, Ordering::Release);
    }

    /// Says that a helper has died in its work: the turn it was in, and each after it, panics in the
    /// calling thread instead of waiting for ever.
    pub fn lose(&self, slot: usize) {
        let helper = &self.helpers[slot];
        let working = helper.turn.load(Ordering::Acquire) != helper.done.load(Ordering::Acquire);
        // SAFETY: while the helper has a turn to finish the job stays as it is.
        let job = if working { unsafe { (*self.job.get()).clone() } } else { None };
        helper.lost.store(true, Ordering::Release);
        if let Some(job) = job {
            job.caller.unpark();
        }
    }

    /// Calls `work(thread, part)` until every item of `0..items` was in one part. Threads are numbered
    /// from 0, the caller. Parts are multiples of `grain` until so many are left of a share: those are taken one by one.
    ///
    /// A call from inside `work`, or while another thread's is on, is worked off by its caller alone.
    ///
    /// # Panics
    /// If a helper is lost.
    pub fn run(&self, items: usize, grain: usize, work: &(dyn Fn(usize, Range<usize>) + Sync)) {
        let threads = self.threads().min(items);
        if threads <= 1 || self.busy.swap(true, Ordering::Acquire) {
            return work(0, 0..items);
        }
        for (thread, share) in self.shares[..threads].iter().enumerate() {
            share.set(items * thread / threads..items * (thread + 1) / threads);
        }
        // SAFETY: only the lifetime changes, and the turn ends before `work` does.
        let work: *const (dyn Fn(usize, Range<usize>) + Sync) = unsafe { std::mem::transmute(work) };
        let job = Job { work, threads, grain: grain.max(1), caller: thread::current() };
        // SAFETY: `busy` is held, and no helper works between turns.
        unsafe { *self.job.get() = Some(job.clone()) };
        // 0 is what helpers begin with.
        let turn = self.turn.load(Ordering::Relaxed).wrapping_add(1).max(1);
        self.turn.store(turn, Ordering::Relaxed);
        let helpers = || (1..threads).map(|thread| self.member(thread));
        for helper in helpers() {
            helper.turn.store(turn, Ordering::Release);
            if let Some(thread) = helper.thread.get() {
                thread.unpark();
            }
        }
        {
            // Also when `work` panics: the helpers have borrowed it.
            let _end = Defer(|| {
                for helper in helpers() {
                    wait(|| helper.finished(turn));
                }
                self.busy.store(false, Ordering::Release);
            });
            self.work_off(&job, 0);
        }
        assert!(helpers().all(|helper| !helper.lost.load(Ordering::Acquire)), "a thread broke down");
    }

    /// The thread's own share, then what is left of the others'.
    fn work_off(&self, job: &Job, number: usize) {
        // SAFETY: a turn ends only after all its threads have left this function.
        let work = unsafe { &*job.work };
        while let Some(part) = self.shares[number].take(job.grain) {
            work(number, part);
        }
        for other in (1..job.threads).map(|step| (number + step) % job.threads) {
            while let Some(part) = self.shares[other].take_last(job.grain) {
                work(number, part);
            }
        }
    }

    /// The helper that is thread `number` of a turn.
    fn member(&self, number: usize) -> &Helper {
        &self.helpers[self.members[number - 1].load(Ordering::Acquire) as usize]
    }

    fn number_of(&self, slot: usize) -> usize {
        let members = self.members.iter().take(self.threads() - 1);
        let at = members.map(|member| member.load(Ordering::Acquire) as usize).position(|s| s == slot);
        1 + at.expect("only members are given a turn")
    }
}

impl Helper {
    const fn new() -> Self {
        Self {
            thread: OnceLock::new(),
            turn: AtomicU32::new(0),
            done: AtomicU32::new(0),
            lost: AtomicBool::new(false),
        }
    }

    fn finished(&self, turn: u32) -> bool {
        self.done.load(Ordering::Acquire) == turn || self.lost.load(Ordering::Acquire)
    }
}

/// Waits until `happened`; whoever makes it happen unparks this thread afterwards.
fn wait(happened: impl Fn() -> bool) {
    for _ in 0..SPINS {
        if happened() {
            return;
        }
        spin_loop();
    }
    while !happened() {
        thread::park();
    }
}

/// Calls the function when it goes out of scope.
struct Defer<F: Fn()>(F);

impl<F: Fn()> Drop for Defer<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;

    /// A pool with as many helpers; their threads end with the tests' process.
    fn pool(helpers: usize) -> &'static Pool {
        let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
        let (sender, joined) = mpsc::channel();
        for slot in 0..helpers {
            let sender = sender.clone();
            thread::spawn(move || pool.help(slot, || sender.send(slot).unwrap()));
        }
        for slot in joined.iter().take(helpers) {
            pool.admit(slot);
        }
        pool
    }

    /// How often each item was worked on.
    fn counts(pool: &Pool, items: usize, grain: usize) -> Vec<u32> {
        let counts: Vec<AtomicU32> = (0..items).map(|_| AtomicU32::new(0)).collect();
        pool.run(items, grain, &|thread, part| {
            assert!(thread < pool.threads());
            for item in part {
                counts[item].fetch_add(1, Ordering::Relaxed);
            }
        });
        counts.into_iter().map(AtomicU32::into_inner).collect()
    }

    #[test]
    fn every_item_is_worked_on_once() {
        for helpers in [0, 1, 2, 7] {
            let pool = pool(helpers);
            assert_eq!(pool.threads(), helpers + 1);
            for items in (0..20).chain([64, 127, 1000]) {
                for grain in [1, 4] {
                    assert_eq!(
                        counts(pool, items, grain),
                        vec![1; items],
                        "{helpers} helpers, {items} items"
                    );
                }
            }
        }
    }

    #[test]
    fn many_short_turns_one_after_another() {
        let pool = pool(3);
        for _ in 0..5000 {
            assert_eq!(counts(pool, 9, 1), [1; 9]);
        }
    }

    #[test]
    fn every_thread_has_a_share_of_its_own() {
        let pool = pool(2);
        // Nobody finishes before all have begun.
        let begun = AtomicU32::new(0);
        let numbers = AtomicU32::new(0);
        pool.run(3, 1, &|thread, _| {
            numbers.fetch_or(1 << thread, Ordering::Relaxed);
            begun.fetch_add(1, Ordering::AcqRel);
            wait_for(|| begun.load(Ordering::Acquire) >= 3);
        });
        assert_eq!(numbers.into_inner(), 0b111);
    }

    fn wait_for(happened: impl Fn() -> bool) {
        while !happened() {
            thread::yield_now();
        }
    }

    #[test]
    fn who_is_done_helps_the_others() {
        let pool = pool(1);
        // The first to begin does nothing more until all else is done.
        let done = AtomicU32::new(0);
        let first = AtomicBool::new(true);
        pool.run(100, 1, &|_, part| {
            let items = part.len() as u32;
            if first.swap(false, Ordering::AcqRel) {
                wait_for(|| done.load(Ordering::Acquire) >= 100 - items);
            }
            done.fetch_add(items, Ordering::AcqRel);
        });
        assert_eq!(done.into_inner(), 100);
    }

    #[test]
    fn a_call_from_inside_the_work_is_worked_off_by_its_caller() {
        let pool = pool(1);
        let inner = AtomicU32::new(0);
        pool.run(8, 1, &|_, part| {
            for _ in part {
                pool.run(5, 1, &|thread, part| {
                    assert_eq!((thread, part), (0, 0..5));
                    inner.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(inner.into_inner(), 8);
    }

    #[test]
    fn a_lost_helper_is_an_error_and_no_wait_for_ever() {
        let (sender, outcome) = mpsc::channel();
        thread::spawn(move || {
            let pool = pool(2);
            let run = || {
                let begun = AtomicU32::new(0);
                pool.run(3, 1, &|thread, _| {
                    begun.fetch_add(1, Ordering::AcqRel);
                    wait_for(|| begun.load(Ordering::Acquire) >= 3);
                    assert!(thread != 2, "a helper's own panic");
                });
            };
            sender.send(catch_unwind(AssertUnwindSafe(run)).is_err())
        });
        let failed = outcome.recv_timeout(std::time::Duration::from_secs(30));
        assert_eq!(failed, Ok(true), "it waits for ever, or goes on as if nothing had happened");
    }

    #[test]
    fn the_callers_own_panic_waits_for_the_helpers() {
        let pool = pool(1);
        let (begun, ended) = (AtomicU32::new(0), AtomicU32::new(0));
        let run = || {
            pool.run(2, 1, &|thread, _| {
                begun.fetch_add(1, Ordering::AcqRel);
                wait_for(|| begun.load(Ordering::Acquire) >= 2);
                assert!(thread != 0, "the caller's own panic");
                thread::sleep(std::time::Duration::from_millis(50));
                ended.fetch_add(1, Ordering::AcqRel);
            });
        };
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        assert_eq!(ended.load(Ordering::Acquire), 1, "what the helper borrows was still there");
        assert_eq!(counts(pool, 10, 1), [1; 10], "the pool goes on");
    }
}

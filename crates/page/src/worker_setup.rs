//! What visitors are told of how the worker could be set up in this browser.

/// What keeps the page from its best, and can be helped.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The page is not cross-origin isolated, so it runs on one thread of as many processors.
    NotIsolated { cores: usize },
    /// The browser gives no page memory that threads can share, so it runs on one.
    NoSharing,
    /// The `threads` parameter is no number of threads.
    BadThreads { got: String, most: usize, used: usize },
    /// The worker crashed so many times and was started again.
    StartedAgain { times: u32 },
    /// The worker could not start as many threads as were planned.
    Fewer { planned: usize, started: usize },
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq)]
pub enum NoPlan {
    /// The browser knows none of the builds' instructions.
    NoSimd,
    /// The `worker` parameter names no build, or one that this browser can't run.
    BadBuild(String),
}

//! How far photos are through the network, posted to the page while it computes.

use crate::platform::{Clock, Platform};
use protocol::Reply;

/// Milliseconds between two messages: often enough to be seen moving, seldom enough to cost nothing.
const BETWEEN: f64 = 120.0;

/// Photos on their way through the network.
pub struct ForwardProgress<'a, P: Platform> {
    platform: &'a P,
    ids: &'a [u64],
    /// The network's blocks.
    blocks: usize,
    reported: f64,
}

impl<'a, P: Platform> ForwardProgress<'a, P> {
    pub fn new(platform: &'a P, ids: &'a [u64], blocks: usize) -> Self {
        Self { platform, ids, blocks, reported: platform.clock().now() }
    }

    /// The block of this number is done.
    pub fn block_done(&mut self, block: usize) {
        let now = self.platform.clock().now();
        if now - self.reported < BETWEEN {
            return;
        }
        self.reported = now;
        let share = (block + 1) as f32 / self.blocks as f32;
        self.ids.iter().for_each(|&id| self.platform.post(&Reply::ForwardProgress { id, share }));
    }
}

//! How far photos are through the network, told to the page while it computes.

use crate::port;
use protocol::Reply;

/// Milliseconds between two messages: often enough to be seen moving, seldom enough to cost nothing.
const BETWEEN: f64 = 120.0;

/// Photos on their way through the network.
pub struct Through<'a> {
    ids: &'a [u64],
    /// The network's blocks.
    blocks: usize,
    told: f64,
}

impl<'a> Through<'a> {
    pub fn new(ids: &'a [u64], blocks: usize) -> Self {
        Self { ids, blocks, told: port::now() }
    }

    /// The block of this number is done.
    pub fn note(&mut self, block: usize) {
        let now = port::now();
        if now - self.told < BETWEEN {
            return;
        }
        self.told = now;
        let share = (block + 1) as f32 / self.blocks as f32;
        self.ids.iter().for_each(|&id| port::post(&Reply::Through { id, share }));
    }
}

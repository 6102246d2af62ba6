//! How a network is run: arguments that several commands share.

use crate::engine::{self, Backend};
use clap::Args;
use std::num::NonZeroUsize;

#[derive(Args)]
pub struct Running {
    /// Threads to use; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// What the network runs on
    #[arg(long, value_enum, default_value = "cpu")]
    pub backend: Backend,
}

impl Running {
    pub fn threads(&self) -> NonZeroUsize {
        engine::threads(self.threads)
    }
}

//! What the page is doing, as the visitor is told: one of these at every moment.

use crate::state::{Counts, Engine, Problem, State};
use protocol::Phase;
use std::rc::Rc;

/// What the page is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    Starting,
    /// Fetching the model: bytes so far and in all (0 while unknown).
    Fetching {
        bytes: u64,
        total: u64,
    },
    WarmingUp,
    /// Ready, with no photo on the page.
    Ready,
    /// Looking at the named photo.
    Looking {
        name: Rc<str>,
        left: usize,
    },
    /// Every photo has its answer or its sentence.
    Settled(Counts),
    /// A paste held no photo.
    PastedNothing,
    Failed(Problem),
}

/// How far a stage has come, for a progress bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// 0 to 1.
    Share(f64),
    /// Nobody can say.
    Unknown,
}

impl Status {
    pub fn of(state: &State) -> Self {
        let counts = state.counts();
        match &state.engine {
            Engine::Choosing | Engine::Starting => Self::Starting,
            Engine::Loading(loading) => match loading.phase {
                Phase::Fetch => Self::Fetching { bytes: loading.bytes, total: loading.total_bytes },
                Phase::WarmUp => Self::WarmingUp,
            },
            Engine::Failed(problem) => Self::Failed(problem.clone()),
            Engine::Ready { .. } => match state.running() {
                Some(photo) => Self::Looking { name: photo.name.clone(), left: counts.left },
                None if state.empty_paste => Self::PastedNothing,
                None if counts.all() == 0 => Self::Ready,
                None => Self::Settled(counts),
            },
        }
    }

    /// What the progress bar shows; none where there is nothing to wait for but photos.
    pub fn measure(&self) -> Option<Measure> {
        match self {
            Self::Fetching { bytes, total } if *total > 0 => {
                Some(Measure::Share((*bytes as f64 / *total as f64).min(1.0)))
            }
            Self::Starting | Self::Fetching { .. } | Self::WarmingUp => Some(Measure::Unknown),
            _ => None,
        }
    }

    /// Whether the page is at work.
    pub fn busy(&self) -> bool {
        self.measure().is_some() || matches!(self, Self::Looking { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Loading;

    fn loading(phase: Phase, bytes: u64, total_bytes: u64) -> Status {
        let mut state = State::default();
        state.engine = Engine::Loading(Loading { phase, bytes, total_bytes });
        Status::of(&state)
    }

    #[test]
    fn fetching_is_measured_in_bytes() {
        let status = loading(Phase::Fetch, 5, 20);
        assert_eq!(status, Status::Fetching { bytes: 5, total: 20 });
        assert_eq!(status.measure(), Some(Measure::Share(0.25)));
    }

    #[test]
    fn what_cannot_be_measured_does_not_pretend_to_be() {
        assert_eq!(loading(Phase::Fetch, 5, 0).measure(), Some(Measure::Unknown));
        assert_eq!(loading(Phase::WarmUp, 20, 20).measure(), Some(Measure::Unknown));
        assert_eq!(Status::of(&State::default()).measure(), Some(Measure::Unknown));
        assert_eq!(Status::Ready.measure(), None);
    }

    #[test]
    fn more_bytes_than_announced_are_a_full_bar() {
        assert_eq!(loading(Phase::Fetch, 30, 20).measure(), Some(Measure::Share(1.0)));
    }
}

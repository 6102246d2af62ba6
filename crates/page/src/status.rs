//! What the page is doing, for the status line: one of these at every moment.

use crate::engine::{Engine, EngineError};
use crate::state::{Counts, State};
use protocol::{Loading, Offer, Phase};
use std::rc::Rc;

/// What the page is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    Starting,
    /// Asking for the model's manifest.
    Finding,
    /// The visitor is asked whether to load a model from another site.
    Asking(Rc<Offer>),
    /// Fetching the model.
    Downloading(Loading),
    /// The model comes from the browser's storage.
    Reading(Loading),
    /// The visitor stopped the loading.
    Paused(Loading),
    /// The GPU's programs are being compiled.
    Compiling {
        ready: usize,
        total: usize,
    },
    WarmingUp,
    /// Ready, with no photo on the page.
    Ready,
    /// Looking at the named photo.
    Classifying {
        name: Rc<str>,
        left: usize,
    },
    /// The visitor has stopped the queue.
    Stopped {
        left: usize,
    },
    /// Every photo has its answer or its sentence.
    Settled(Counts),
    /// A paste held no photo.
    PastedNothing,
    Failed(EngineError),
}

/// How far a stage has come, for a progress bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StageProgress {
    /// What is here, and of that what is checked and built: 0 to 1 of the whole.
    Share { here: f64, built: f64 },
    /// Nobody can say.
    Unknown,
}

impl Status {
    pub fn of(state: &State) -> Self {
        let counts = state.counts();
        match &state.engine {
            Engine::Choosing | Engine::Starting => Self::Starting,
            Engine::Finding => Self::Finding,
            Engine::Asking(offer) => Self::Asking(offer.clone()),
            Engine::Loading(loading) => match loading.phase {
                Phase::Download => Self::Downloading(*loading),
                Phase::Read => Self::Reading(*loading),
                Phase::Compile { ready, total } => Self::Compiling { ready, total },
                Phase::WarmUp => Self::WarmingUp,
            },
            Engine::Paused(loading) => Self::Paused(*loading),
            Engine::Failed(problem) => Self::Failed(problem.clone()),
            Engine::Ready { .. } => match state.running() {
                Some(photo) => Self::Classifying { name: photo.name.clone(), left: counts.left },
                None if state.empty_paste => Self::PastedNothing,
                None if counts.all() == 0 => Self::Ready,
                None if state.stopped && counts.left > 0 => Self::Stopped { left: counts.left },
                None => Self::Settled(counts),
            },
        }
    }

    /// What the progress bar shows; none where there is nothing to wait for but photos.
    pub fn measure(&self) -> Option<StageProgress> {
        match self {
            Self::Downloading(loading) | Self::Paused(loading) => share(loading, loading.here),
            // Reading is as quick as building: one measure says it all.
            Self::Reading(loading) => share(loading, loading.built),
            // How many there are is known after a moment.
            Self::Compiling { ready, total } if *total > 0 => {
                let share = *ready as f64 / *total as f64;
                Some(StageProgress::Share { here: share, built: share })
            }
            Self::Starting | Self::Finding | Self::Compiling { .. } | Self::WarmingUp => {
                Some(StageProgress::Unknown)
            }
            _ => None,
        }
    }

    /// Whether the page is at work.
    pub fn busy(&self) -> bool {
        let working = self.measure().is_some() || matches!(self, Self::Classifying { .. });
        working && !matches!(self, Self::Paused(_))
    }

    /// Whether there is a download to pause.
    pub fn can_pause(&self) -> bool {
        matches!(self, Self::Downloading(_))
    }
}

fn share(loading: &Loading, here: u64) -> Option<StageProgress> {
    let part = |bytes: u64| (bytes as f64 / loading.total as f64).min(1.0);
    Some(if loading.total == 0 {
        StageProgress::Unknown
    } else {
        StageProgress::Share { here: part(here), built: part(loading.built) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(phase: Phase, here: u64, total: u64) -> Loading {
        Loading { phase, total, here, stored: 0, built: here / 5, bytes_per_second: None }
    }

    fn loading(loading: Loading) -> Status {
        Status::of(&State { engine: Engine::Loading(loading), ..State::default() })
    }

    #[test]
    fn a_download_is_measured_by_what_came_and_what_is_built() {
        let status = loading(at(Phase::Download, 5, 20));
        assert_eq!(status, Status::Downloading(at(Phase::Download, 5, 20)));
        assert_eq!(status.measure(), Some(StageProgress::Share { here: 0.25, built: 0.05 }));
        assert!(status.can_pause() && status.busy());
    }

    #[test]
    fn what_is_in_storage_already_is_measured_by_what_is_built() {
        let status = loading(Loading { here: 20, ..at(Phase::Read, 5, 20) });
        assert_eq!(status.measure(), Some(StageProgress::Share { here: 0.05, built: 0.05 }));
        assert!(!status.can_pause());
    }

    #[test]
    fn a_pause_keeps_the_measure_and_is_no_work() {
        let engine = Engine::Paused(at(Phase::Download, 5, 20));
        let status = Status::of(&State { engine, ..State::default() });
        assert_eq!(status.measure(), Some(StageProgress::Share { here: 0.25, built: 0.05 }));
        assert!(!status.busy() && !status.can_pause());
    }

    #[test]
    fn compiling_is_measured_by_programs_once_they_are_counted() {
        let status = loading(at(Phase::Compile { ready: 3, total: 12 }, 20, 20));
        assert_eq!(status, Status::Compiling { ready: 3, total: 12 });
        assert_eq!(status.measure(), Some(StageProgress::Share { here: 0.25, built: 0.25 }));
        assert!(status.busy() && !status.can_pause());
        assert_eq!(
            loading(at(Phase::Compile { ready: 0, total: 0 }, 20, 20)).measure(),
            Some(StageProgress::Unknown)
        );
    }

    #[test]
    fn what_cannot_be_measured_does_not_pretend_to_be() {
        assert_eq!(loading(at(Phase::Download, 5, 0)).measure(), Some(StageProgress::Unknown));
        assert_eq!(loading(at(Phase::WarmUp, 20, 20)).measure(), Some(StageProgress::Unknown));
        assert_eq!(Status::of(&State::default()).measure(), Some(StageProgress::Unknown));
        assert_eq!(Status::Ready.measure(), None);
    }

    #[test]
    fn more_bytes_than_announced_are_a_full_bar() {
        let status = loading(at(Phase::Download, 30, 20));
        assert_eq!(status.measure(), Some(StageProgress::Share { here: 1.0, built: 0.3 }));
    }
}

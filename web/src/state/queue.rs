//! The queue: one photo at a time in the worker's hands, the one that has waited longest first.

use super::{Effect, Engine, State};
use crate::photo::{Photo, PhotoId, Progress};
use std::rc::Rc;

/// How many of the last photos speak for the time a photo takes.
pub(super) const TIMED_PHOTOS: usize = 15;

/// How many photos stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Queued or running.
    pub left: usize,
    pub done: usize,
    pub failed: usize,
}

impl Counts {
    pub fn all(&self) -> usize {
        self.left + self.done + self.failed
    }
}

impl State {
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for photo in &self.photos {
            match photo.progress {
                Progress::Queued | Progress::Running => counts.left += 1,
                Progress::Done(_) => counts.done += 1,
                Progress::Failed(_) => counts.failed += 1,
            }
        }
        counts
    }

    /// The photo being looked at.
    pub fn running(&self) -> Option<&Photo> {
        self.photos.iter().find(|photo| photo.progress == Progress::Running).map(Rc::as_ref)
    }

    /// The network's time for a photo in milliseconds: the median of the last ones.
    pub fn ms_per_photo(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.times.iter().copied().collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    }

    pub(super) fn note_time(&mut self, ms: f64) {
        self.times.push_back(ms);
        if self.times.len() > TIMED_PHOTOS {
            self.times.pop_front();
        }
    }

    /// The worker is done with this photo, whatever became of it.
    pub(super) fn settle(&mut self, id: PhotoId, progress: Progress) -> Vec<Effect> {
        self.change(id, |photo| photo.progress = progress);
        if self.in_flight == Some(id) {
            self.in_flight = None;
        }
        self.send_next()
    }

    /// Sends the photo that has waited longest, if the worker has none in hand.
    pub(super) fn send_next(&mut self) -> Vec<Effect> {
        if !matches!(self.engine, Engine::Ready { .. }) || self.in_flight.is_some() {
            return vec![];
        }
        let queued = self.photos.iter().filter(|photo| photo.progress == Progress::Queued);
        let Some(id) = queued.map(|photo| photo.id).min() else { return vec![] };
        self.in_flight = Some(id);
        self.change(id, |photo| photo.progress = Progress::Running);
        vec![Effect::Classify(id)]
    }
}

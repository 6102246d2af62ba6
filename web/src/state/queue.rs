//! The queue: one photo at a time in the worker's hands, the one that has waited longest first; on a GPU as many of
//! those that wait as it takes in one pass.

use super::{CAMERA, Effect, Engine, State};
use crate::photo::{Photo, PhotoId, Progress};
use protocol::Answer;
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
                Progress::Queued | Progress::Running(_) => counts.left += 1,
                Progress::Done(_) => counts.done += 1,
                Progress::Failed(_) => counts.failed += 1,
            }
        }
        counts
    }

    /// The photo being looked at.
    pub fn running(&self) -> Option<&Photo> {
        self.photos.iter().find(|photo| matches!(photo.progress, Progress::Running(_))).map(Rc::as_ref)
    }

    /// The network's time for a photo in milliseconds: the median of the last ones.
    pub fn ms_per_photo(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.times.iter().copied().collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    }

    /// How long the photos that wait will take, in seconds.
    pub fn seconds_left(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.whole_times.iter().copied().collect();
        times.sort_by(f64::total_cmp);
        Some(self.counts().left as f64 * times.get(times.len() / 2)? / 1000.0)
    }

    pub(super) fn note_time(&mut self, answer: &Answer) {
        self.stages = answer.stages.clone();
        self.times.push_back(answer.ms);
        self.whole_times.push_back(answer.decode_ms + answer.ms);
        for times in [&mut self.times, &mut self.whole_times] {
            if times.len() > TIMED_PHOTOS {
                times.pop_front();
            }
        }
    }

    /// Every photo that has its answer waits for another one: the classes are others now.
    pub(super) fn reclassify(&mut self) -> Vec<Effect> {
        self.ask_again(|_| true);
        self.send_next()
    }

    /// The answered photos that `which` holds of wait for another answer.
    pub(super) fn ask_again(&mut self, which: impl Fn(&Photo) -> bool) {
        let mut asked = Vec::new();
        for photo in &mut self.photos {
            if matches!(photo.progress, Progress::Done(_)) && which(photo) {
                asked.push(photo.id);
                Rc::make_mut(photo).progress = Progress::Queued;
            }
        }
        self.look_anew(&asked);
    }

    /// The worker is done with this photo, whatever became of it.
    pub(super) fn settle(&mut self, id: PhotoId, progress: Progress) -> Vec<Effect> {
        if id == CAMERA {
            self.framed(match progress {
                Progress::Done(answer) => Some(answer),
                _ => None,
            });
        } else {
            self.change(id, |photo| photo.progress = progress);
        }
        self.in_flight.retain(|&in_hand| in_hand != id);
        let next = self.send_next();
        if next.is_empty() {
            self.want_frame();
        }
        next
    }

    /// Sends the photos that have waited longest, as many as go together, if the worker has none in hand.
    pub(super) fn send_next(&mut self) -> Vec<Effect> {
        let Engine::Ready { backend, .. } = &self.engine else { return vec![] };
        if !self.in_flight.is_empty() || self.stopped {
            return vec![];
        }
        let most = if self.careful > 0 { 1 } else { backend.batch.max(1) };
        let queued = self.photos.iter().filter(|photo| photo.progress == Progress::Queued);
        let mut ids: Vec<_> = queued.map(|photo| photo.id).collect();
        ids.sort_unstable();
        ids.truncate(most);
        if ids.is_empty() {
            return vec![];
        }
        self.careful = self.careful.saturating_sub(1);
        ids.iter().for_each(|&id| self.change(id, |photo| photo.progress = Progress::Running(0.0)));
        self.in_flight = ids.clone();
        vec![Effect::Classify(ids)]
    }
}

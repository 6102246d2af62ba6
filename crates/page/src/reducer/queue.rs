//! The queue: one photo at a time in flight, the one that has waited longest first; on a GPU as many as make a batch.

use crate::camera::CAMERA;
use crate::effect::Effect;
use crate::engine::Engine;
use crate::photo::{Photo, PhotoId, Progress};
use crate::state::State;
use protocol::Answer;
use std::rc::Rc;

/// How many of the last photos speak for the time a photo takes.
pub(super) const TIMED_PHOTOS: usize = 15;

impl State {
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
        self.requeue_answered(|_| true);
        self.send_next()
    }

    /// The answered photos that `which` holds of wait for another answer.
    pub(super) fn requeue_answered(&mut self, which: impl Fn(&Photo) -> bool) {
        let mut asked = Vec::new();
        for photo in &mut self.photos {
            if matches!(photo.progress, Progress::Done(_)) && which(photo) {
                asked.push(photo.id);
                Rc::make_mut(photo).progress = Progress::Queued;
            }
        }
        self.clear_explanation(&asked);
    }

    /// The worker is done with this photo, whatever became of it.
    pub(super) fn settle(&mut self, id: PhotoId, progress: Progress) -> Vec<Effect> {
        if id == CAMERA {
            self.on_frame_result(match progress {
                Progress::Done(answer) => Some(answer),
                _ => None,
            });
        } else {
            self.change(id, |photo| photo.progress = progress);
        }
        self.in_flight.retain(|&in_hand| in_hand != id);
        let next = self.send_next();
        if next.is_empty() {
            self.request_frame();
        }
        next
    }

    /// Sends the photos that have waited longest, as many as go together, if none is in flight.
    pub(super) fn send_next(&mut self) -> Vec<Effect> {
        let Engine::Ready { backend, .. } = &self.engine else { return vec![] };
        if !self.in_flight.is_empty() || self.stopped {
            return vec![];
        }
        let most = if self.one_by_one > 0 { 1 } else { backend.batch.max(1) };
        let queued = self.photos.iter().filter(|photo| photo.progress == Progress::Queued);
        let mut ids: Vec<_> = queued.map(|photo| photo.id).collect();
        ids.sort_unstable();
        ids.truncate(most);
        if ids.is_empty() {
            return vec![];
        }
        self.one_by_one = self.one_by_one.saturating_sub(1);
        ids.iter().for_each(|&id| self.change(id, |photo| photo.progress = Progress::Running(0.0)));
        self.in_flight = ids.clone();
        vec![Effect::Classify(ids)]
    }
}

//! The camera: photos taken from it, and its picture looked at all the time.

use super::{Effect, Engine, Focus, State};
use crate::photo::PhotoId;
use protocol::Answer;

/// The number under which the shelf keeps the camera's picture of the moment. Photos begin at 1.
pub const CAMERA: PhotoId = 0;

/// The camera's picture on the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// It is looked at all the time.
    pub running: bool,
    /// What was seen last.
    pub answer: Option<Answer>,
    /// How many pictures were asked for, beside the first.
    pub wanted: u64,
}

impl State {
    pub(super) fn switch_camera(&mut self, on: bool) -> Vec<Effect> {
        self.live = on.then(Live::default);
        if on { vec![] } else { vec![Effect::Forget(CAMERA), Effect::Focus(Focus::Camera)] }
    }

    pub(super) fn go_live(&mut self, running: bool) -> Vec<Effect> {
        if let Some(live) = &mut self.live {
            live.running = running;
            live.answer = live.answer.take().filter(|_| running);
        }
        vec![]
    }

    /// Sends the camera's picture, if the worker has nothing in hand: photos go first.
    pub(super) fn send_frame(&mut self) -> Vec<Effect> {
        let live = self.live.as_ref().is_some_and(|live| live.running);
        if !live || !self.in_flight.is_empty() || !matches!(self.engine, Engine::Ready { .. }) {
            return vec![];
        }
        self.in_flight = vec![CAMERA];
        vec![Effect::Classify(self.in_flight.clone())]
    }

    /// The answer to the camera's picture; one that failed leaves the last in sight.
    pub(super) fn framed(&mut self, answer: Option<Answer>) {
        if let Some(live) = self.live.as_mut().filter(|live| live.running) {
            live.answer = answer.or(live.answer.take());
        }
    }

    /// The worker has nothing in hand: another picture, if the camera is looked at.
    pub(super) fn want_frame(&mut self) {
        if let Some(live) = self.live.as_mut().filter(|live| live.running) {
            live.wanted += 1;
        }
    }
}

//! The camera: switched on and off, and its picture classified all the time.

use crate::camera::{CAMERA, LiveCamera};
use crate::effect::{Effect, Focus};
use crate::engine::Engine;
use crate::state::State;
use protocol::Answer;

impl State {
    pub(super) fn switch_camera(&mut self, on: bool) -> Vec<Effect> {
        self.live = on.then(LiveCamera::default);
        if on { vec![] } else { vec![Effect::Forget(CAMERA), Effect::Focus(Focus::Camera)] }
    }

    pub(super) fn go_live(&mut self, running: bool) -> Vec<Effect> {
        if let Some(live) = &mut self.live {
            live.running = running;
            live.answer = live.answer.take().filter(|_| running);
        }
        vec![]
    }

    /// Sends the camera's picture, if nothing is in flight: photos go first.
    pub(super) fn send_frame(&mut self) -> Vec<Effect> {
        let live = self.live.as_ref().is_some_and(|live| live.running);
        if !live || !self.in_flight.is_empty() || !matches!(self.engine, Engine::Ready { .. }) {
            return vec![];
        }
        self.in_flight = vec![CAMERA];
        vec![Effect::Classify(self.in_flight.clone())]
    }

    /// The answer to the camera's picture; one that failed leaves the last in sight.
    pub(super) fn on_frame_result(&mut self, answer: Option<Answer>) {
        if let Some(live) = self.live.as_mut().filter(|live| live.running) {
            live.answer = answer.or(live.answer.take());
        }
    }

    /// Nothing is in flight: another picture, if the camera is live.
    pub(super) fn request_frame(&mut self) {
        if let Some(live) = self.live.as_mut().filter(|live| live.running) {
            live.wanted += 1;
        }
    }
}

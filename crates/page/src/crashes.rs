//! Workers that crashed: which photo was in flight, and when to give up on it or on restarting.

use crate::photo::PhotoId;

/// So many workers may crash on one photo before it counts as failed and the queue goes on without it.
const MAX_PER_PHOTO: u32 = 3;

/// So many may crash one after another, without an answer in between, before the visitor has to decide: starting
/// the next would hardly help.
const MAX_IN_A_ROW: u32 = 3 * MAX_PER_PHOTO;

/// The crashes so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crashes {
    total: u32,
    since_an_answer: u32,
    /// The photo that was in flight the last time, and how many times in a row.
    same_photo: Option<(PhotoId, u32)>,
}

impl Crashes {
    /// How many there were since the page was opened.
    pub fn total(&self) -> u32 {
        self.total
    }

    pub(crate) fn note(&mut self) {
        self.total += 1;
        self.since_an_answer += 1;
    }

    /// A worker crashed on this photo. Whether it is not to be tried again.
    pub(crate) fn gives_up_on(&mut self, photo: PhotoId) -> bool {
        let before =
            self.same_photo.take().filter(|(other, _)| *other == photo).map_or(0, |(_, times)| times);
        let times = before + 1;
        let gives_up = times == MAX_PER_PHOTO;
        // Once it was given up, the visitor may ask for as many tries again.
        self.same_photo = (!gives_up).then_some((photo, times));
        gives_up
    }

    /// A worker has answered, or the visitor wants to go on all the same.
    pub(crate) fn reset_streak(&mut self) {
        self.since_an_answer = 0;
    }

    /// Whether another worker may be started unasked.
    pub(crate) fn may_restart(&self) -> bool {
        self.since_an_answer < MAX_IN_A_ROW
    }
}

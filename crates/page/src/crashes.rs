//! Workers that broke down: which photo they had in hand, and when to give up.

use crate::photo::PhotoId;

/// So many workers may break down over one photo before it gets a sentence and the queue goes on without it.
const MOST_OVER_A_PHOTO: u32 = 3;

/// So many may break down one after another, without an answer in between, before the visitor has to decide: starting
/// the next would hardly help.
const MOST_IN_A_ROW: u32 = 3 * MOST_OVER_A_PHOTO;

/// The breakdowns so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crashes {
    all: u32,
    since_an_answer: u32,
    /// The photo that was in hand the last time, and how many times in a row.
    over: Option<(PhotoId, u32)>,
}

impl Crashes {
    /// How many there were since the page was opened.
    pub fn all(&self) -> u32 {
        self.all
    }

    pub(super) fn note(&mut self) {
        self.all += 1;
        self.since_an_answer += 1;
    }

    /// A worker broke down over this photo. Whether it is not to be tried again.
    pub(super) fn is_too_much(&mut self, photo: PhotoId) -> bool {
        let before = self.over.take().filter(|(other, _)| *other == photo).map_or(0, |(_, times)| times);
        let times = before + 1;
        let too_much = times == MOST_OVER_A_PHOTO;
        // Once it was given up, the visitor may ask for as many tries again.
        self.over = (!too_much).then_some((photo, times));
        too_much
    }

    /// A worker has answered, or the visitor wants to go on all the same.
    pub(super) fn reset_streak(&mut self) {
        self.since_an_answer = 0;
    }

    /// Whether another worker may be started unasked.
    pub(super) fn may_restart(&self) -> bool {
        self.since_an_answer < MOST_IN_A_ROW
    }
}

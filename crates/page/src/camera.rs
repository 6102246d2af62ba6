//! The camera's picture on the page.

use crate::photo::PhotoId;
use protocol::Answer;

/// The number under which the photos' files hold the camera's picture of the moment. Photos begin at 1.
pub const CAMERA: PhotoId = 0;

/// The camera's picture on the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveCamera {
    /// It is looked at all the time.
    pub running: bool,
    /// What was seen last.
    pub answer: Option<Answer>,
    /// How many pictures were asked for, beside the first.
    pub wanted: u64,
}

//! What a test may do to an answer.

use std::time::Duration;

/// What to do with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Disturbance {
    /// Answer as usual.
    None,
    /// Wait, then answer as usual.
    Delay(Duration),
    /// Answer as usual, but at most this many bytes a second.
    Throttle(u64),
    /// Answer as usual, but hang up after this many bytes of the body.
    HangUpAfter(u64),
    /// Answer as usual, but send nothing more after this many bytes of the body, and hold the connection open.
    StallAfter(u64),
    /// Answer nothing, and hold the connection open.
    Silence,
    /// Answer as usual, but with the bits of the body's byte at this offset inverted.
    Corrupt(u64),
    /// Answer with the whole file, whatever part is asked for.
    IgnoreRange,
    /// Answer as usual, with these headers in place of those of the same names.
    Headers(Vec<(&'static str, String)>),
    /// Answer this instead of the file, with these headers beside the usual ones.
    Answer { status: u16, content_type: &'static str, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// All of these at once.
    All(Vec<Disturbance>),
}

/// All that is done to one answer.
#[derive(Default)]
pub struct Changes {
    pub silence: bool,
    pub delay: Duration,
    pub instead: Option<Instead>,
    pub ignore_range: bool,
    pub headers: Vec<(&'static str, String)>,
    pub bytes_per_second: Option<u64>,
    pub end: Option<End>,
    pub corrupt: Option<u64>,
}

/// An answer in place of the file.
pub struct Instead {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Where a body ends too soon.
#[derive(Clone, Copy)]
pub struct End {
    pub after: u64,
    /// The connection is held open.
    pub hold: bool,
}

impl From<Disturbance> for Changes {
    fn from(disturbance: Disturbance) -> Changes {
        let mut changes = Changes::default();
        changes.add(disturbance);
        changes
    }
}

impl Changes {
    fn add(&mut self, disturbance: Disturbance) {
        match disturbance {
            Disturbance::None => {}
            Disturbance::Delay(delay) => self.delay = delay,
            Disturbance::Throttle(rate) => self.bytes_per_second = Some(rate),
            Disturbance::HangUpAfter(after) => self.end = Some(End { after, hold: false }),
            Disturbance::StallAfter(after) => self.end = Some(End { after, hold: true }),
            Disturbance::Silence => self.silence = true,
            Disturbance::Corrupt(offset) => self.corrupt = Some(offset),
            Disturbance::IgnoreRange => self.ignore_range = true,
            Disturbance::Headers(headers) => self.headers.extend(headers),
            Disturbance::Answer { status, content_type, headers, body } => {
                self.instead = Some(Instead { status, content_type, headers, body });
            }
            Disturbance::All(disturbances) => disturbances.into_iter().for_each(|one| self.add(one)),
        }
    }

    /// The connection stays open after a body that ended too soon.
    pub fn holds(&self) -> bool {
        self.end.is_some_and(|end| end.hold)
    }
}

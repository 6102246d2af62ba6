//! Makes a link of a result.

use crate::effect::Effect;
use crate::photo::Progress;
use crate::record::Record;
use crate::state::State;

impl State {
    /// A record of the result in the large view.
    pub(super) fn share(&mut self) -> Vec<Effect> {
        let record = self.viewed().and_then(|(_, photo)| match &photo.progress {
            Progress::Done(answer) => Some(Record::of(photo, answer, self.top_k, photo.provenance.as_ref()?)),
            _ => None,
        });
        record.map(Effect::Share).into_iter().collect()
    }
}

//! The large view of one photo, with what the network made of it.

use crate::photo::PhotoId;
use protocol::fault::PhotoFault;
use protocol::{ClassName, HeatMap, Prediction};
use std::rc::Rc;

/// A photo seen large.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewer {
    pub id: PhotoId,
    /// The object URL of the whole photo, once there is one; none where the browser cannot show it.
    pub url: Option<Rc<str>>,
    pub explanation: Explanation,
    /// How strongly a heat map covers the photo, in percent.
    pub strength: u8,
    pub input: Input,
    pub search: ClassSearch,
}

/// The search for a class that is not among the answer's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassSearch {
    pub query: String,
    /// What the worker has found for this query, or for one before it.
    pub found: Option<FoundClasses>,
    /// The class that was picked from what was found.
    pub(crate) picked: Option<ClassName>,
}

/// The best of the classes that were found, and how many there are in all.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundClasses {
    pub classes: Rc<[ClassName]>,
    pub count: usize,
}

/// A heat map, for one class at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Explanation {
    None,
    Waiting { class: usize },
    Shown { class: usize, map: Rc<HeatMap> },
    Failed { class: usize, reason: NotShownReason },
}

/// What the network saw of the photo.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Hidden,
    Waiting,
    /// `side` × `side` pixels in RGBA.
    Shown {
        side: usize,
        rgba: Rc<[u8]>,
    },
    Failed(NotShownReason),
}

/// Why something could not be shown.
#[derive(Clone, Debug, PartialEq)]
pub enum NotShownReason {
    /// No model is loaded (any more).
    NoModel,
    /// What the worker says.
    Photo(PhotoFault),
}

impl Explanation {
    /// The class that is asked about.
    pub fn class(&self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Waiting { class } | Self::Shown { class, .. } | Self::Failed { class, .. } => Some(*class),
        }
    }
}

impl Viewer {
    pub(crate) fn of(id: PhotoId, strength: u8) -> Self {
        Self {
            id,
            url: None,
            explanation: Explanation::None,
            strength,
            input: Input::Hidden,
            search: ClassSearch::default(),
        }
    }
}

/// The class that a heat map is about: one of the answer's, or one that was searched for.
pub fn explained(predictions: &[Prediction], viewer: &Viewer) -> Option<ClassName> {
    let class = viewer.explanation.class()?;
    let of_answer = predictions.iter().find(|prediction| prediction.index == class).map(|prediction| {
        let Prediction { index, wnid, label, label_zh, .. } = prediction.clone();
        ClassName { index, wnid, label, label_zh }
    });
    of_answer.or_else(|| viewer.search.picked.clone().filter(|picked| picked.index == class))
}

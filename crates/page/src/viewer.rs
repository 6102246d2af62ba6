//! The large view of one photo, with what the network made of it.

use crate::photo::PhotoId;
use protocol::fault::PhotoFault;
use protocol::{HeatMap, Prediction};
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
        Self { id, url: None, explanation: Explanation::None, strength, input: Input::Hidden }
    }
}

/// The prediction that a heat map is about.
pub fn explained<'a>(predictions: &'a [Prediction], explanation: &Explanation) -> Option<&'a Prediction> {
    let class = explanation.class()?;
    predictions.iter().find(|prediction| prediction.index == class)
}

//! All that the page knows: one [`State`], and what can be asked of it. It is changed by
//! [`State::update`](crate::State::update) alone.

use crate::camera::LiveCamera;
use crate::crashes::Crashes;
use crate::engine::Engine;
use crate::import::ImportState;
use crate::language::Language;
use crate::listing::{Drawn, Listing, Viewport};
use crate::models::list::{ListFault, Listed};
use crate::photo::{DEFAULT_TOP_K, Photo, PhotoId, Progress, Provenance};
use crate::sharing::{LinkState, SharedRecord};
use crate::storage::StorageContents;
use crate::tagging::Tagging;
use crate::viewer::Viewer;
use archive::LeftOut;
use protocol::StageTime;
use protocol::import::Hubs;
use std::collections::VecDeque;
use std::rc::Rc;

/// How many photos stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Queued or running.
    pub left: usize,
    pub done: usize,
    pub failed: usize,
}

impl Counts {
    pub fn all(&self) -> usize {
        self.left + self.done + self.failed
    }
}

/// All that the page knows.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub engine: Engine,
    /// The models that the site offers.
    pub models: Rc<[Listed]>,
    /// Where the site wants models fetched from, in place of the hubs' own addresses.
    pub hubs: Hubs,
    /// Why their list is left aside, if it is.
    pub list_fault: Option<ListFault>,
    /// The manifest's absolute address of the model that was chosen, once it is.
    pub choice: Option<Rc<str>>,
    /// The same of the model from another site that the visitor has agreed to.
    pub(crate) agreed: Option<Rc<str>>,
    /// Newest batch first; inside a batch, in the order given.
    pub photos: Vec<Rc<Photo>>,
    /// The photos that the worker has. They may have been removed from the page meanwhile.
    pub in_flight: Vec<PhotoId>,
    /// So many photos go one by one before several go together again: a worker crashed on one of them.
    pub(crate) one_by_one: usize,
    /// Files are being dragged over the page.
    pub dragging: bool,
    /// A paste held no photo.
    pub empty_paste: bool,
    pub listing: Listing,
    /// The photo in the large view, if any.
    pub viewer: Option<Viewer>,
    /// The visitor has stopped the queue.
    pub stopped: bool,
    /// How many classes an answer shows.
    pub top_k: usize,
    /// Files in dropped folders and archives that were left out.
    pub skipped: LeftOut,
    pub language: Language,
    /// The result that came with the page's address.
    pub shared: SharedRecord,
    /// What became of the link that the visitor wanted.
    pub link: LinkState,
    /// The camera, while it is on.
    pub live: Option<LiveCamera>,
    /// What the diagnostics panel shows, once it was opened, and whether it was copied.
    pub diagnostics: (Option<Rc<str>>, bool),
    /// A new version of the page waits to be used.
    pub update_ready: bool,
    /// The batch of the newest photos, and how many of them the page still shows at the top.
    pub(crate) batch: (u64, usize),
    /// The network's milliseconds for the last photos.
    pub(crate) times: VecDeque<f64>,
    /// The same with decoding.
    pub(crate) whole_times: VecDeque<f64>,
    /// What the network's time for the last photo went to.
    pub stages: Vec<StageTime>,
    /// Workers that crashed.
    pub crashes: Crashes,
    /// What is in the browser's storage, once it was looked up.
    pub stored: StorageContents,
    /// The import of a checkpoint.
    pub import: ImportState,
    /// Keywords that are written into photos.
    pub tagging: Tagging,
}

impl Default for State {
    fn default() -> Self {
        Self {
            engine: Engine::Choosing,
            models: Rc::default(),
            hubs: Hubs::default(),
            list_fault: None,
            choice: None,
            agreed: None,
            photos: Vec::new(),
            in_flight: Vec::new(),
            one_by_one: 0,
            dragging: false,
            empty_paste: false,
            listing: Listing::default(),
            viewer: None,
            stopped: false,
            top_k: DEFAULT_TOP_K,
            skipped: LeftOut::default(),
            language: Language::default(),
            shared: SharedRecord::None,
            link: LinkState::None,
            live: None,
            diagnostics: (None, false),
            update_ready: false,
            batch: (0, 0),
            times: VecDeque::new(),
            whole_times: VecDeque::new(),
            stages: Vec::new(),
            crashes: Crashes::default(),
            stored: StorageContents::default(),
            import: ImportState::default(),
            tagging: Tagging::default(),
        }
    }
}

impl State {
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for photo in &self.photos {
            match photo.progress {
                Progress::Queued | Progress::Running(_) => counts.left += 1,
                Progress::Done(_) => counts.done += 1,
                Progress::Failed(_) => counts.failed += 1,
            }
        }
        counts
    }

    /// The photo being looked at.
    pub fn running(&self) -> Option<&Photo> {
        self.photos.iter().find(|photo| matches!(photo.progress, Progress::Running(_))).map(Rc::as_ref)
    }

    /// The network's time for a photo in milliseconds: the median of the last ones.
    pub fn ms_per_photo(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.times.iter().copied().collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    }

    /// How long the photos that wait will take, in seconds.
    pub fn seconds_left(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.whole_times.iter().copied().collect();
        times.sort_by(f64::total_cmp);
        Some(self.counts().left as f64 * times.get(times.len() / 2)? / 1000.0)
    }

    /// The listed photos in their order.
    pub fn listed(&self) -> Vec<Rc<Photo>> {
        self.listing.apply(&self.photos)
    }

    /// The part of [`State::listed`] that is drawn.
    pub fn drawn(&self, total: usize) -> Drawn {
        Viewport::drawn(self.listing.viewport.as_ref(), total)
    }

    /// The photo in the large view.
    pub fn viewed(&self) -> Option<(&Viewer, &Rc<Photo>)> {
        let viewer = self.viewer.as_ref()?;
        Some((viewer, self.photos.iter().find(|photo| photo.id == viewer.id)?))
    }

    /// The chosen model's entry in the list.
    pub fn listed_choice(&self) -> Option<&Listed> {
        self.models.iter().find(|model| Some(&model.manifest) == self.choice.as_ref())
    }

    /// What answers photos now, while the model is loaded.
    pub(crate) fn provenance(&self) -> Option<Provenance> {
        match &self.engine {
            Engine::Ready { model, backend, .. } => {
                Some(Provenance { model: model.clone(), backend: backend.clone() })
            }
            _ => None,
        }
    }

    /// Whether an answer on this page agrees with the result that came with the address; none while no
    /// answer is of the same photo.
    pub fn agrees(&self) -> Option<bool> {
        let SharedRecord::Record(record) = &self.shared else { return None };
        self.photos.iter().find_map(|photo| match &photo.progress {
            Progress::Done(answer) => record.agrees(answer),
            _ => None,
        })
    }

    pub(crate) fn photo(&self, id: PhotoId) -> Option<&Photo> {
        self.photos.iter().find(|photo| photo.id == id).map(|photo| &**photo)
    }

    pub(crate) fn position(&self, id: PhotoId) -> Option<usize> {
        self.photos.iter().position(|photo| photo.id == id)
    }

    /// Changes a photo, if the page still has it.
    pub(crate) fn change(&mut self, id: PhotoId, change: impl FnOnce(&mut Photo)) {
        if let Some(at) = self.position(id) {
            change(Rc::make_mut(&mut self.photos[at]));
        }
    }
}

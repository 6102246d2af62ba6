//! What can happen to the page, and what it asks of the browser.

use super::{Breakdown, Order, Problem, Shared, Viewport};
#[cfg(doc)]
use super::{CARD_SIDE, VIEWER_SIDE};
use crate::export::Format;
use crate::language::Language;
use crate::models::{ListFault, Listed};
use crate::photo::{Arrival, PhotoId, Picture, Trouble};
use crate::record::Record;
use crate::storage::Kept;
use archive::LeftOut;
use protocol::Reply;
use protocol::teach::{TeachReply, TeachRequest};
use std::rc::Rc;
use web_sys::File;

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The page has been opened.
    Opened,
    /// The models that the site offers, or why their list is left aside.
    Listed(Result<Vec<Listed>, ListFault>),
    /// The model at this manifest's absolute address has been chosen, or none could be.
    Chosen(Result<Rc<str>, Problem>),
    /// The visitor wants the model at this manifest's absolute address.
    PickModel(Rc<str>),
    /// The worker sent a message.
    Worker(Reply),
    /// The worker sent something that is no message, or broke down.
    WorkerBroke(Breakdown),
    /// The page is shown again; the worker was ended when it was put away.
    Returned,
    /// Load the model again after a failure.
    Reload,
    /// Load the model from another site that was asked about.
    Agree,
    /// Don't, but load the site's own.
    Decline,
    /// Stop loading for now.
    Pause,
    /// Go on loading.
    Resume,
    /// This is in the browser's storage.
    StorageMeasured(Kept),
    /// The visitor does without the stored model whose manifest is at this address. If it is loaded it goes on answering.
    RemoveStored(Rc<str>),
    /// The visitor wants the storage back. A model that is loaded goes on answering.
    ClearStorage,
    /// Things came in. Those of one drop, pick or paste share a batch number, and later batches
    /// have greater ones.
    Arrived {
        batch: u64,
        arrivals: Vec<Arrival>,
    },
    /// The clipboard held no photo.
    PastedNothing,
    /// A small picture of the photo is at this object URL; none can be had without one.
    Previewed {
        id: PhotoId,
        url: Option<Rc<str>>,
    },
    /// A small picture of it as it was decoded for the network is at this object URL.
    DecodedPreviewed {
        id: PhotoId,
        url: Rc<str>,
    },
    /// These small pictures were let go of, to be made again when needed.
    PreviewsDropped(Vec<PhotoId>),
    /// These files were left out.
    Skipped(LeftOut),
    /// A photo's file could not be had.
    Unreadable(PhotoId, Trouble),
    /// The file of a photo that has its answer could not be had once more, to show something of it.
    NotReopened(PhotoId),
    /// Stop the queue, or let it go on.
    Stop(bool),
    /// Show this many classes.
    ShowClasses(usize),
    /// List only photos with this in a label or in their name.
    Search(String),
    OrderBy(Order),
    /// The window shows another part of the list.
    Scrolled(Viewport),
    /// Put a photo where another one is.
    MoveTo {
        id: PhotoId,
        target: PhotoId,
    },
    /// Move a photo one place on, or back with −1.
    Nudge {
        id: PhotoId,
        by: isize,
    },
    /// Open the large view, where asked for with one class's heat map.
    View {
        id: PhotoId,
        class: Option<usize>,
    },
    CloseViewer,
    /// Go on to the next photo in the large view, or back with −1.
    Step(isize),
    /// The whole photo in the large view is at this object URL.
    WholeOpened {
        id: PhotoId,
        url: Rc<str>,
    },
    /// The browser cannot show the photo in the large view.
    WholeFailed,
    /// Show this class's heat map, or hide it.
    Explain(usize),
    /// How strongly the heat map covers the photo, in percent.
    Strength(u8),
    /// Show what the network saw, or hide it.
    ToggleInput,
    /// Speak this language, because the visitor wants so, or because the browser does.
    Speak {
        language: Language,
        chosen: bool,
    },
    /// Save all results as a file.
    Export(Format),
    /// Save the photo in the large view with its answer.
    SavePicture,
    /// Make a link to the result in the large view.
    ShareResult,
    /// The link is in the clipboard, or only in the address bar.
    LinkMade {
        copied: bool,
    },
    /// The page's address holds a result.
    RecordCame(Shared),
    DismissRecord,
    /// Turn the camera on or off.
    Camera(bool),
    /// Look at what the camera shows, all the time, or stop doing so.
    GoLive(bool),
    /// The camera's picture of this moment waits on the shelf.
    Frame,
    /// Gather the diagnostics.
    Diagnose,
    Diagnosed(Rc<str>),
    CopyDiagnostics,
    DiagnosticsCopied(bool),
    /// A new version of the page is ready.
    UpdateReady,
    /// Use it: the page is loaded anew.
    UpdateNow,
    /// What the network saw: `side` × `side` pixels in RGBA.
    SawInput {
        id: PhotoId,
        side: usize,
        rgba: Rc<[u8]>,
    },
    /// All of the photo as it was decoded for the network; `side` is [`CARD_SIDE`] or [`VIEWER_SIDE`].
    SawWhole {
        id: PhotoId,
        side: u32,
        picture: Picture,
    },
    /// Classify this photo again.
    Retry(PhotoId),
    Remove(PhotoId),
    Clear,
    /// Files came over the page, or left it.
    Dragging(bool),
    /// The panel of the visitor's own classes asks the worker this, with a photo or file beside it.
    AskTeacher(TeachRequest, Option<File>),
    /// Answer every photo anew: the classes are others now.
    Reclassify,
    /// The visitor wants to try this sample photo.
    TrySample(&'static str),
}

/// What a change of state asks of the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Find out which models there are and which to load, and answer with [`Action::Listed`] and
    /// [`Action::Chosen`].
    ChooseModel,
    /// Choose the model at this manifest's address on the next visit too.
    RememberModel(Rc<str>),
    /// Start a worker; one that runs is ended.
    StartWorker,
    /// End the worker.
    StopWorker,
    /// Take the model out of the page's address.
    ForgetNamedModel,
    /// Ask the worker to load the manifest at this absolute address; from another site only if it is agreed to.
    Load { manifest: Rc<str>, agreed: bool },
    /// Count the weights in the browser's storage and answer with [`Action::StorageMeasured`].
    MeasureStorage,
    /// Ask the browser not to clear its storage by itself.
    PersistStorage,
    /// Remove the weights from the browser's storage, then measure it.
    ClearStorage,
    /// Remove this model's, then measure it.
    RemoveStored(Rc<str>),
    /// Send these photos to the worker.
    Classify(Vec<PhotoId>),
    /// Ask the worker for a class's heat map.
    Explain { id: PhotoId, class: usize },
    /// Ask the worker what the network sees of this photo.
    ShowInput(PhotoId),
    /// Ask the worker for all of this photo as it is decoded for the network: with [`CARD_SIDE`] for its card, with
    /// [`VIEWER_SIDE`] for the large view.
    ShowWhole { id: PhotoId, side: u32 },
    /// Make the card's picture of it and answer with [`Action::DecodedPreviewed`].
    DrawPreview { id: PhotoId, picture: Picture },
    /// Make the large view's picture of it and answer with [`Action::WholeOpened`].
    DrawWhole { id: PhotoId, picture: Picture },
    /// Make an object URL of the whole photo and answer with [`Action::WholeOpened`].
    OpenWhole(PhotoId),
    /// Let go of it.
    CloseWhole,
    /// Speak this language.
    Speak { language: Language, chosen: bool },
    /// Save all results as a file.
    Export(Format),
    /// Save this photo with its answer.
    SavePicture(PhotoId),
    /// Put this record into the address and the clipboard, and answer with [`Action::LinkMade`].
    Share(Record),
    /// Take the record out of the address.
    ForgetRecord,
    /// Gather facts and answer with [`Action::Diagnosed`].
    Diagnose,
    /// Put text into the clipboard and answer with [`Action::DiagnosticsCopied`].
    CopyDiagnostics(Rc<str>),
    /// Let the new version take over, and load the page anew.
    UpdateNow,
    /// Let go of this photo's file and preview.
    Forget(PhotoId),
    /// Fetch this sample and let it arrive like any other photo.
    FetchSample(&'static str),
    /// Ask the worker this about the visitor's own classes.
    AskTeacher(TeachRequest, Option<File>),
    /// Hand this to the panel of the visitor's own classes.
    TellTeacher(TeachReply),
    /// Move the keyboard's focus, since what had it is gone.
    Focus(Focus),
}

/// Where the keyboard's focus goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The button that removes this photo.
    Remove(PhotoId),
    /// The button that opens this photo's large view.
    Open(PhotoId),
    /// The file picker.
    Picker,
    /// The button that turns the camera on.
    Camera,
}

impl Focus {
    /// The `id` of the element that takes the focus.
    pub fn element_id(self) -> String {
        match self {
            Self::Remove(id) => format!("remove-{id}"),
            Self::Open(id) => format!("open-{id}"),
            Self::Picker => "picker".into(),
            Self::Camera => "camera".into(),
        }
    }
}

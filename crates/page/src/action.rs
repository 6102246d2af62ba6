//! What can happen to the page.

use crate::engine::{EngineError, WorkerFailure};
use crate::export::Format;
use crate::import::ImportAction;
use crate::language::Language;
use crate::listing::{SortOrder, Viewport};
use crate::models::list::{ListFault, ModelList};
use crate::photo::{Arrival, PhotoError, PhotoId, Picture};
#[cfg(doc)]
use crate::photo::{CARD_SIDE, VIEWER_SIDE};
use crate::sharing::SharedRecord;
use crate::storage::StorageContents;
use crate::tagging::TagAction;
use archive::LeftOut;
use protocol::Reply;
use std::rc::Rc;

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The page has been opened.
    Opened,
    /// The models that the site offers, or why their list is left aside.
    ModelsListed(Result<ModelList, ListFault>),
    /// The model at this manifest's absolute address has been chosen, or none could be.
    ModelChosen(Result<Rc<str>, EngineError>),
    /// The visitor wants the model at this manifest's absolute address.
    PickModel(Rc<str>),
    /// The worker sent a message.
    Worker(Reply),
    /// The worker crashed, or sent something that is no message.
    WorkerFailed(WorkerFailure),
    /// The page is shown again; the worker was ended when it was put away.
    PageRestored,
    /// Load the model again after a failure.
    Reload,
    /// Load the model from another site, which the worker has asked about.
    AcceptOffer,
    /// Don't, but load the site's own.
    DeclineOffer,
    /// Load the site's own model in place of one that is not in storage any more.
    UseOwnModel,
    /// Stop loading the model for now.
    PauseLoading,
    /// Go on loading the model.
    ResumeLoading,
    /// About the import of a checkpoint.
    Import(ImportAction),
    /// This is in the browser's storage.
    StorageMeasured(StorageContents),
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
    /// These files of what came in were left out.
    FilesLeftOut(LeftOut),
    /// A photo's file could not be had.
    PhotoUnreadable(PhotoId, PhotoError),
    /// The file of a photo that has its answer could not be had once more, to show something of it.
    PhotoNotReopened(PhotoId),
    /// Stop the queue, or let it go on.
    StopQueue(bool),
    /// Show this many classes.
    ShowClasses(usize),
    /// List only photos with this in a label or in their name.
    Search(String),
    OrderBy(SortOrder),
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
    /// Open the large view, with one class's heat map where asked for.
    OpenViewer {
        id: PhotoId,
        class: Option<usize>,
    },
    CloseViewer,
    /// Go on to the next photo in the large view, or back with −1.
    StepViewer(isize),
    /// The whole photo in the large view is at this object URL.
    WholeOpened {
        id: PhotoId,
        url: Rc<str>,
    },
    /// The browser cannot show the photo in the large view.
    WholeFailed,
    /// Show this class's heat map, or hide it.
    ToggleExplanation(usize),
    /// Search for a class to show the heat map of.
    SearchClasses(String),
    /// How strongly the heat map covers the photo, in percent.
    HeatMapStrength(u8),
    /// Show what the network saw, or hide it.
    ToggleInput,
    /// Use this language, which the visitor has chosen or the browser prefers.
    SetLanguage {
        language: Language,
        chosen: bool,
    },
    /// Save all results as a file.
    Export(Format),
    /// About keywords in photos.
    Tag(TagAction),
    /// Save the photo in the large view with its answer.
    SavePicture,
    /// Make a link to the result in the large view.
    ShareResult,
    /// The link is in the clipboard, or only in the address bar.
    LinkMade {
        copied: bool,
    },
    /// The page's address holds a result.
    RecordRead(SharedRecord),
    DismissRecord,
    /// Turn the camera on or off.
    SwitchCamera(bool),
    /// Classify the camera's picture all the time, or stop doing so.
    SetLive(bool),
    /// The camera's picture of this moment waits under the number [`CAMERA`](crate::camera::CAMERA).
    CameraFrame,
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
    /// Classify every photo anew: the classes are others now.
    Reclassify,
    /// The visitor wants to try this sample photo.
    TrySample(&'static str),
}

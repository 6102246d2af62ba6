//! What a change of the state asks of the browser.

#[cfg(doc)]
use crate::action::Action;
use crate::export::Format;
use crate::language::Language;
#[cfg(doc)]
use crate::photo::{CARD_SIDE, VIEWER_SIDE};
use crate::photo::{PhotoId, Picture};
use crate::record::Record;
use crate::tagging::TagEffect;
use protocol::import::{Hubs, ImportOffer, ImportSource};
use protocol::teach::TeachReply;
use std::rc::Rc;

/// What a change of state asks of the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Find out which models there are and which to load, and answer with [`Action::ModelsListed`] and
    /// [`Action::ModelChosen`].
    ChooseModel,
    /// Choose the model at this manifest's address on the next visit too.
    RememberModel(Rc<str>),
    /// Choose the site's own model on the next visit again.
    ForgetModel,
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
    /// Start a worker of this number for an import; one of an earlier number is ended.
    StartImportWorker(u64),
    /// End it.
    StopImportWorker,
    /// Ask it what an import would fetch and keep.
    InspectImport { source: ImportSource, hubs: Hubs },
    /// Ask it to import this.
    RunImport(Rc<ImportOffer>),
    /// Remove what is in storage of the unfinished import at this address, then measure it.
    RemoveImport(Rc<str>),
    /// Send these photos to the worker.
    Classify(Vec<PhotoId>),
    /// Ask the worker for a class's heat map.
    Explain { id: PhotoId, class: usize },
    /// Ask the worker for the classes that have this in a name.
    FindClasses(String),
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
    SetLanguage { language: Language, chosen: bool },
    /// Save all results as a file.
    Export(Format),
    /// About keywords in photos.
    Tag(TagEffect),
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
    /// Pass this to the panel of the visitor's own classes.
    TeachReply(TeachReply),
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
    /// The panel of the import.
    Import,
    /// The menu of models.
    Models,
    /// The menu of what can be taken away.
    Export,
    /// Where the dialog for keywords stands.
    Tagging,
}

impl Focus {
    /// The `id` of the element that takes the focus.
    pub fn element_id(self) -> String {
        match self {
            Self::Remove(id) => format!("remove-{id}"),
            Self::Open(id) => format!("open-{id}"),
            Self::Picker => "picker".into(),
            Self::Camera => "camera".into(),
            Self::Import => "import".into(),
            Self::Models => "models-menu".into(),
            Self::Export => "export-menu".into(),
            Self::Tagging => "tagging-status".into(),
        }
    }
}

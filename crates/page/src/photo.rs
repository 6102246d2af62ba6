//! One photo on the page: what it is, how its preview does, and where its answer stands.

use archive::ArchiveFault;
use archive::zip::Method;
use protocol::fault::PhotoFault;
use protocol::{Answer, BackendInfo, ModelInfo};
use std::rc::Rc;

/// Numbers photos in the order in which they came; never used twice.
pub type PhotoId = u64;

/// A card is at most about this wide, in pixels of the screen.
pub const CARD_SIDE: u32 = 720;
/// The long side of a photo that the browser can't show in the large view.
pub const VIEWER_SIDE: u32 = 2048;

/// How many classes an answer shows unless the visitor wants more or fewer.
pub const DEFAULT_TOP_K: usize = 5;

/// How many classes the worker names: the most that can be shown.
pub const LISTED_CLASSES: usize = 10;

/// Something that came in by drop, picker or paste, before it is a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    pub id: PhotoId,
    pub name: Rc<str>,
    pub content: Content,
}

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A file, or something that gives one.
    File,
    /// Nothing that can be sent to the network, for this reason.
    Unusable(PhotoError),
}

/// A photo on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    pub id: PhotoId,
    pub name: Rc<str>,
    pub preview: Preview,
    pub progress: Progress,
    /// What gave the last answer, once there was one.
    pub provenance: Option<Provenance>,
}

/// What an answer came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    pub model: Rc<ModelInfo>,
    pub backend: Rc<BackendInfo>,
}

/// Pixels in RGBA, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub rgba: Rc<[u8]>,
}

/// What the browser makes of the photo on its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Preview {
    /// To be made once the photo comes into sight.
    Wanted,
    /// A small picture at this object URL.
    Shown(Rc<str>),
    /// The browser cannot show it (TIFF, damaged, not a photo).
    Unavailable,
}

/// Where the photo's answer stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    Queued,
    /// Through this share of the network, 0 to 1.
    Running(f32),
    Done(Answer),
    Failed(PhotoError),
}

/// Why a photo has no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum PhotoError {
    /// What the worker says.
    Photo(PhotoFault),
    /// The worker crashed with this photo in flight, several times.
    Crashed,
    /// A folder or an archive without a photo in it.
    NothingInside,
    /// The browser would not list this folder.
    FolderUnreadable,
    /// This is no archive that can be read, for this reason.
    Archive(ArchiveFault),
    /// It is encrypted in its archive.
    Encrypted,
    /// It is packed by a method that can't be unpacked here.
    PackedBy(Method),
    /// An archive in archives, deeper than they are opened.
    NestedTooDeep,
    /// A packed archive in an archive, longer than is unpacked.
    NestedTooLarge { most_megabytes: u64 },
    /// The photo could not be taken out of its archive.
    NotUnpacked,
    /// A picture at a web address could not be fetched from this host.
    NotShared(String),
    /// A picture's address begins with this scheme, by which pages may read nothing.
    NotReadable { scheme: String },
    /// Something other than a file was dropped.
    NotAFile,
    /// A sample photo could not be fetched.
    NotFetched,
}

impl From<Arrival> for Photo {
    fn from(arrival: Arrival) -> Self {
        let (preview, progress) = match arrival.content {
            Content::File => (Preview::Wanted, Progress::Queued),
            Content::Unusable(error) => (Preview::Unavailable, Progress::Failed(error)),
        };
        Self { id: arrival.id, name: arrival.name, preview, progress, provenance: None }
    }
}

impl Preview {
    /// The object URL, where there is something to show.
    pub fn url(&self) -> Option<&Rc<str>> {
        match self {
            Self::Shown(url) => Some(url),
            Self::Wanted | Self::Unavailable => None,
        }
    }
}

impl Progress {
    /// The card's `data-state`.
    pub fn data_state(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running(_) => "running",
            Self::Done(_) => "done",
            Self::Failed(_) => "error",
        }
    }
}

impl PhotoError {
    /// Whether the same file may fare better a second time.
    pub fn can_retry(&self) -> bool {
        matches!(self, Self::Crashed | Self::Photo(PhotoFault::NoDecoder { .. }))
    }
}

//! Faults in English: for the page in English, and for other pages, which have no sentences of their own. What `beit`
//! says of photos on the command line is said here in the same words.

use super::{Foreign, LoadFault, PhotoFault, TeachFault};
use std::fmt::{Display, Formatter, Result};

impl Display for PhotoFault {
    fn fmt(&self, f: &mut Formatter) -> Result {
        f.write_str(&photo(self))
    }
}

impl Display for LoadFault {
    fn fmt(&self, f: &mut Formatter) -> Result {
        f.write_str(&load(self))
    }
}

impl Display for TeachFault {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            TeachFault::NoModel => f.write_str("No model is loaded yet."),
            TeachFault::Unreadable => f.write_str("The file could not be read."),
            TeachFault::Names => f.write_str("Name every class, and no two alike."),
            TeachFault::NoFeatures => {
                f.write_str("Some photos have not been looked at yet. Try again in a moment.")
            }
            TeachFault::TooFew => f.write_str("Give at least two classes a photo each."),
            TeachFault::NotAHead { reason } => {
                write!(f, "The head could not be used: this is not a head ({reason}).")
            }
            TeachFault::OtherModel { made_for, loaded } => write!(
                f,
                "The head could not be used: it was made for the model {made_for}, but {loaded} is loaded, whose \
                 features mean something else."
            ),
            TeachFault::Unusable { reason } => write!(f, "The head could not be used: {reason}."),
            TeachFault::Network { reason } => write!(f, "The network failed ({reason})."),
        }
    }
}

const WORKS: &str = "JPEG, HEIC, PNG, WebP, GIF, BMP and TIFF work.";

fn photo(fault: &PhotoFault) -> String {
    match fault {
        PhotoFault::NoModel => "No model is loaded yet.".into(),
        PhotoFault::Unreadable => {
            "This file could not be read. It may have been moved or deleted since it was dropped.".into()
        }
        PhotoFault::Empty => "This file is empty.".into(),
        PhotoFault::NotAPhoto => format!("This is not a photo Beitscope can read. {WORKS}"),
        PhotoFault::Unsupported { format } => {
            format!("This is {}, which Beitscope can't read. {WORKS}", foreign(*format))
        }
        PhotoFault::NoDecoder { format, reason } => format!(
            "This is {}. What reads it could not be fetched: {reason}. Check the connection, then try again.",
            foreign(*format)
        ),
        PhotoFault::Variant { format } => format!(
            "This {format} is stored in a way Beitscope can't read. Saved again as an ordinary JPEG or PNG, it works."
        ),
        PhotoFault::NoPreview { raw } => format!(
            "This is a camera's raw photo ({raw}) without a preview that Beitscope could look at. Developed and saved as \
             JPEG, it works."
        ),
        PhotoFault::Truncated { format } => {
            format!("This {format} is cut short: the end of the file is missing.")
        }
        PhotoFault::Damaged { format } => format!("This {format} is damaged and can't be read."),
        PhotoFault::TooManyPixels { width, height, most_megapixels } => format!(
            "This photo is {width} × {height} pixels. Beitscope reads up to {most_megapixels} megapixels."
        ),
        PhotoFault::FileTooLarge { megabytes, most_megabytes } => {
            format!("This file is {megabytes} MB long. Beitscope reads photos up to {most_megabytes} MB.")
        }
        PhotoFault::OutOfMemory { width, height } => {
            format!("There is not enough memory left for this photo of {width} × {height} pixels.")
        }
        PhotoFault::Network { reason } => format!("The network failed on this photo ({reason})."),
        PhotoFault::FallbackFailed { fault } => format!(
            "The GPU failed on this photo, and the network could not be moved to the processor. {}",
            load(fault)
        ),
    }
}

fn foreign(format: Foreign) -> &'static str {
    match format {
        Foreign::Avif => "an AVIF photo",
        Foreign::Heic => "a HEIC photo",
        Foreign::JpegXl => "a JPEG XL photo",
        Foreign::Jpeg2000 => "a JPEG 2000 photo",
        Foreign::JpegXr => "a JPEG XR photo",
        Foreign::OpenExr => "an OpenEXR picture",
        Foreign::Svg => "an SVG drawing",
        Foreign::Pdf => "a PDF document",
        Foreign::Psd => "a Photoshop document (PSD)",
        Foreign::Cur => "a mouse pointer (CUR)",
        Foreign::Icns => "an icon (ICNS)",
        Foreign::Matroska => "a video (Matroska or WebM)",
        Foreign::Video => "a video",
    }
}

fn load(fault: &LoadFault) -> String {
    let not_fetched = |why: String| {
        format!(
            "The model could not be fetched: {why}. Check the connection and the address, then try again."
        )
    };
    match fault {
        LoadFault::NotStarted { reason } => {
            format!("The classifier could not be started ({reason}). Reload the page to try again.")
        }
        LoadFault::Unreachable { url, reason } => {
            not_fetched(format!("{url} could not be reached ({reason})"))
        }
        LoadFault::Status { url, status } => not_fetched(format!("{url} answered {status}")),
        LoadFault::TooLong { url, limit } => {
            not_fetched(format!("{url} is longer than the {limit} bytes expected"))
        }
        LoadFault::Broken { url, reason } => {
            not_fetched(format!("the connection broke while fetching {url} ({reason})"))
        }
        LoadFault::Stalled { url, seconds } => {
            not_fetched(format!("nothing came from {url} for {seconds} seconds"))
        }
        LoadFault::WebPage { url } => format!(
            "The model could not be fetched: {url} is a web page, not the file. If this network asks you to sign in \
             first, do so, then try again."
        ),
        LoadFault::DamagedShard { reason } => {
            not_fetched(format!("what came is damaged, also after trying again ({reason})"))
        }
        LoadFault::Address { url } => format!(
            "{url} is not an address a manifest can be fetched from. Point `model` at a manifest.json on a web server."
        ),
        LoadFault::Manifest { url, reason } => format!(
            "{url} does not describe a model: {reason}. Point `model` at a manifest.json that `beitscope convert` wrote."
        ),
        LoadFault::NotImported { .. } => {
            "This model is no longer in the browser’s storage. Import it again, or choose another one.".into()
        }
        LoadFault::Refused { reason } => format!(
            "The model's files were refused: {reason}. Convert the checkpoint again with `beitscope convert`."
        ),
    }
}

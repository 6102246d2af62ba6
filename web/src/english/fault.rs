//! What went wrong in the worker, and why it runs where it does, in English. What `beit` says of photos on the
//! command line is said here in the same words.

use super::counted;
use crate::numbers::rounded;
use protocol::BackendInfo;
use protocol::fault::{Foreign, LoadFault, PhotoFault, Reason, TeachFault};

const WORKS: &str = "JPEG, PNG, WebP, GIF, BMP and TIFF work.";

pub fn photo(fault: &PhotoFault) -> String {
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
        PhotoFault::Variant { format } => format!(
            "This {format} is stored in a way Beitscope can't read. Saved again as an ordinary JPEG or PNG, it works."
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
        PhotoFault::NotMoved { fault } => format!(
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
        Foreign::Cr2 => "a camera's raw photo (CR2)",
        Foreign::Cr3 => "a camera's raw photo (CR3)",
        Foreign::Svg => "an SVG drawing",
        Foreign::Pdf => "a PDF document",
        Foreign::Psd => "a Photoshop document (PSD)",
        Foreign::Ico => "an icon (ICO)",
        Foreign::Cur => "a mouse pointer (CUR)",
        Foreign::Icns => "an icon (ICNS)",
        Foreign::Matroska => "a video (Matroska or WebM)",
        Foreign::Video => "a video",
    }
}

pub fn load(fault: &LoadFault) -> String {
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
        LoadFault::DamagedShard { reason } => {
            not_fetched(format!("what came is damaged, also after trying again ({reason})"))
        }
        LoadFault::Address { url } => format!(
            "{url} is not an address a manifest can be fetched from. Point `model` at a manifest.json on a web server."
        ),
        LoadFault::Manifest { url, reason } => format!(
            "{url} does not describe a model: {reason}. Point `model` at a manifest.json that `beitscope convert` wrote."
        ),
        LoadFault::Refused { reason } => format!(
            "The model's files were refused: {reason}. Convert the checkpoint again with `beitscope convert`."
        ),
    }
}

pub fn teach(fault: &TeachFault) -> String {
    match fault {
        TeachFault::NoModel => "No model is loaded yet.".into(),
        TeachFault::Unreadable => "The file could not be read.".into(),
        TeachFault::Names => "Name every class, and no two alike.".into(),
        TeachFault::NotSeen => "Some photos have not been looked at yet. Try again in a moment.".into(),
        TeachFault::TooFew => "Give at least two classes a photo each.".into(),
        TeachFault::NotAHead { reason } => {
            format!("The head could not be used: this is not a head ({reason}).")
        }
        TeachFault::OtherModel { made_for, loaded } => format!(
            "The head could not be used: it was made for the model {made_for}, but {loaded} is loaded, whose features \
             mean something else."
        ),
        TeachFault::Unusable { reason } => format!("The head could not be used: {reason}."),
        TeachFault::Network { reason } => format!("The network failed ({reason})."),
    }
}

/// Where the network runs and why.
pub fn reasons(backend: &BackendInfo) -> String {
    let place = match backend.kind.as_str() {
        "cpu" => {
            format!(
                "The network runs on the processor, on {}.",
                counted(backend.threads, "thread", "threads")
            )
        }
        _ => "The network runs on the GPU.".into(),
    };
    let sentences: Vec<_> = std::iter::once(place).chain(backend.reasons.iter().map(reason)).collect();
    sentences.join(" ")
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NoGpu { reason } => format!("The GPU is not used: no GPU can be used here ({reason})."),
        Reason::ImitatedGpu { name } => {
            format!("The GPU is not used: the only GPU here is {name}, which imitates one on the processor.")
        }
        Reason::GpuRefused { name, reason } => {
            format!("The GPU is not used: {name} refused to be used ({reason}).")
        }
        Reason::GpuFailed { name, reason } => format!("The GPU is not used: {name} failed ({reason})."),
        Reason::GpuWrong { name, cosine: Some(cosine) } => {
            format!("The GPU is not used: {name} computes wrongly (cosine {cosine:.5}).")
        }
        Reason::GpuWrong { name, cosine: None } => {
            format!("The GPU is not used: {name} computes wrongly (what came is no number).")
        }
        Reason::GpuWrongHere { name } => {
            format!("The GPU is not used: on this model {name} computes wrongly.")
        }
        Reason::Compared { name, gpu_ms, cpu_ms } => format!(
            "A photo takes {} ms on {name}, and would take about {} ms on the processor.",
            rounded(*gpu_ms),
            rounded(*cpu_ms)
        ),
        Reason::GpuGivenUp { reason } => format!("The GPU is not used any more: {reason}."),
        Reason::GpuAgain => "The GPU failed once and is used again.".into(),
        Reason::FewerThreads { reason } => format!("More threads could not be started ({reason})."),
        Reason::StandIn { reason } => format!("A faster program could not be started ({reason})."),
        Reason::Fastest { chosen, slower } => {
            format!("{chosen} was faster than {} here.", slower.join(" and "))
        }
    }
}

//! Notices and errors of the engine and of photos, in English.

use super::counted;
use crate::engine::EngineError;
use crate::photo::PhotoError;
use crate::worker_setup::{NoPlan, Notice};
use archive::ArchiveFault;

pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::NotIsolated { cores } => format!(
            "It runs on one of this device’s {cores} processors: this site’s server does not let the page be \
             cross-origin isolated, which more threads need. Whoever runs the site can change that."
        ),
        Notice::NoSharing => {
            "It runs on one thread: this browser gives pages no memory that threads can share. Another \
             browser may be faster."
                .into()
        }
        Notice::BadThreads { got, most, used } => format!(
            "“{got}” is no number of threads: the page’s “threads” parameter goes from 1 to {most}, and 0 leaves \
             the choice to the page. It runs on {}.",
            counted(*used, "thread", "threads")
        ),
        Notice::StartedAgain { times } => format!(
            "The classifier stopped unexpectedly {} and was started again. No photo is lost: the one in hand is \
             looked at again.",
            counted(*times as usize, "time", "times")
        ),
        Notice::Fewer { planned, started } => format!(
            "It runs on {started} of {planned} threads: the browser did not start the others. Closing other tabs \
             and reloading the page may help."
        ),
    }
}

pub fn engine_error(error: &EngineError) -> String {
    match error {
        EngineError::NoWorker(NoPlan::NoSimd) => {
            "This browser lacks WebAssembly SIMD, which the network needs. \
             Firefox 89, Chrome 91, Edge 91, Safari 16.4 and anything newer have it."
                .into()
        }
        EngineError::NoWorker(NoPlan::BadBuild(name)) => format!(
            "“{name}” is no program that this browser can run. The page’s “worker” parameter is simd128, \
             simd128-threads or relaxed-threads; without it the page takes the fastest."
        ),
        EngineError::BadModelAddress(address) => format!(
            "“{address}” is no web address of a model. The page’s “model” parameter names a manifest.json, \
             such as models/demo/manifest.json."
        ),
        EngineError::NotStarted(reason) => sentence_with(
            reason,
            "The classifier’s program could not be fetched or started.",
            "Check the connection and try again.",
        ),
        EngineError::Crashed(reason) => sentence_with(
            reason,
            "The classifier stopped unexpectedly.",
            "Your photos are still here: try again, or close other tabs first if memory is short.",
        ),
        EngineError::Misunderstood(reason) => sentence_with(
            reason,
            "The page and its classifier are of different versions.",
            "Reload the page to get the same version of both.",
        ),
        EngineError::Load(fault) => fault.to_string(),
    }
}

/// What happened, why (where known), and what to do.
fn sentence_with(reason: &str, what: &str, advice: &str) -> String {
    let what = what.trim_end_matches('.');
    if reason.is_empty() { format!("{what}. {advice}") } else { format!("{what} ({reason}). {advice}") }
}

pub fn photo_error(error: &PhotoError) -> String {
    match error {
        PhotoError::Photo(fault) => fault.to_string(),
        PhotoError::Crashed => {
            "The classifier stopped unexpectedly each time it looked at this photo. Trying again after closing other \
             tabs may help."
                .into()
        }
        PhotoError::NothingInside => "There is no photo in it.".into(),
        PhotoError::FolderUnreadable => {
            "The browser could not list this folder. Drop the photos in it instead.".into()
        }
        PhotoError::Archive(fault) => archive(*fault),
        PhotoError::Encrypted => "It is encrypted in its archive, and Beitscope asks for no passwords. Unpack the archive on your computer, with \
             its password, and drop the folder."
            .into(),
        PhotoError::PackedBy(method) => format!(
            "It is packed by a method ({}) that Beitscope can't unpack. Unpack the archive on your computer and drop \
             the folder.",
            method.name()
        ),
        PhotoError::NestedTooDeep => "This archive lies in an archive in an archive, and none is opened that is deeper. Unpack them on your \
             computer and drop the folder."
            .into(),
        PhotoError::NestedTooLarge { most_megabytes } => format!(
            "This archive is packed in another one, and of such archives only {most_megabytes} MB are unpacked. \
             Unpack the outer one on your computer and drop this file by itself."
        ),
        PhotoError::NotUnpacked => {
            "This photo could not be unpacked: its archive is damaged, or was moved since it was dropped."
                .into()
        }
        PhotoError::NotShared(host) => format!(
            "The picture could not be fetched: {host} is out of reach, or does not let other pages read its \
             pictures. Save it and drop the file, or copy the picture itself and paste it."
        ),
        PhotoError::NotReadable { scheme } => format!(
            "The picture's address begins with “{scheme}”, and by such an address a web page may read nothing. Copy \
             the picture itself and paste it, or save it and drop the file."
        ),
        PhotoError::NotAFile => {
            "There was no file in what you dropped. Save the picture first, then drop the file.".into()
        }
        PhotoError::NotFetched => {
            "This sample could not be fetched. Check the connection and click it again.".into()
        }
    }
}

fn archive(fault: ArchiveFault) -> String {
    match fault {
        ArchiveFault::Damaged => {
            "This is no zip file or tar file, or it is damaged or cut short. Unpack it on your \
             computer and drop the photos."
                .into()
        }
        ArchiveFault::TooManyFiles => {
            "This archive lists more files than are read here. Unpack it on your computer \
             and drop the photos."
                .into()
        }
        ArchiveFault::Split => {
            "This is one part of an archive that was split into several. Join and unpack them on \
             your computer and drop the folder."
                .into()
        }
        ArchiveFault::TooLarge { most_megabytes } => format!(
            "Unpacked, this archive is longer than {most_megabytes} MB, and what comes after was not read. Unpack it \
             on your computer and drop the folder."
        ),
        ArchiveFault::Foreign(format) => format!(
            "This is a {} archive, which Beitscope can't unpack. Unpack it on your computer and drop the folder.",
            format.name()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_tells_its_reason_where_there_is_one() {
        let told = |reason: &str| engine_error(&EngineError::NotStarted(reason.into()));
        assert!(told("out of memory").contains("started (out of memory). Check"));
        assert!(told("").contains("started. Check"));
    }
}

//! The page's English.

use crate::numbers::{grouped, megabytes, parameters, percent, rounded, signed};
use crate::photo::{ArchiveFault, Trouble};
use crate::state::{Counts, Order, Problem};
use crate::status::Status;
use crate::text::{Said, Text};
use crate::threads::{NoPlan, Notice};
use protocol::{BackendInfo, Loading, ModelInfo};

pub static ENGLISH: Text = Text {
    tag: "en",
    title: "Beitscope: what is in your photo?",
    other_language: "中文",

    privacy: "Your photos never leave this page. The network runs here, in your browser.",
    model_card: "Model card",
    credits: "Sample photos: cat by Stéfan van der Walt, coffee by Rachel Michetti, rocket by SpaceX, all CC0.",
    wordnet: "Classes and kinds: WordNet 3.0, © 2006 Princeton University",
    quantization,
    maker: |model| format!("{}, {}", model.name, quantization(&model.quantization)),
    size: |model| format!("{} MB", megabytes(model.bytes)),
    model_facts,
    reason: |backend| backend.reason.clone(),
    backend,

    invitation: "What is in your photo?",
    ways_in: "Drop photos, folders or zip files anywhere on this page, paste a picture or its address, or choose files.",
    more: "More photos?",
    more_ways_in: "Drop photos, folders or zip files anywhere, paste or choose.",
    choose: "Choose photos",
    choose_folder: "Folder",
    let_go: "Let go to look at them",
    try_again: "Try again",

    samples: "No photo at hand? Try one of these.",
    try_sample: |what| format!("Try the {what}"),
    cat: "cat",
    coffee: "coffee",
    rocket: "rocket",

    status,
    notice,
    isolate: "Use them all in this browser.",
    progress: "Loading the model",
    progress_value: |bytes, total| of_megabytes(bytes, total),
    pause: "Pause",
    resume: "Go on",

    stored: |bytes| {
        format!("{} MB of weights are kept in this browser for the next visit.", megabytes(bytes))
    },
    clear_storage: "Remove them",
    no_storage: "This browser keeps nothing here (a private window, or an address without https), so the next visit \
         downloads the weights again.",
    no_room: "The browser had no room to keep the weights, so the next visit downloads them again. Free some disk \
         space to change that.",

    gallery: "Photos",
    counts,
    clear: "Clear all",

    tools: "All photos",
    listed: |photos| format!("{} found", grouped(photos as u64)),
    skipped: |files| format!("{} left out: no photos", counted(files, "file", "files")),
    left,
    stop: "Stop",
    go_on: "Go on",
    search: "Find a label or name",
    order_label: "Order",
    order: |order| match order {
        Order::Own => "Newest first",
        Order::Name => "By name",
        Order::Label => "By label",
        Order::Confidence => "Surest first",
    },
    classes_label: "Classes shown",
    classes: |classes| format!("Top {classes}"),
    nothing_found: |query| format!("No photo has “{query}” in a label or in its name."),

    export: "Export",
    export_json: "All results (JSON)",
    export_csv: "All results (CSV table)",
    export_png: "Photo with its answer (PNG)",
    copy_link: "Copy a link to the result",
    link_copied: "Copied. The photo is not in it.",
    link_in_address: "The link is in the address bar. The photo is not in it.",

    record: |file| format!("What somebody saw in “{file}”"),
    record_from: |record| {
        format!(
            "{} · {} · {} ms · photo’s SHA-256 {}…",
            record.model,
            record.backend,
            rounded(record.ms),
            record.sha256.get(..12).unwrap_or_default()
        )
    },
    record_note: "The photo is not in the link. If you have it, drop it here to check the answer.",
    record_same: "The answer here is the same.",
    record_different: "The answer here is another.",
    record_damaged: "The result in this address is damaged and cannot be read.",
    dismiss: "Dismiss",

    camera: "Camera",
    camera_heading: "Take a photo",
    camera_take: "Take photo",
    camera_live: "Live",
    camera_waiting: "Waiting for the camera…",
    camera_refused: "The camera cannot be used: the browser or the system does not allow it. Allow it in the site’s \
         settings beside the address bar, then try again.",
    camera_missing: "No camera was found.",

    diagnostics: "Diagnostics",
    copy: "Copy",
    copied: "Copied",

    update_ready: "A new version of this page is ready.",
    update_now: "Reload to use it",

    open: |name| format!("Look at {name} closely"),
    close: "Close",
    previous: "Previous photo",
    next: "Next photo",
    place: |at, count| format!("{} of {}", grouped(at as u64), grouped(count as u64)),
    explain: |label| format!("What speaks for {label}"),
    explain_hint: "Click a class to see which parts of the photo speak for it.",
    explain_waiting: "Looking…",
    why: |label| format!("Why “{label}”?"),
    average: |value| format!("average patch {}", signed(value)),
    strength: "Strength",
    patches_for: "Patches that speak for it",
    patches_against: "Patches that speak against it",
    constant: "Same for every photo",
    rounding: "8-bit rounding",
    logit: "Logit",
    heat_meaning: "Amber squares contribute more than the average one, blue ones less. It is exact: the parts add up \
                   to the number that the probability is made from. By the last layer, patches have told each other \
                   what they saw, so a square can speak for more than itself.",
    input: "What the network saw",
    input_meaning: |side| {
        format!("This square, {side} × {side} pixels, is all that the network gets of the photo.")
    },
    no_model: "The model is not loaded now. Try again once it is.",
    signed,
    told: |sentence| sentence.to_owned(),
    kind: |kind| &kind.label,
    kind_meaning: "The most specific kind of thing that holds at least 90 % of the probability (WordNet)",

    photo: |name| format!("The photo {name}"),
    waiting: "Waiting",
    looking: "Looking…",
    remove: |name| format!("Remove {name}"),
    answers: "What the network sees",
    label: |prediction| &prediction.label,
    percent,
    dimensions: |width, height| format!("{width} × {height}"),
    milliseconds: |ms| format!("{} ms", rounded(ms)),
    no_preview: "No preview",
    dropped_thing: "What you dropped",
    trouble,
};

fn model_facts(model: &ModelInfo) -> String {
    format!(
        "{} parameters · {} classes · {} px",
        parameters(model.parameters),
        grouped(model.classes as u64),
        model.image_size
    )
}

fn backend(backend: &BackendInfo, ms: Option<f64>) -> String {
    let kind = match backend.kind.as_str() {
        "cpu" => "CPU",
        "webgpu" => "WebGPU",
        other => other,
    };
    let mut parts = vec![kind.to_owned()];
    if !backend.detail.is_empty() {
        parts.push(backend.detail.clone());
    }
    if backend.kind == "cpu" {
        parts.push(counted(backend.threads, "thread", "threads"));
    }
    parts.extend(ms.map(|ms| format!("{} ms a photo", rounded(ms))));
    parts.join(" · ")
}

fn status(status: &Status) -> Said {
    let (lead, detail) = match status {
        Status::Starting => ("Starting…".into(), String::new()),
        Status::Downloading(loading) => ("Downloading the model".into(), download(loading)),
        Status::Reading(loading) => {
            let read = of_megabytes(loading.built, loading.total);
            ("Reading the model from this browser’s storage".into(), format!(": {read}"))
        }
        Status::Paused(loading) => {
            let here = of_megabytes(loading.here, loading.total);
            ("The download is paused".into(), format!(": {here} had come"))
        }
        Status::Compiling { ready, total } => {
            let count = if *total > 0 { format!(": {ready} of {total} programs") } else { String::new() };
            ("Getting the GPU ready".into(), count)
        }
        Status::WarmingUp => ("Warming up, so that the first photo is quick…".into(), String::new()),
        Status::Ready => ("Ready for your photos.".into(), String::new()),
        Status::Looking { name, left } => {
            let more = match left - 1 {
                0 => String::new(),
                more => format!(" · {more} more to go"),
            };
            (format!("Looking at {name}"), more)
        }
        Status::Stopped { left } => {
            (format!("Stopped: {} wait.", counted(*left, "photo", "photos")), String::new())
        }
        Status::Settled(counts) => (settled(counts), String::new()),
        Status::PastedNothing => ("There was no photo in what you pasted.".into(), String::new()),
        Status::Failed(_) => ("The model could not be loaded.".into(), String::new()),
    };
    let problem = match status {
        Status::Failed(problem) => Some(self::problem(problem)),
        _ => None,
    };
    Said { lead, detail, problem }
}

/// “: 12.3 of 23.0 MB · 4.5 MB/s · 3 s left”.
fn download(loading: &Loading) -> String {
    let mut parts = vec![of_megabytes(loading.here, loading.total)];
    if let Some(rate) = loading.bytes_per_second {
        parts.push(format!("{:.1} MB/s", rate / 1e6));
        if rate >= 1.0 {
            parts.push(time_left(loading.total.saturating_sub(loading.here) as f64 / rate));
        }
    }
    format!(": {}", parts.join(" · "))
}

fn time_left(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{} s left", seconds.ceil()),
        ..5_400.0 => format!("{} min left", (seconds / 60.0).ceil()),
        _ => format!("{} h left", (seconds / 3_600.0).ceil()),
    }
}

fn settled(counts: &Counts) -> String {
    let done = match (counts.done, counts.failed) {
        (0, _) => String::new(),
        (1, 0) => "Your photo has its answer.".into(),
        (done, 0) => format!("All {} photos have their answers.", grouped(done as u64)),
        (done, _) => format!("{} answered.", counted(done, "photo", "photos")),
    };
    let failed = match counts.failed {
        0 => String::new(),
        failed => format!("{} could not be answered.", counted(failed, "photo", "photos")),
    };
    [done, failed].join(" ").trim().to_owned()
}

fn notice(notice: &Notice) -> String {
    match notice {
        Notice::NotIsolated { cores } => format!(
            "It runs on one thread, though this device has {cores} processors: this site’s server does not send the \
             headers that make a page cross-origin isolated (Cross-Origin-Opener-Policy: same-origin and \
             Cross-Origin-Embedder-Policy: require-corp). Whoever runs the site can add them, or switch on its \
             isolation service worker."
        ),
        Notice::BadThreads { got, most, used } => format!(
            "“{got}” is no number of threads: the page’s “threads” parameter goes from 1 to {most}, and 0 leaves \
             the choice to the page. It runs on {}.",
            counted(*used, "thread", "threads")
        ),
        Notice::Fewer { planned, started } => format!(
            "It runs on {started} of {planned} threads: the browser did not start the others. Closing other tabs \
             and reloading the page may help."
        ),
    }
}

fn problem(problem: &Problem) -> String {
    match problem {
        Problem::NoWorker(NoPlan::NoSimd) => "This browser lacks WebAssembly SIMD, which the network needs. \
             Firefox 89, Chrome 91, Edge 91, Safari 16.4 and anything newer have it."
            .into(),
        Problem::NoWorker(NoPlan::BadBuild(name)) => format!(
            "“{name}” is no program that this browser can run. The page’s “worker” parameter is simd128, \
             simd128-threads or relaxed-threads; without it the page takes the fastest."
        ),
        Problem::BadModelAddress(address) => format!(
            "“{address}” is no web address of a model. The page’s “model” parameter names a manifest.json, \
             such as models/demo/manifest.json."
        ),
        Problem::NotStarted(reason) => sentence_with(
            reason,
            "The classifier’s program could not be fetched or started.",
            "Check the connection and try again.",
        ),
        Problem::Crashed(reason) => sentence_with(
            reason,
            "The classifier stopped unexpectedly.",
            "Your photos are still here: try again, or close other tabs first if memory is short.",
        ),
        Problem::Misunderstood(reason) => sentence_with(
            reason,
            "The page and its classifier are of different versions.",
            "Reload the page to get the same version of both.",
        ),
        Problem::Told(sentence) => sentence.clone(),
    }
}

/// What happened, why (where known), and what to do.
fn sentence_with(reason: &str, what: &str, advice: &str) -> String {
    let what = what.trim_end_matches('.');
    if reason.is_empty() { format!("{what}. {advice}") } else { format!("{what} ({reason}). {advice}") }
}

fn trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Told(sentence) => sentence.clone(),
        Trouble::Crashed => {
            "The classifier stopped unexpectedly while it looked at this photo. Trying again may help.".into()
        }
        Trouble::NothingInside => "There is no photo in it.".into(),
        Trouble::FolderUnreadable => {
            "The browser could not list this folder. Drop the photos in it instead.".into()
        }
        Trouble::Archive(ArchiveFault::Damaged) => {
            "This is no zip file, or it is damaged or cut short. Unpack it and drop the photos.".into()
        }
        Trouble::Archive(ArchiveFault::TooManyFiles) => {
            "This zip file lists more files than are read here. Unpack it and drop the photos.".into()
        }
        Trouble::NotUnpacked => {
            "This photo could not be unpacked: its zip file is damaged, or was moved since it was dropped."
                .into()
        }
        Trouble::NotShared(host) => format!(
            "The picture could not be fetched: {host} is out of reach, or does not let other pages read its \
             pictures. Save it and drop the file, or copy the picture itself and paste it."
        ),
        Trouble::NotAFile => {
            "There was no file in what you dropped. Save the picture first, then drop the file.".into()
        }
        Trouble::NotFetched => {
            "This sample could not be fetched. Check the connection and click it again.".into()
        }
    }
}

fn counts(counts: &Counts) -> String {
    counted(counts.all(), "photo", "photos")
}

/// “12 left · about 3 min”.
fn left(photos: usize, seconds: Option<f64>) -> String {
    let left = format!("{} left", grouped(photos as u64));
    match seconds {
        None => left,
        Some(seconds) if seconds < 60.0 => format!("{left} · about {:.0} s", seconds.max(1.0).ceil()),
        Some(seconds) if seconds < 5400.0 => format!("{left} · about {:.0} min", (seconds / 60.0).ceil()),
        Some(seconds) => format!("{left} · about {:.1} h", seconds / 3600.0),
    }
}

fn quantization(name: &str) -> String {
    match name {
        "q8_0" => "8-bit".into(),
        "q4_0" => "4-bit".into(),
        "f16" => "16-bit float".into(),
        "f32" => "32-bit float".into(),
        other => other.into(),
    }
}

/// “12.3 of 23.0 MB”.
fn of_megabytes(bytes: u64, total: u64) -> String {
    match total {
        0 => format!("{} MB", megabytes(bytes)),
        total => format!("{} of {} MB", megabytes(bytes), megabytes(total)),
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count as u64), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Phase;

    #[test]
    fn progress_is_told_in_megabytes() {
        assert_eq!(of_megabytes(12_345_678, 23_000_000), "12.3 of 23.0 MB");
        assert_eq!(of_megabytes(100_000, 0), "0.1 MB");
    }

    #[test]
    fn what_changes_quickly_is_not_read_aloud() {
        let mut loading = Loading {
            phase: Phase::Download,
            total: 23_000_000,
            here: 12_300_000,
            stored: 0,
            built: 0,
            bytes_per_second: None,
        };
        let said = status(&Status::Downloading(loading));
        assert_eq!(
            (said.lead.as_str(), said.detail.as_str()),
            ("Downloading the model", ": 12.3 of 23.0 MB")
        );
        loading.bytes_per_second = Some(1_500_000.0);
        let said = status(&Status::Downloading(loading));
        assert_eq!(said.detail, ": 12.3 of 23.0 MB · 1.5 MB/s · 8 s left");
    }

    #[test]
    fn time_left_is_told_in_the_unit_that_fits() {
        let told = [0.2, 89.0, 91.0, 5_401.0].map(time_left);
        assert_eq!(told, ["1 s left", "89 s left", "2 min left", "2 h left"]);
    }

    #[test]
    fn the_end_is_told_as_it_is() {
        let said = |done, failed| status(&Status::Settled(Counts { left: 0, done, failed })).lead;
        assert_eq!(said(1, 0), "Your photo has its answer.");
        assert_eq!(said(3, 0), "All 3 photos have their answers.");
        assert_eq!(said(2, 1), "2 photos answered. 1 photo could not be answered.");
        assert_eq!(said(0, 1), "1 photo could not be answered.");
    }

    #[test]
    fn a_problem_tells_its_reason_where_there_is_one() {
        let told = |reason: &str| problem(&Problem::NotStarted(reason.into()));
        assert!(told("out of memory").contains("started (out of memory). Check"));
        assert!(told("").contains("started. Check"));
    }

    #[test]
    fn the_backend_names_its_threads() {
        let info = |threads| BackendInfo {
            kind: "cpu".into(),
            detail: "simd128".into(),
            threads,
            batch: 1,
            reason: String::new(),
        };
        assert_eq!(backend(&info(1), None), "CPU · simd128 · 1 thread");
        assert_eq!(backend(&info(4), Some(42.6)), "CPU · simd128 · 4 threads · 43 ms a photo");
    }
}

//! The page's English.

mod errors;
mod import;
mod left_out;
mod reasons;
mod status;

use crate::listing::SortOrder;
use crate::numbers::{grouped, megabytes, parameters, percent, rounded, signed};
use crate::state::Counts;
use crate::text::Text;
use protocol::fault::{PhotoFault, TeachFault};
use protocol::{BackendInfo, ModelInfo};

pub static ENGLISH: Text = Text {
    tag: "en",
    title: "Beitscope: what is in your photo?",
    name: "English",
    other_language_here: Some("Chinese"),

    privacy: "Your photos never leave this page. The network runs here, in your browser.",
    model_card: "Model card",
    credits: "Sample photos: cat by Stéfan van der Walt and coffee by Rachel Michetti, both CC0; mountain by Aitzol Berasategi, CC BY 4.0.",
    wordnet: "Classes and kinds: WordNet 3.0, © 2006 Princeton University",
    quantization,
    part_missing: |percent| {
        format!("{percent} % of this picture is missing: the file is cut short or damaged")
    },
    raw_preview: |raw| format!("From the preview in this raw photo ({raw})"),
    provenance: |model| format!("{}, {}", model.name, quantization(&model.quantization)),
    size: |model| format!("{} MB", megabytes(model.bytes)),
    model_facts,
    reasons: reasons::reasons,
    backend,

    invitation: "What is in your photo?",
    ways_in: "Drop photos, folders, zip or tar files anywhere on this page, paste a picture or its address, or choose files.",
    more: "More photos?",
    more_ways_in: "Drop photos, folders, zip or tar files anywhere, paste or choose.",
    choose: "Choose photos",
    choose_folder: "Folder",
    let_go: "Let go to look at them",
    try_again: "Try again",

    samples: "No photo at hand? Try one of these.",
    try_sample: |what| format!("Try the {what}"),
    cat: "cat",
    coffee: "coffee",
    mountain: "mountain",

    status: status::status,
    notice: errors::notice,
    isolate: "Use them all in this browser.",
    progress: "Loading the model",
    progress_value: |bytes, total| of_megabytes(bytes, total),
    agree: "Load it",
    decline: "Use this site’s model",
    pause: "Pause",
    resume: "Go on",

    from_host: |host| format!("from {host}"),
    stored: |bytes| {
        format!("{} MB of weights are kept in this browser for the next visit.", megabytes(bytes))
    },
    clear_storage: "Remove them",
    stored_models: "Models kept in this browser",
    stored_part: |here, all| {
        if here == all { format!("{} MB", megabytes(all)) } else { of_megabytes(here, all) }
    },
    days_ago: |days| match days {
        0 => "used today".into(),
        1 => "last used yesterday".into(),
        days => format!("last used {} days ago", grouped(days)),
    },
    remove_stored: "Remove",
    remove_stored_model: |name| format!("Remove {name} from this browser"),
    no_storage: "This browser keeps nothing here (a private window, or an address without https), so the next visit \
         downloads the weights again.",
    no_room: "The browser had no room to keep the weights, so the next visit downloads them again. Free some disk \
         space to change that.",

    import: &import::IMPORT,

    gallery: "Photos",
    counts,
    clear: "Clear all",

    tools: "All photos",
    listed: |photos| format!("{} found", grouped(photos as u64)),
    skipped: left_out::skipped,
    left_out_for: left_out::reason,
    left_out_more: |files| format!("and {} more", grouped(files)),
    left,
    stop: "Stop",
    go_on: "Go on",
    search: "Find a label or name",
    order_label: "Order",
    order: |order| match order {
        SortOrder::Own => "Newest first",
        SortOrder::Name => "By name",
        SortOrder::Label => "By label",
        SortOrder::Confidence => "Surest first",
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
    other_class: "Ask about another class",
    other_class_hint: "A part of its name",
    classes_found: |listed, all| match all {
        0 => "No class has this in its name.".into(),
        all if all == listed => counted(all, "class", "classes"),
        all => format!("the first {listed} of {} classes", grouped(all as u64)),
    },
    class_name: |class| &class.label,
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
    photo_fault: PhotoFault::to_string,
    teach_fault: TeachFault::to_string,
    kind: |kind| &kind.label,
    kind_meaning: "The most specific kind of thing that holds at least 90 % of the probability (WordNet)",

    photo: |name| format!("The photo {name}"),
    waiting: "Waiting",
    looking: "Looking…",
    remove: |name| format!("Remove {name}"),
    answers: "What the network sees",
    none_of: |classes| match classes {
        1 => "Not the one thing it knows, most likely".into(),
        classes => format!("None of the {} things it knows, most likely", grouped(classes)),
    },
    answers_if_none: "The likeliest of the things it knows",
    label: |prediction| &prediction.label,
    percent,
    dimensions: |width, height| format!("{width} × {height}"),
    milliseconds: |ms| format!("{} ms", rounded(ms)),
    no_preview: "No preview",
    dropped_thing: "What you dropped",
    photo_error: errors::photo_error,
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
    let device = match backend.kind.as_str() {
        "cpu" => format!("Processor, {}", counted(backend.threads, "thread", "threads")),
        _ => "GPU".into(),
    };
    let time = ms.map(|ms| format!("{} ms a photo", rounded(ms)));
    std::iter::once(device).chain(time).collect::<Vec<_>>().join(" · ")
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

    #[test]
    fn progress_is_told_in_megabytes() {
        assert_eq!(of_megabytes(12_345_678, 23_000_000), "12.3 of 23.0 MB");
        assert_eq!(of_megabytes(100_000, 0), "0.1 MB");
    }

    #[test]
    fn what_is_none_of_the_classes_is_said() {
        assert_eq!((ENGLISH.none_of)(1000), "None of the 1,000 things it knows, most likely");
        assert_eq!((ENGLISH.none_of)(1), "Not the one thing it knows, most likely");
    }

    #[test]
    fn the_backend_names_its_threads() {
        let info = |threads| BackendInfo {
            kind: "cpu".into(),
            detail: "simd128".into(),
            threads,
            batch: 1,
            reasons: vec![],
        };
        assert_eq!(backend(&info(1), None), "Processor, 1 thread");
        assert_eq!(backend(&info(4), Some(42.6)), "Processor, 4 threads · 43 ms a photo");
    }
}

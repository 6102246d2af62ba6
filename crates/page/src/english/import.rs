//! What is said about imports, in English.

use crate::import::seconds_left;
use crate::import::text::ImportText;
use crate::numbers::{channels, grouped, parameters, size};
use protocol::import::{ImportFault, ImportOffer, ImportPhase, ImportPreprocessing, ImportProgress};

pub static IMPORT: ImportText = ImportText {
    facts,
    look_up: "See what it takes",
    other_model: "Another model from Hugging Face or ModelScope",
    other_model_hint: "hf:OWNER/NAME",
    rounding: "Rounding",
    checkpoint_file: "A checkpoint file…",

    heading: "Import of a model",
    inspecting: |name| format!("Looking up {name}…"),
    offer: |name| format!("Import {name}?"),
    model_term: "Model",
    model,
    download_term: "Download",
    download,
    kept_term: "Stays here",
    kept: |offer| {
        format!(
            "{} in this browser’s storage, {}",
            size(offer.kept_bytes),
            super::quantization(&offer.source.quantization)
        )
    },
    license_term: "Licence",
    license_unknown: "not told",
    preprocessing_term: "Photos",
    preprocessing,
    missing: |bytes| {
        format!(
            "The browser’s storage lacks {} for it. Remove stored models (at the end of this page) or free space on \
             the disk, then look it up again.",
            size(bytes)
        )
    },
    start: "Download and import",
    start_file: "Import",
    not_now: "Not now",

    starting: "Starting…",
    phase,
    amounts,
    of,
    restarted: "The host can’t send the rest alone, so everything is fetched once more.",
    meanwhile: "Photos are answered by the old model meanwhile.",
    pause: "Pause",
    cancel: "Cancel",

    paused: |name| format!("The import of {name} is paused"),
    file_wanted: |file| format!("Choose {file} again to go on."),
    go_on: "Go on",
    discard: "Discard",
    choose_file: "Choose the file again",

    failed: |name| format!("{name} could not be imported"),
    fault: ImportFault::to_string,
    try_again: "Try again",
    close: "Close",
    one_at_a_time: "One import at a time: this one has to be finished or discarded before another.",

    done: |name, bytes| {
        format!("{name} is imported and answers from now on. {} stay in this browser.", size(bytes))
    },

    import_again: "Import it again",
    use_own: "Use this site’s model",
};

fn facts(download: Option<u64>, kept: Option<u64>, host: &str) -> String {
    let download = download.map(|bytes| format!("{} download, once", size(bytes)));
    let kept = kept.map(|bytes| format!("{} kept", size(bytes)));
    let parts = [download, kept, Some(format!("from {host}"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn model(offer: &ImportOffer) -> String {
    let (classes, values) = (grouped(offer.classes), parameters(offer.parameters));
    format!("{classes} classes · {values} parameters · {} px", offer.image_size)
}

fn download(offer: &ImportOffer) -> String {
    let from = match offer.source.is_file() {
        true => format!("none: {} is read from {}", size(offer.download_bytes), offer.file),
        false => format!("{}, once, from {}", size(offer.download_bytes), offer.host),
    };
    match offer.resumed_bytes {
        0 => from,
        here => format!("{from}; {} came earlier", size(here)),
    }
}

fn preprocessing(photos: &ImportPreprocessing) -> String {
    let [mean, std] = [photos.mean, photos.std].map(|values| channels(values, ", "));
    let from = photos.from.as_deref().map_or("as usual for BEiTv2".into(), |file| format!("as in {file}"));
    format!("short side {} px, mean {mean}, deviation {std} ({from})", photos.short_side)
}

fn phase(phase: ImportPhase, is_file: bool) -> &'static str {
    match phase {
        ImportPhase::Waiting => "Another tab is importing this model",
        ImportPhase::Download if is_file => "Reading and converting",
        ImportPhase::Download => "Fetching and converting",
        ImportPhase::Reconnecting => "Reconnecting",
        ImportPhase::Store => "Writing to the browser’s storage",
    }
}

fn amounts(progress: &ImportProgress) -> String {
    let rate = progress.bytes_per_second.filter(|_| progress.phase == ImportPhase::Download);
    let rate = rate.filter(|rate| *rate >= 1.0).map(|rate| format!("{}/s", size(rate as u64)));
    let parts = [Some(of(progress.received, progress.total)), rate, seconds_left(progress).map(time_left)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn of(bytes: u64, total: u64) -> String {
    if total == 0 { size(bytes) } else { format!("{} of {}", size(bytes), size(total)) }
}

fn time_left(seconds: u64) -> String {
    let (number, one, more) = match seconds {
        0..90 => (seconds.max(1), "second", "seconds"),
        90..5_400 => (seconds.div_ceil(60), "minute", "minutes"),
        5_400.. => (seconds.div_ceil(3_600), "hour", "hours"),
    };
    format!("about {} left", super::counted(number as usize, one, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_bytes_rate_and_time() {
        let at = |phase, received, bytes_per_second| {
            let total = 1_218_000_000;
            amounts(&ImportProgress { phase, received, total, bytes_per_second, restarted: false })
        };
        let download = ImportPhase::Download;
        assert_eq!(
            at(download, 412_000_000, Some(8_000_000.0)),
            "412 MB of 1.2 GB · 8 MB/s · about 2 minutes left"
        );
        assert_eq!(at(download, 0, None), "0 MB of 1.2 GB");
        assert_eq!(at(download, 0, Some(0.0)), "0 MB of 1.2 GB");
        assert_eq!(at(ImportPhase::Reconnecting, 412_000_000, Some(8e6)), "412 MB of 1.2 GB");
        let told = [0, 1, 89, 90, 5_399, 5_400].map(time_left);
        assert_eq!(
            told,
            [
                "about 1 second left",
                "about 1 second left",
                "about 89 seconds left",
                "about 2 minutes left",
                "about 90 minutes left",
                "about 2 hours left"
            ]
        );
    }

    #[test]
    fn the_menu_tells_what_is_known() {
        let all = facts(Some(1_218_000_000), Some(323_400_000), "huggingface.co");
        assert_eq!(all, "1.2 GB download, once · 323 MB kept · from huggingface.co");
        assert_eq!(facts(None, None, "modelscope.cn"), "from modelscope.cn");
    }
}

//! Which files of `tests` run in which browser, and when.

/// The files of `tests` that run in Chromium.
pub const IN_CHROMIUM: [&str; 24] = [
    "accessible",
    "camera",
    "crash",
    "embed",
    "explanation",
    "gallery",
    "hostile",
    "hosting",
    IMPORT,
    "instructions",
    "models",
    "nginx",
    "none_of_these",
    "offline",
    "page",
    "private",
    "storage",
    "tabs",
    "tagging",
    "takeaway",
    "teach",
    "threads",
    "trust",
    "webgpu",
];

/// The files that run in Firefox and WebKit too, but for what is in a module of theirs that names other browsers: what
/// depends on the browser's threads, storage, workers, network and devices.
pub const IN_EVERY_BROWSER: [&str; 8] =
    ["page", "threads", "crash", "storage", "tabs", "private", "camera", "offline"];

/// And these tests of [`IMPORT`]: what depends on the browser's storage, its redirects and its preflights.
pub const IMPORTS_IN_EVERY_BROWSER: [&str; 2] = [
    "a_visitor_imports_a_model_from_hugging_face_and_needs_no_network_afterwards",
    "a_host_that_refuses_the_preflight_gives_the_rest_or_all_of_it",
];
/// These tests of [`IMPORT`] run in `nightly` alone: the engine's tests have the same faults in milliseconds.
pub const IMPORTS_AT_NIGHT: [&str; 8] = [
    "modelscope_gives_the_same_model",
    "missing_room_is_told_before_anything_is_fetched",
    "a_connection_that_breaks_once_is_taken_up_without_a_word_from_the_visitor",
    "an_address_that_expires_is_asked_for_again",
    "a_connection_that_always_breaks_is_told_and_what_came_is_kept",
    "an_import_begins_anew_where_the_rest_is_not_to_be_had",
    "either_kind_is_offered_either_way_and_what_is_no_checkpoint_is_told",
    "without_a_connection_the_visitor_is_told_and_the_old_model_answers",
];
/// Checkpoints that the page converts.
pub const IMPORT: &str = "import";

/// The files that run there in `nightly`. All others ask Chromium's DevTools, its memory or its WebGPU, no browser at
/// all, or what is the same in every browser.
pub const IN_EVERY_BROWSER_AT_NIGHT: [&str; 6] =
    ["hosting", "explanation", "gallery", "takeaway", "teach", IMPORT];

/// The files that run in Chromium over what the `release` step builds.
pub const OVER_RELEASE: [&str; 2] = ["page", ADDED_MODEL];
/// Needs that site, which has a model of `cargo xtask build --model`.
const ADDED_MODEL: &str = "added_model";

/// The npm package in Node, Deno and Bun: a step of its own.
pub const RUNTIMES: &str = "runtimes";

/// The files of `tests` that belong to steps of their own in `nightly`.
#[cfg(test)]
const AT_NIGHT: [&str; 3] = ["import_large", "large", "thousand"];

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of `tests` that no step runs would be forgotten in silence.
    #[test]
    fn every_file_of_browser_tests_is_run_by_a_step() {
        let manifest = include_str!("../../../../../tests/Cargo.toml");
        // Those without a browser are among `unit`.
        let sections = manifest.split("[[test]]").skip(1).filter(|section| section.contains("test = false"));
        let mut declared: Vec<_> = sections.filter_map(|section| section.split('"').nth(1)).collect();
        declared.sort_unstable();
        let mut run = [&IN_CHROMIUM[..], &AT_NIGHT, &[ADDED_MODEL, RUNTIMES]].concat();
        run.sort_unstable();
        assert_eq!(declared, run);
        let imports = concat!(
            include_str!("../../../../../tests/import.rs"),
            include_str!("../../../../../tests/import/chromium.rs"),
            include_str!("../../../../../tests/import/interruptions.rs"),
            include_str!("../../../../../tests/import/own_file.rs"),
            include_str!("../../../../../tests/import/refusals.rs")
        );
        let mut named = IMPORTS_IN_EVERY_BROWSER.iter().chain(&IMPORTS_AT_NIGHT);
        assert!(named.all(|test| imports.contains(&format!("fn {test}()"))));
        let everywhere = [&IN_EVERY_BROWSER[..], &IN_EVERY_BROWSER_AT_NIGHT].concat();
        assert!(everywhere.iter().all(|file| IN_CHROMIUM.contains(file)));
    }
}

//! What the page is doing, in English.

use super::errors::engine_error;
use super::{counted, of_megabytes};
use crate::numbers::{grouped, megabytes};
use crate::state::Counts;
use crate::status::Status;
use crate::text::StatusText;
use protocol::Loading;

pub fn status(status: &Status) -> StatusText {
    let (lead, detail) = match status {
        Status::Starting => ("Starting…".into(), String::new()),
        Status::Finding => ("Finding the model…".into(), String::new()),
        Status::Asking(offer) => {
            (format!("Load {} MB from {}?", megabytes(offer.bytes), offer.host), String::new())
        }
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
        Status::Classifying { name, left } => {
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
        Status::Failed(error) => Some(engine_error(error)),
        Status::Asking(offer) => Some(format!(
            "This page’s address names a model of another site, which calls itself “{}”. Its answers, and what it calls \
             them, are not this site’s. Your photos stay on this device whichever you take.",
            offer.name
        )),
        _ => None,
    };
    StatusText { lead, detail, problem }
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

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Phase;

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
}

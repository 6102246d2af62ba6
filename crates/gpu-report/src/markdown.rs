//! The report for a person: tables of Markdown.

use crate::record::{Kernel, NotMeasured, Record};
use crate::report::Report;
use std::fmt::Write;

/// A header and rows of as many cells.
struct Table {
    text: String,
    rows: usize,
}

impl Table {
    fn new(header: &[&str]) -> Self {
        let text = format!("| {} |\n|{}\n", header.join(" | "), "---|".repeat(header.len()));
        Self { text, rows: 0 }
    }

    fn row(&mut self, cells: &[String]) {
        let cells: Vec<_> =
            cells.iter().map(|cell| cell.replace('|', "\\|").replace(['\n', '\r'], " ")).collect();
        self.text.push_str(&format!("| {} |\n", cells.join(" | ")));
        self.rows += 1;
    }

    /// Below a heading; nothing where there is no row.
    fn section(&self, heading: &str) -> String {
        if self.rows == 0 { String::new() } else { format!("\n## {heading}\n\n{}", self.text) }
    }
}

/// The whole report.
pub fn render(report: &Report) -> String {
    let mut text = format!("# GPU report of {}\n\n{}\n", report.program, summary(report));
    text += &machine(report).section("Machine");
    text += &photos(report).section("Whole photos");
    text += &peers(report).section("The same network in other programs");
    text += &peaks(report).section("Measured peaks");
    text += &best(report).section("The fastest variant of each product");
    text += &kernels(report).section("Every kernel");
    text += &checks(report).section("Numerics");
    text += &stages(report).section("Stages");
    text += &not_measured(report).section("Not measured");
    text
}

fn summary(report: &Report) -> String {
    let adapter = report.records().find_map(|record| match record {
        Record::Adapter(adapter) if adapter.measured => Some(adapter),
        _ => None,
    });
    let mut text = match adapter {
        Some(adapter) if adapter.software => {
            format!("**No GPU was measured**: {} runs on the processor.", adapter.name)
        }
        Some(adapter) => format!("{} by {}, driver {}.", adapter.name, adapter.api, adapter.driver),
        None => "**No GPU was measured.**".into(),
    };
    let checks = report.records().filter(|record| matches!(record, Record::Check(_))).count();
    let failed = report.failed_checks();
    let verdict = if failed == 0 { "all passed".into() } else { format!("**{failed} FAILED**") };
    let _ = write!(text, " {checks} numeric checks: {verdict}.");
    let _ = write!(text, " {:.0} s of at most {:.0} s.", report.seconds, report.limit_seconds);
    for record in report.records() {
        if let Record::Note { text: note } = record {
            let _ = write!(text, "\n\n{note}.");
        }
    }
    text
}

fn machine(report: &Report) -> Table {
    let mut table = Table::new(&["what", "value"]);
    for (name, value) in &report.machine {
        table.row(&[name.clone(), value.clone()]);
    }
    for tried in &report.drivers {
        table.row(&[format!("driver tried: {}", tried.what), tried.result.clone()]);
    }
    for record in report.records() {
        let Record::Adapter(adapter) = record else { continue };
        let is = if adapter.measured { "adapter, measured" } else { "adapter, not measured" };
        let [least, most] = adapter.subgroup;
        let matrices = match &adapter.cooperative_matrices[..] {
            [] => "none".into(),
            matrices => matrices.join(", "),
        };
        table.row(&[
            is.into(),
            format!(
                "{} by {}, driver {}; subgroups of {least} to {most}; products in {}; cooperative matrices: {matrices}",
                adapter.name,
                adapter.api,
                adapter.driver,
                adapter.arithmetics.join(", "),
            ),
        ]);
    }
    table
}

fn photos(report: &Report) -> Table {
    let header = [
        "weights",
        "arithmetic",
        "photos a pass",
        "blocks",
        "ms a photo",
        "least–most",
        "passes",
        "rate",
        "of peak",
    ];
    let mut table = Table::new(&header);
    for record in report.records() {
        let Record::Photos(photos) = record else { continue };
        table.row(&[
            photos.weights.clone(),
            photos.arithmetic.clone(),
            photos.batch.to_string(),
            photos.blocks.to_string(),
            ms(photos.ms),
            format!("{}–{}", ms(photos.least_ms), ms(photos.most_ms)),
            photos.passes.to_string(),
            photos.rate.to_string(),
            percent(photos.percent_of_peak),
        ]);
    }
    table
}

fn peers(report: &Report) -> Table {
    let mut table =
        Table::new(&["program", "arithmetic", "photos a pass", "ms a photo", "least–most", "passes"]);
    for record in report.records() {
        let Record::Peer(peer) = record else { continue };
        table.row(&[
            peer.program.clone(),
            peer.arithmetic.clone(),
            peer.batch.to_string(),
            ms(peer.ms),
            format!("{}–{}", ms(peer.least_ms), ms(peer.most_ms)),
            peer.passes.to_string(),
        ]);
    }
    table
}

fn peaks(report: &Report) -> Table {
    let mut table = Table::new(&["what", "ms", "rate"]);
    for record in report.records() {
        let Record::Peak(peak) = record else { continue };
        table.row(&[peak.what.clone(), ms(peak.ms), peak.rate.to_string()]);
    }
    table
}

/// Of each product's weights, arithmetic and shape the fastest tile.
fn best(report: &Report) -> Table {
    let mut best: Vec<&Kernel> = Vec::new();
    for record in report.records() {
        let Record::Kernel(kernel) = record else { continue };
        if kernel.tile.is_none() {
            continue;
        }
        let key = |k: &Kernel| (k.what.clone(), k.shape.clone(), k.weights.clone(), k.arithmetic.clone());
        match best.iter_mut().find(|other| key(other) == key(kernel)) {
            Some(other) if kernel.ms < other.ms => *other = kernel,
            Some(_) => {}
            None => best.push(kernel),
        }
    }
    table_of(best.into_iter())
}

fn kernels(report: &Report) -> Table {
    table_of(report.records().filter_map(|record| match record {
        Record::Kernel(kernel) => Some(kernel),
        _ => None,
    }))
}

fn table_of<'a>(kernels: impl Iterator<Item = &'a Kernel>) -> Table {
    let header = ["kernel", "shape", "weights", "arithmetic", "tile", "ms", "rate", "of peak", "timed by"];
    let mut table = Table::new(&header);
    for kernel in kernels {
        table.row(&[
            kernel.what.clone(),
            kernel.shape.clone(),
            kernel.weights.clone().unwrap_or_default(),
            kernel.arithmetic.clone(),
            kernel.tile.clone().unwrap_or_default(),
            ms(kernel.ms),
            kernel.rate.to_string(),
            percent(kernel.percent_of_peak),
            kernel.timed_by.clone(),
        ]);
    }
    table
}

/// Those that failed first.
fn checks(report: &Report) -> Table {
    let mut table = Table::new(&["check", "differs by", "at most", "cosine", "result"]);
    let mut checks: Vec<_> = report
        .records()
        .filter_map(|record| match record {
            Record::Check(check) => Some(check),
            _ => None,
        })
        .collect();
    checks.sort_by_key(|check| check.passed);
    for check in checks {
        table.row(&[
            check.what.clone(),
            check.worst.map_or("no number".into(), |worst| format!("{worst:.1e}")),
            format!("{:.0e}", check.limit),
            check.cosine.map_or(String::new(), |cosine| format!("{cosine:.6}")),
            if check.passed { "passed".into() } else { "**FAILED**".into() },
        ]);
    }
    table
}

fn stages(report: &Report) -> Table {
    let mut table = Table::new(&["stage", "seconds", "at most", "records", "ended"]);
    for stage in &report.stages {
        table.row(&[
            stage.name.clone(),
            format!("{:.1}", stage.seconds),
            format!("{:.0}", stage.limit_seconds),
            stage.records.len().to_string(),
            stage.problem.clone().unwrap_or_else(|| "as it should".into()),
        ]);
    }
    table
}

fn not_measured(report: &Report) -> Table {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for record in report.records() {
        let Record::NotMeasured(NotMeasured { what, why }) = record else { continue };
        match groups.iter_mut().find(|(reason, _)| reason == why) {
            Some((_, group)) => group.push(what.as_str()),
            None => groups.push((why.as_str(), vec![what.as_str()])),
        }
    }
    let mut table = Table::new(&["what", "why"]);
    for (why, group) in groups {
        table.row(&[group.join("; "), why.into()]);
    }
    table
}

/// Four digits.
fn ms(ms: f64) -> String {
    let digits = if ms >= 100.0 {
        1
    } else if ms >= 1.0 {
        2
    } else {
        4
    };
    format!("{ms:.digits$}")
}

fn percent(percent: Option<f64>) -> String {
    percent.map_or(String::new(), |percent| format!("{percent:.1} %"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Adapter, Check, Rate};
    use crate::report::Stage;

    fn kernel(tile: &str, ms: f64) -> Record {
        Record::Kernel(Kernel {
            what: "fc1".into(),
            photos: 1,
            shape: "197 × 1024 × 4096".into(),
            weights: Some("q8_0".into()),
            arithmetic: "F16".into(),
            tile: Some(tile.into()),
            ms,
            least_ms: ms,
            runs: 5,
            rate: Rate::operations(1.65e9, ms / 1e3),
            percent_of_peak: Some(12.34),
            timed_by: "timestamps".into(),
        })
    }

    fn report(records: Vec<Record>) -> Report {
        let stage = Stage {
            name: "kernels".into(),
            seconds: 1.0,
            limit_seconds: 2.0,
            problem: Some("it ended with signal: 11 |\nbad".into()),
            records,
        };
        Report { program: "beitscope 0.1.0".into(), stages: vec![stage], ..Report::default() }
    }

    fn adapter(software: bool) -> Record {
        Record::Adapter(Adapter {
            name: "Acme".into(),
            driver: "1".into(),
            api: "vulkan".into(),
            software,
            vendor: 1,
            device: 2,
            subgroup: [32, 32],
            arithmetics: vec!["F32".into()],
            cooperative_matrices: Vec::new(),
            features: Vec::new(),
            max_buffer_bytes: 1,
            max_binding_bytes: 1,
            max_workgroup_bytes: 1,
            max_invocations: 1,
            measured: true,
        })
    }

    #[test]
    fn the_fastest_tile_of_each_product_is_named() {
        let text = render(&report(vec![kernel("tall", 0.5), kernel("low", 0.25), kernel("middle", 0.4)]));
        let best = text.split("## The fastest variant").nth(1).unwrap().split("## ").next().unwrap();
        assert!(best.contains("| low | 0.2500 |") && !best.contains("tall"), "{best}");
        assert!(text.contains("| tall | 0.5000 | 3300.0 GFLOP/s | 12.3 % | timestamps |"), "{text}");
    }

    #[test]
    fn the_first_lines_say_whether_a_gpu_was_measured_and_was_right() {
        let first = |records| render(&report(records)).lines().nth(2).unwrap().to_owned();
        assert!(first(vec![]).starts_with("**No GPU was measured.**"));
        assert!(
            first(vec![adapter(true)]).starts_with("**No GPU was measured**: Acme runs on the processor.")
        );
        assert!(first(vec![adapter(false)]).starts_with("Acme by vulkan, driver 1."));
        let failed = Check { what: "a".into(), worst: None, limit: 1.0, cosine: None, passed: false };
        let text = first(vec![Record::Check(failed)]);
        assert!(text.contains("1 numeric checks: **1 FAILED**"), "{text}");
    }

    #[test]
    fn what_is_missing_is_a_table_of_its_own_and_cells_stay_cells() {
        let left_out = NotMeasured { what: "a | b".into(), why: "no time\nleft".into() };
        let text = render(&report(vec![Record::NotMeasured(left_out)]));
        assert!(
            text.contains("\n## Not measured\n\n| what | why |\n|---|---|\n| a \\| b | no time left |\n"),
            "{text}"
        );
        assert!(text.contains("it ended with signal: 11 \\| bad |"), "{text}");
        assert!(!text.contains("## Whole photos"), "nothing to show");
    }
}

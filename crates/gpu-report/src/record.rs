//! What a stage measures: one record a line of JSON, so that a stage that is stopped loses nothing that it had finished.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One measurement, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    Adapter(Adapter),
    Check(Check),
    Peak(Peak),
    Kernel(Kernel),
    Photos(Photos),
    Peer(Peer),
    NotMeasured(NotMeasured),
    /// Something to know about the numbers.
    Note {
        text: String,
    },
}

/// A GPU, as wgpu describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    pub name: String,
    pub driver: String,
    pub api: String,
    /// It runs on the processor.
    pub software: bool,
    /// PCI vendor and device.
    pub vendor: u32,
    pub device: u32,
    /// Threads of a subgroup, least and most.
    pub subgroup: [u32; 2],
    /// What the network's products can be computed in.
    pub arithmetics: Vec<String>,
    /// Sizes `M×N×K` and types of the driver's cooperative matrices.
    pub cooperative_matrices: Vec<String>,
    pub features: Vec<String>,
    pub max_buffer_bytes: u64,
    pub max_binding_bytes: u64,
    pub max_workgroup_bytes: u64,
    pub max_invocations: u64,
    /// Whether this is the one that is measured.
    pub measured: bool,
}

/// A result compared with its reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub what: String,
    /// The largest difference, relative to the larger of 1 and the expected magnitude; of logits, to their root mean
    /// square. None where it is no number.
    pub worst: Option<f64>,
    /// The most that `worst` may be.
    pub limit: f64,
    /// Of logits alone.
    pub cosine: Option<f64>,
    pub passed: bool,
}

/// What the adapter can do at most, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    pub what: String,
    /// Of operations: what they are computed in.
    pub arithmetic: Option<String>,
    pub ms: f64,
    pub rate: Rate,
}

/// Operations or bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "unit", content = "rate")]
pub enum Rate {
    #[serde(rename = "GFLOP/s")]
    Giga(f64),
    #[serde(rename = "GB/s")]
    GigaBytes(f64),
}

/// One variant of a kernel at one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    pub what: String,
    /// Photos in the pass.
    pub photos: u64,
    /// Rows, depth and columns of a product: `rows × k × n`; rows and width of others.
    pub shape: String,
    pub weights: Option<String>,
    pub arithmetic: String,
    /// Of products: the outputs of a workgroup.
    pub tile: Option<String>,
    /// The median of `runs`, each of many dispatches.
    pub ms: f64,
    pub least_ms: f64,
    pub runs: u64,
    pub rate: Rate,
    /// Of the measured peak in this arithmetic, or of the bandwidth.
    pub percent_of_peak: Option<f64>,
    /// `timestamps` of the device or `host clock`.
    pub timed_by: String,
}

/// Whole photos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Photos {
    pub weights: String,
    pub arithmetic: String,
    /// Photos in a pass.
    pub batch: u64,
    /// Of BEiTv2-large's 24 blocks.
    pub blocks: u64,
    /// Medians and bounds of a pass, a photo's share.
    pub ms: f64,
    pub least_ms: f64,
    pub most_ms: f64,
    pub passes: u64,
    pub rate: Rate,
    pub percent_of_peak: Option<f64>,
}

/// The same network in another program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    pub program: String,
    pub arithmetic: String,
    pub batch: u64,
    pub ms: f64,
    pub least_ms: f64,
    pub most_ms: f64,
    pub passes: u64,
}

/// What was left out, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotMeasured {
    pub what: String,
    pub why: String,
}

impl Rate {
    /// Of `operations` in `seconds`.
    pub fn operations(operations: f64, seconds: f64) -> Self {
        Self::Giga(operations / seconds / 1e9)
    }

    /// Of `bytes` in `seconds`.
    pub fn bytes(bytes: f64, seconds: f64) -> Self {
        Self::GigaBytes(bytes / seconds / 1e9)
    }

    pub fn value(self) -> f64 {
        match self {
            Self::Giga(rate) | Self::GigaBytes(rate) => rate,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Giga(rate) => write!(f, "{rate:.1} GFLOP/s"),
            Self::GigaBytes(rate) => write!(f, "{rate:.1} GB/s"),
        }
    }
}

/// A line for a terminal.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adapter(adapter) => {
                let is = if adapter.measured { "measured" } else { "also here" };
                let kind = if adapter.software { ", which runs on the processor" } else { "" };
                write!(f, "{is}: {} by {}{kind}", adapter.name, adapter.api)
            }
            Self::Check(Check { what, worst, limit, passed, .. }) => {
                let worst = worst.map_or("no number".into(), |worst| format!("{worst:.1e}"));
                let verdict = if *passed { "passed" } else { "FAILED" };
                write!(f, "{verdict}: {what}: differs by {worst}, at most {limit:.0e}")
            }
            Self::Peak(Peak { what, ms, rate, .. }) => write!(f, "{what:64} {ms:9.3} ms {rate:>16}"),
            Self::Kernel(kernel) => {
                let weights = kernel.weights.as_ref().map(|weights| format!(" {weights} weights"));
                let tile = kernel.tile.as_ref().map(|tile| format!(", {tile}"));
                let (weights, tile) = (weights.unwrap_or_default(), tile.unwrap_or_default());
                let what =
                    format!("{}{weights} in {}{tile}, {}", kernel.what, kernel.arithmetic, kernel.shape);
                let share = kernel.percent_of_peak.map_or(String::new(), |share| format!("{share:5.1} %"));
                write!(f, "{what:64} {:9.3} ms {:>16} {share}", kernel.ms, kernel.rate)
            }
            Self::Photos(photos) => {
                let Photos { weights, arithmetic, batch, blocks, ms, rate, .. } = photos;
                let what =
                    format!("{batch} photos a pass, {weights} weights in {arithmetic}, {blocks} blocks");
                write!(f, "{what:64} {ms:9.2} ms a photo {rate:>16}")
            }
            Self::Peer(Peer { program, arithmetic, batch, ms, .. }) => {
                write!(
                    f,
                    "{:64} {ms:9.2} ms a photo",
                    format!("{batch} photos a pass, {program} in {arithmetic}")
                )
            }
            Self::NotMeasured(NotMeasured { what, why }) => write!(f, "not measured: {what}: {why}"),
            Self::Note { text } => write!(f, "note: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_and_comes_back_from_it() {
        let record = Record::Peak(Peak {
            what: "two\nlines".into(),
            arithmetic: None,
            ms: 0.25,
            rate: Rate::operations(3e9, 0.5),
        });
        let line = serde_json::to_string(&record).unwrap();
        assert!(!line.contains('\n'));
        assert!(
            line.contains(r#""record":"peak""#) && line.contains(r#""unit":"GFLOP/s","rate":6.0"#),
            "{line}"
        );
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
    }

    #[test]
    fn what_is_no_number_is_none() {
        let check = Check { what: "a".into(), worst: None, limit: 1.0, cosine: None, passed: false };
        let line = serde_json::to_string(&Record::Check(check.clone())).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), Record::Check(check));
    }
}

//! Notes on a checkpoint: decisions that were made and tensors that were ignored while reading it.

use std::fmt;

/// More names than this are counted, not listed.
const LISTED: usize = 6;

/// Something in a checkpoint that was decided or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum Note {
    /// The file holds several networks; `taken` is the key of the one that was read.
    NetworkChosen { taken: String, average: bool, others: Vec<String> },
    /// Tensors that only pre-training uses.
    PretrainingTensors { names: Vec<String> },
    /// Tensors beside the network, which all the taken ones lie below `prefix`.
    OtherTensors { prefix: String, names: Vec<String> },
    /// Tensors of 64 bits.
    Narrowed { names: Vec<String> },
    /// The checkpoint's name says BEiT, not BEiTv2.
    PreparedAsBeit1,
    /// Nothing says whether it is BEiT or BEiTv2.
    PreparedAsBeit2,
    /// The head is stored in 16 bits.
    HeadKept,
}

impl Note {
    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::NetworkChosen { others: names, .. }
            | Self::PretrainingTensors { names }
            | Self::OtherTensors { names, .. }
            | Self::Narrowed { names } => names.is_empty(),
            Self::PreparedAsBeit1 | Self::PreparedAsBeit2 | Self::HeadKept => false,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetworkChosen { taken, average, others } => {
                let why =
                    if *average { ", the moving average (EMA) of the weights, as timm does" } else { "" };
                write!(
                    f,
                    "the checkpoint holds several networks: {taken:.120} is taken{why}; not taken: {} (to convert \
                     another one, save it by itself)",
                    list(others)
                )
            }
            Self::PretrainingTensors { names } => {
                write!(f, "left over from pre-training, not part of a classifier, ignored: {}", list(names))
            }
            Self::OtherTensors { prefix, names } => {
                write!(f, "not below {prefix:.120} as the network is, ignored: {}", list(names))
            }
            Self::Narrowed { names } => write!(f, "narrowed from 64 bits (F64) to 32: {}", list(names)),
            Self::PreparedAsBeit1 => f.write_str(
                "by its name it is BEiT, not BEiTv2: photos are normalised with mean 0.5 and standard deviation 0.5, \
                 unless the mean and deviation are given",
            ),
            Self::PreparedAsBeit2 => f.write_str(
                "nothing says whether it is BEiT or BEiTv2: photos are normalised as for BEiTv2, with ImageNet's mean \
                 and standard deviation; if it is BEiT, give 0.5 for both",
            ),
            Self::HeadKept => f.write_str(
                "a few weights of the head are so large that 8 bits would lose much of the others: it is stored in 16 \
                 bits (F16)",
            ),
        }
    }
}

/// The first names. They come from the file: hostile ones must not flood the terminal.
pub(crate) fn list(names: &[String]) -> String {
    let mut listed: Vec<String> = names.iter().take(LISTED).map(|name| format!("{name:.120}")).collect();
    if names.len() > LISTED {
        listed.push(format!("and {} more", names.len() - LISTED));
    }
    listed.join(", ")
}

//! `beitscope finetune`: a folder of photos → a model of its classes.

mod cache;
mod card;
mod classes;
mod features;
mod full;
mod linear;
mod prepare;
mod report;

use crate::engine;
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// Folder of the converted model to begin with, or its manifest.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Photos to learn from: a folder for each class, named as the class shall be called
    #[arg(long, value_name = "FOLDER")]
    train: PathBuf,
    /// Photos to measure by, in folders of the same names
    #[arg(long, value_name = "FOLDER")]
    val: Option<PathBuf>,
    /// What is trained
    #[arg(long, value_enum, default_value = "linear")]
    method: Method,
    /// The folder to write the new model to
    #[arg(long, value_name = "DIR2")]
    out: PathBuf,
    /// The new model's name; the old one's with the name of DIR2 if not given
    #[arg(long)]
    name: Option<String>,
    /// Inverse strength of the L2 penalty, as scikit-learn counts it; chosen by cross-validation if not given
    #[arg(long, value_name = "C")]
    c: Option<f64>,
    /// Write the head alone too, as .safetensors, for the page's "Teach"
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Write the confusion table and every mistake as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Times every photo is learnt from, with --method full; 10 if not given
    #[arg(long, value_name = "N")]
    epochs: Option<NonZeroUsize>,
    /// The head's highest learning rate, with --method full; 0.0001 if not given
    #[arg(long, value_name = "X")]
    lr: Option<f64>,
    /// Photos a step, with --method full; 16 if not given
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// Blocks that are trained beside the head, counted from the last, or "all" for the whole network, with
    /// --method full; 4 if not given
    #[arg(long, value_name = "N")]
    blocks: Option<Blocks>,
    /// What the learning rate is multiplied by from each layer to the one below, with --method full; 0.75 if
    /// not given
    #[arg(long, value_name = "X")]
    layer_decay: Option<f64>,
    /// Label smoothing, with --method full; 0.1 if not given
    #[arg(long, value_name = "X")]
    smoothing: Option<f64>,
    /// Chooses the order of the photos and the parts of them that are seen, with --method full
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Begin anew instead of going on with a run that was broken off, with --method full
    #[arg(long)]
    restart: bool,
    /// Where features are kept for the next time; the user's cache folder if not given
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Keep no features
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
    /// Photos to run at the same time; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Print JSON even to a terminal
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// A new head on the network as it is: minutes become seconds once features are kept
    Linear,
    /// The head and the last blocks, or all of the network, by backpropagation
    Full,
}

/// How many blocks are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blocks {
    Last(usize),
    All,
}

impl std::str::FromStr for Blocks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        text.parse().map(Self::Last).map_err(|_| format!("expected a number or \"all\", got {text}"))
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(c) = arguments.c.filter(|c| !(*c > 0.0 && c.is_finite())) {
        return Err(Failure::Usage(format!("--c: expected a positive number, got {c}")));
    }
    let threads = engine::threads(arguments.threads);
    let full_only = [
        ("--epochs", arguments.epochs.is_some()),
        ("--lr", arguments.lr.is_some()),
        ("--batch", arguments.batch.is_some()),
        ("--blocks", arguments.blocks.is_some()),
        ("--layer-decay", arguments.layer_decay.is_some()),
        ("--smoothing", arguments.smoothing.is_some()),
        ("--seed", arguments.seed.is_some()),
        ("--restart", arguments.restart),
    ];
    if let Some((name, _)) = full_only.iter().find(|(_, given)| *given && arguments.method == Method::Linear)
    {
        let why = "a linear head has one best solution, which is found whatever the order and the speed";
        return Err(Failure::Usage(format!("{name} belongs to --method full: {why}")));
    }
    if arguments.method == Method::Full && arguments.head.is_some() {
        return Err(Failure::Usage(
            "--head belongs to --method linear: a network that was trained too has no head to take alone"
                .into(),
        ));
    }
    match arguments.method {
        Method::Linear => linear::run(arguments, threads),
        Method::Full => full::run(arguments, threads),
    }
}

/// The new model's name: the old one's and the folder's, in the characters that names may have.
fn name(arguments: &Arguments, base: &str) -> Result<String, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if let Some(name) = &arguments.name {
        if name.is_empty() || name.len() > 150 || name.starts_with('.') || !name.chars().all(plain) {
            let rule = "at most 150 letters, digits, dots, dashes and underscores";
            return Err(Failure::Usage(format!("--name: expected {rule}, got {name}")));
        }
        return Ok(name.clone());
    }
    let folder = arguments.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder: String = folder.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    Ok(format!("{base:.100}-{folder:.40}"))
}

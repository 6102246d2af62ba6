//! `beitscope`: convert, check, evaluate and run BEiT image classifiers.
//!
//! JSON goes to stdout and everything else to stderr. Exit status: 0 when all went well, 1 when the data
//! was at fault, 2 when the command was.

mod bench;
mod classify;
mod compare;
mod convert;
mod engine;
mod evaluate;
mod explain_input;
mod failure;
mod fetch;
mod finetune;
mod inspect;
mod journal;
mod output;
mod photo_library;
mod photos;
mod progress_meter;
mod replace;
mod running;
mod serve;
mod small_files;
mod sort;
mod tag;
mod undo;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "beitscope", version, about = "Convert, check, evaluate and run BEiTv2 image classifiers")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Quantise a checkpoint into GGUF shards and a manifest
    Convert(convert::Arguments),
    /// Fetch a model's checkpoint from a hub into its cache, and say where it is
    Fetch(fetch::Arguments),
    /// Name what is on photos
    Classify(classify::Arguments),
    /// Write what is on photos into them as keywords, or beside them
    Tag(tag::Arguments),
    /// Look at all photos of a folder and keep what is on them in an index
    Index(photo_library::index::Arguments),
    /// Find photos of an index by what is on them, by name, date, or likeness to another
    Find(photo_library::find::Arguments),
    /// Find copies, near copies and bursts among the photos of an index
    Duplicates(photo_library::duplicates::Arguments),
    /// Put photos into folders by what is on them
    Sort(sort::Arguments),
    /// Measure top-1 and top-5 accuracy on a labelled set of photos
    Evaluate(evaluate::Arguments),
    /// Measure how long a model takes to load and to answer
    Bench(bench::Arguments),
    /// Teach a model one's own classes
    Finetune(finetune::Arguments),
    /// Verify every byte of a converted model and say what it is
    Inspect(inspect::Arguments),
    /// Serve a built site, with the headers that threads in a page need
    Serve(serve::Arguments),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Fetch(arguments) => fetch::run(&arguments),
        Command::Classify(arguments) => classify::run(&arguments),
        Command::Tag(arguments) => tag::run(&arguments),
        Command::Index(arguments) => photo_library::index::run(&arguments),
        Command::Find(arguments) => photo_library::find::run(&arguments),
        Command::Duplicates(arguments) => photo_library::duplicates::run(&arguments),
        Command::Sort(arguments) => sort::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Finetune(arguments) => finetune::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing can be done about an stderr that is closed.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("beitscope: {failure}\n").as_bytes(),
            );
            failure.exit_code()
        }
    }
}

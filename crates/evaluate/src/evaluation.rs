//! One evaluation: a dataset, or one shard of it, from where its journal ends.

use crate::dataset::{Dataset, Photo};
use crate::error::EvaluateError;
use crate::journal::Journal;
use crate::journal_format::{Header, Line};
use crate::pipeline::{self, Network};
use crate::shard_results::{InvalidLine, ShardResults};
use std::num::NonZeroUsize;
use std::path::Path;

/// How far an evaluation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// An earlier run was stopped while it wrote the journal's last line.
    JournalCutOff,
    /// Of `all` photos the journal answers `done` already.
    Start { all: usize, done: usize },
    /// One more photo is done.
    Photo,
}

/// Runs the network on each of the dataset's photos that the journal does not answer, `threads` at a time.
///
/// # Errors
/// When the network fails, or the journal is at fault or can't be written. A photo that can't be read is no error.
pub fn evaluate(
    network: &dyn Network,
    dataset: &Dataset,
    header: &Header,
    journal: Option<&Path>,
    threads: NonZeroUsize,
    progress: &mut dyn FnMut(Progress),
) -> Result<ShardResults, EvaluateError> {
    let (mut journal, mut results) = match journal {
        Some(path) => Journal::open(path, header).map(|(journal, results)| (Some(journal), results))?,
        None => (None, ShardResults::new(header)),
    };
    if journal.as_ref().is_some_and(|journal| journal.cut_off) {
        progress(Progress::JournalCutOff);
    }
    let remaining: Vec<&Photo> =
        dataset.samples.iter().filter(|photo| !results.is_answered(photo.number)).collect();
    let all = dataset.samples.len();
    progress(Progress::Start { all, done: all - remaining.len() });
    if !remaining.is_empty() {
        pipeline::run(network, dataset, &remaining, threads, |photo, outcome| {
            let Photo { number, name, class } = photo;
            let line = Line { photo: *number, file: name.to_string(), class: *class, outcome };
            if let Some(journal) = &mut journal {
                journal.write(&line)?;
            }
            results.record(line).map_err(|invalid| match invalid {
                InvalidLine::Repeated(photo) => EvaluateError::AnsweredTwice(photo),
                InvalidLine::OutOfRange => EvaluateError::MoreOutputsThanClasses,
            })?;
            progress(Progress::Photo);
            Ok(())
        })?;
    }
    if let Some(journal) = journal {
        journal.finish()?;
    }
    Ok(results)
}

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
#[expect(missing_docs, reason = "the names say it")]
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
        let run = pipeline::Run { network, dataset, keeps_logits: header.calibration.is_some() };
        run.over(&remaining, threads, |photo, outcome| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal_format::ModelIdentity;
    use crate::{Shard, merge};
    use beit::labels::{Label, imagenet_1k};
    use beit::preprocess::Pixels;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const CLASSES: [usize; 2] = [281, 7];

    /// Answers with the class that is a file's only byte; `x` can't be decoded, and at `!` the decoder panics.
    struct Fake {
        batched: bool,
        /// The device fails after so many photos.
        most: usize,
        answered: AtomicUsize,
    }

    fn fake(batched: bool, most: usize) -> Fake {
        Fake { batched, most, answered: AtomicUsize::new(0) }
    }

    impl Network for Fake {
        fn is_batched(&self) -> bool {
            self.batched
        }

        fn warm_up(&self) -> Result<(), String> {
            Ok(())
        }

        fn pixels(&self, file: Vec<u8>) -> Result<Pixels, String> {
            match file[0] {
                b'x' => Err("No photo.".into()),
                b'!' => panic!("a decoder's fault, which the test wants"),
                class => Ok(Pixels { size: 1, values: vec![f32::from(class - b'0'); 3] }),
            }
        }

        fn logits(&self, photos: &[Pixels]) -> Result<Vec<Vec<f32>>, String> {
            assert!(self.batched || photos.len() == 1);
            if self.answered.fetch_add(photos.len(), Ordering::Relaxed) + photos.len() > self.most {
                return Err("The device is lost.".into());
            }
            Ok(photos.iter().map(|photo| vec![1.0 - photo.values[0], photo.values[0]]).collect())
        }
    }

    /// 40 photos: of each class 20, of which 15 are answered rightly, 3 wrongly and 2 not at all.
    fn dataset(folder: &Path, shard: Shard) -> (Dataset, Header) {
        let labels: Vec<Label> = CLASSES.iter().map(|&i| imagenet_1k()[i].clone()).collect();
        for (class, label) in labels.iter().enumerate() {
            let class_folder = folder.join(&label.wnid);
            std::fs::create_dir_all(&class_folder).unwrap();
            for i in 0..20 {
                let content = match i {
                    0..15 => class.to_string(),
                    15..18 => (1 - class).to_string(),
                    18 => "x".into(),
                    _ => "!".into(),
                };
                std::fs::write(class_folder.join(format!("{i:02}.jpg")), content).unwrap();
            }
        }
        let dataset = Dataset::open(folder, None, &labels, shard).unwrap();
        let model = ModelIdentity { name: "fake".into(), sha256: "ab".into() };
        let classes = labels.into_iter().map(|label| (label.wnid, label.en)).collect();
        let header = Header::new(model, "cpu", dataset.identity.clone(), shard, classes);
        (dataset, header)
    }

    fn run(
        network: &Fake,
        (dataset, header): &(Dataset, Header),
        journal: Option<&Path>,
    ) -> (Result<ShardResults, EvaluateError>, Vec<Progress>) {
        let mut events = Vec::new();
        let threads = NonZeroUsize::new(3).unwrap();
        let results = evaluate(network, dataset, header, journal, threads, &mut |event| events.push(event));
        (results, events)
    }

    #[test]
    fn every_photo_is_counted_once_on_either_kind_of_device() {
        let folder = tempfile::tempdir().unwrap();
        let set = dataset(folder.path(), Shard::WHOLE);
        for batched in [false, true] {
            let (results, events) = run(&fake(batched, 40), &set, None);
            let results = results.unwrap();
            assert_eq!((results.counts.all.images, results.counts.all.top_1), (36, 30), "{batched}");
            assert_eq!((results.unreadable.photos, results.remaining()), (4, 0), "{batched}");
            let reasons: Vec<_> = results.unreadable.named.values().map(|(_, reason)| reason).collect();
            assert_eq!(reasons[..2], ["No photo.", "The decoder failed on this photo."]);
            assert_eq!(events[0], Progress::Start { all: 40, done: 0 });
            assert_eq!(events[1..], [Progress::Photo; 40]);
        }
    }

    #[test]
    fn a_run_that_a_device_ended_resumes_from_its_journal() {
        let folder = tempfile::tempdir().unwrap();
        let set = dataset(&folder.path().join("set"), Shard::WHOLE);
        let journal = folder.path().join("run.jsonl");
        for batched in [false, true] {
            let (results, events) = run(&fake(batched, 10), &set, Some(&journal));
            assert!(matches!(results, Err(EvaluateError::Network(_))));
            let answered = events.len() - 1;
            assert!(answered < 40);
            let (results, events) = run(&fake(batched, 40), &set, Some(&journal));
            let Progress::Start { all: 40, done } = events[0] else { panic!("{events:?}") };
            assert!(done <= answered, "unreadable photos are tried again: {done} {answered}");
            assert_eq!(results.unwrap().counts.all.images, 36);
            let (results, events) = run(&fake(batched, 0), &set, Some(&journal));
            assert_eq!(events[0], Progress::Start { all: 40, done: 36 });
            assert_eq!(results.unwrap().counts.all.top_1, 30);
            std::fs::remove_file(&journal).unwrap();
        }
    }

    #[test]
    fn the_journals_of_all_shards_make_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut journals = Vec::new();
        for number in 1..=3 {
            let set = dataset(&folder.path().join("set"), Shard { number, of: 3 });
            journals.push(folder.path().join(format!("{number}.jsonl")));
            run(&fake(false, 40), &set, journals.last().map(|path| path.as_path())).0.unwrap();
        }
        let merged = merge(&journals, &mut |note| panic!("{note}")).unwrap();
        assert_eq!(
            (merged.counts.all.images, merged.counts.all.top_1, merged.unreadable.photos),
            (36, 30, 4)
        );
        let missing = merge(&journals[..2], &mut drop).err().unwrap();
        assert!(matches!(missing, EvaluateError::MissingShards { missing: 1, of: 3, .. }), "{missing}");
        assert!(merge(&[journals[0].clone(), journals[0].clone()], &mut drop).is_err_and(|e| e.is_usage()));
    }
}

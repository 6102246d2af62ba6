//! `convert --verify` and `inspect --against`: a converted model's answers beside its checkpoint's, on photos.

use crate::failure::Failure;
use crate::output::say;
use crate::progress_meter::Meter;
use beit::labels::Label;
use checkpoint::ModelFolder;
use checkpoint::photo_agreement::{PhotoAgreement, compare};
use evaluate::Accuracy;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Disagreeing photos that are named.
const NAMED: usize = 20;

/// How the two networks agree, as JSON.
#[derive(Serialize)]
pub struct Agreement {
    photos: usize,
    same_first_class: usize,
    /// `same_first_class` in percent, with its 95 % interval.
    agreement: Option<Accuracy>,
    /// Kullback-Leibler divergence from the checkpoint's probabilities, in nats.
    kl_mean: f64,
    kl_largest: f64,
    /// Lowest, between the logits.
    logits_cosine: f64,
    /// The largest divergence first.
    disagreeing: Vec<Disagreement>,
    unreadable_photos: Vec<Unreadable>,
    summary: String,
}

#[derive(Serialize)]
struct Disagreement {
    file: String,
    source: Answer,
    converted: Answer,
    kl: f64,
}

#[derive(Serialize)]
struct Answer {
    /// Row of the model's head.
    index: usize,
    label: String,
    /// Softmax probability, 0 to 1.
    score: f32,
}

#[derive(Serialize)]
struct Unreadable {
    file: String,
    error: String,
}

/// Compares the model in `folder` with the checkpoint `source` on some photos and says how they agree.
pub fn run(source: &Path, folder: &Path, photos: &[PathBuf]) -> Result<Agreement, Failure> {
    let folder = ModelFolder::open(folder)?;
    let header = folder.read(|_, _| Ok(()))?;
    say(&format!("comparing with {} in F32 on {} photos", source.display(), photos.len()));
    let meter = Meter::new("photos", photos.len());
    let compared = compare(source, &folder, &header, photos, &|| meter.step());
    meter.finish();
    let agreement = agreement(&compared?, &header.labels);
    agreement.say();
    Ok(agreement)
}

fn agreement(compared: &PhotoAgreement, labels: &[Label]) -> Agreement {
    let (photos, same_first_class) = (compared.photos.len(), compared.same_first_class());
    let answer = |(index, score): (usize, f32)| Answer {
        index,
        label: labels.get(index).map(|label| label.en.clone()).unwrap_or_default(),
        score,
    };
    let disagreeing = compared.disagreeing().into_iter().take(NAMED).map(|photo| Disagreement {
        file: photo.file.display().to_string(),
        source: answer(photo.source),
        converted: answer(photo.converted),
        kl: photo.kl_divergence,
    });
    let unreadable = compared.unreadable.iter();
    let (kl_mean, kl_largest) = compared.kl_divergence();
    Agreement {
        photos,
        same_first_class,
        agreement: Accuracy::new(same_first_class as u64, photos as u64),
        kl_mean,
        kl_largest,
        logits_cosine: compared.lowest_cosine(),
        disagreeing: disagreeing.collect(),
        unreadable_photos: unreadable
            .map(|(file, error)| Unreadable { file: file.display().to_string(), error: error.clone() })
            .collect(),
        summary: summary(same_first_class, photos, kl_mean),
    }
}

/// What the numbers mean, in two sentences.
fn summary(same: usize, photos: usize, kl_mean: f64) -> String {
    let changed = photos - same;
    let expected = match Accuracy::new(changed as u64, photos as u64) {
        Some(share) => format!("{:.1} to {:.1} %", share.low, share.high),
        None => "any share".into(),
    };
    // Pinsker's inequality bounds the moved probability by √(KL/2), and its mean by the mean's.
    let moved = 100.0 * (kl_mean.max(0.0) / 2.0).sqrt().min(1.0);
    let noun = if photos == 1 { "photo" } else { "photos" };
    format!(
        "Conversion changes the first class on {changed} of {photos} {noun}; on others like them, expect {expected} \
         (95 % interval). On average, at most {moved:.1} percentage points of probability move between classes."
    )
}

impl Agreement {
    fn say(&self) {
        for Unreadable { file, error } in &self.unreadable_photos {
            say(&format!("{file}: left out: {error}"));
        }
        let percent = self.agreement.map_or(0.0, |share| share.percent);
        say(&format!(
            "  same first class: {} of {} photos, {percent:.1} %",
            self.same_first_class, self.photos
        ));
        say(&format!("  KL divergence: mean {:.5}, at most {:.5} nats", self.kl_mean, self.kl_largest));
        say(&format!("  logits: cosine at least {:.6}", self.logits_cosine));
        for Disagreement { file, source, converted, .. } in &self.disagreeing {
            let answer = |Answer { label, score, .. }: &Answer| format!("{label} {:.1} %", score * 100.0);
            say(&format!("  {file}: {} in the checkpoint, {} converted", answer(source), answer(converted)));
        }
        let more = self.photos - self.same_first_class - self.disagreeing.len();
        if more > 0 {
            say(&format!("  and {more} more that differ"));
        }
        say(&self.summary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_the_numbers_mean() {
        assert_eq!(
            summary(9, 10, 0.0048),
            "Conversion changes the first class on 1 of 10 photos; on others like them, expect 1.8 to 40.4 % (95 % \
             interval). On average, at most 4.9 percentage points of probability move between classes."
        );
    }
}

//! `beitscope find`: photos of an index by what is on them, by name, date, or likeness.

use super::look::{header, look, sha256};
use super::place::{Place, in_file};
use super::report::{Told, told};
use crate::engine::{self, Engine};
use crate::failure::Failure;
use crate::output::{json, say, wants_json};
use crate::running::Running;
use clap::Args;
use library::{Feature, Index, LocalTime, Names, Query, Scope, Similar, Term};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Photos like another one, if no other number is asked for.
const LIKE: usize = 20;

#[derive(Args)]
pub struct Arguments {
    /// Photos that look like this one, the most similar first. One that is not in the index needs --model
    #[arg(long, value_name = "PHOTO")]
    like: Option<PathBuf>,
    /// Folder of the model that the index was made with, or its manifest.json
    #[arg(long, value_name = "DIR", requires = "like")]
    model: Option<PathBuf>,
    /// Take words for kinds of things alone, by WordNet: "dog" for all breeds; no single classes, no file names
    #[arg(long)]
    kind: bool,
    /// Taken on this day or later: 2024-05-31, 2024-05 or 2024
    #[arg(long, value_name = "DAY", value_parser = beginning)]
    since: Option<LocalTime>,
    /// Taken on this day or earlier
    #[arg(long, value_name = "DAY", value_parser = end)]
    until: Option<LocalTime>,
    /// Least probability of the classes that a word names, all together
    #[arg(long, default_value = "0.3", value_name = "P", value_parser = probability)]
    least: f32,
    /// Most photos to name; all if not given, 20 with --like
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print JSON even to a terminal: one object a photo, one line each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
    /// A folder that was indexed, or an index
    #[arg(value_name = "INDEX|FOLDER")]
    place: PathBuf,
    /// Names of classes or kinds, in English or Chinese, WordNet ids, or parts of file names: photos that have all of
    /// them
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
}

fn day(text: &str, of: impl Fn(&str) -> Option<LocalTime>) -> Result<LocalTime, String> {
    of(text).ok_or_else(|| "expected a day, a month or a year: 2024-05-31, 2024-05 or 2024".into())
}

fn beginning(text: &str) -> Result<LocalTime, String> {
    day(text, LocalTime::beginning_of)
}

fn end(text: &str) -> Result<LocalTime, String> {
    day(text, LocalTime::end_of)
}

fn probability(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| "expected a probability, 0 to 1".into())
}

/// A photo that was found.
#[derive(Serialize)]
struct Found {
    #[serde(flatten)]
    photo: Told,
    /// Probability of what the words name; nothing where they are parts of its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    /// Cosine with the photo of --like.
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f32>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let place = Place::of(&arguments.place);
    let index = place.index()?;
    let names = Names::new(index.header());
    let scope = if arguments.kind { Scope::Kinds } else { Scope::All };
    for word in &arguments.words {
        if names.classes(word, scope).is_none() {
            say(&format!("note: {}", unnamed(word, scope)));
        }
    }
    let terms = arguments.words.iter().map(|word| Term { text: word.clone(), scope }).collect();
    let query = Query { terms, since: arguments.since, until: arguments.until, least: arguments.least };
    let hits = index.search(&names, &query);
    let as_json = wants_json(arguments.json);
    let mut found = 0;
    let mut tell = |photo: usize, score: Option<f32>, similarity: Option<f32>| {
        found += 1;
        let photo = told(&index, &place, photo);
        print(&Found { photo, score, similarity }, as_json)
    };
    match &arguments.like {
        None => {
            for hit in hits.iter().take(arguments.limit.unwrap_or(usize::MAX)) {
                tell(hit.photo, hit.score, None)?;
            }
        }
        Some(like) => {
            let feature = feature(arguments, like, &index, &place)?;
            let mut scores = vec![None; index.photos().len()];
            hits.iter().for_each(|hit| scores[hit.photo] = Some(hit.score));
            let count = arguments.limit.unwrap_or(LIKE);
            for Similar { photo, cosine } in index.similar(&feature, count, &|photo| scores[photo].is_some())
            {
                tell(photo, scores[photo].flatten(), Some(cosine))?;
            }
        }
    }
    if !as_json {
        say(&format!("{found} of {} photos", index.photos().len()));
    }
    Ok(())
}

fn unnamed(word: &str, scope: Scope) -> String {
    match scope {
        Scope::All => {
            format!("no class and no kind is called \"{word}\", so it is looked for in file names alone")
        }
        Scope::Kinds => {
            format!("no kind is called \"{word}\"; without --kind, classes and file names count too")
        }
    }
}

/// The feature of the photo that others shall be like: the index's, or by the network.
fn feature(arguments: &Arguments, like: &Path, index: &Index, place: &Place) -> Result<Feature, Failure> {
    let fault = |reason: String| Failure::Data(format!("{}: {reason}", like.display()));
    let bytes = std::fs::read(like).map_err(|error| fault(format!("The file can't be read: {error}.")))?;
    let hash = sha256(&bytes);
    if let Some((_, feature)) = index.with_content(&hash) {
        return Ok(feature);
    }
    let Some(model) = &arguments.model else {
        let like = like.display();
        return Err(Failure::Usage(format!(
            "{like} is not in the index; to look at it, give its model: --model DIR"
        )));
    };
    engine::pool(arguments.running.threads())?.install(|| {
        let engine = Engine::load(model, arguments.running.backend)?;
        index.header().check_same_model(&header(&engine)).map_err(|error| in_file(&place.file, &error))?;
        let (_, feature) = look(&engine, &bytes, "photo", 0, hash).map_err(fault)?;
        Ok(feature)
    })
}

fn print(found: &Found, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return json(found);
    }
    let Found { photo, similarity, .. } = found;
    let best = photo.answers.first().filter(|_| !photo.none_of_these);
    let best = best.map_or(String::new(), |best| format!("  {} {:.0} %", best.label, best.score * 100.0));
    let like = similarity.map_or(String::new(), |cosine| format!("  {cosine:.3}"));
    say(&format!("{}{like}{best}", photo.file));
    Ok(())
}

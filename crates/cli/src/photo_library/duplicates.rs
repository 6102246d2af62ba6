//! `beitscope duplicates`: photos of which one is enough.

use super::place::Place;
use super::report::{Told, told};
use crate::engine;
use crate::failure::Failure;
use crate::output::{json, say, size, wants_json};
use clap::Args;
use library::{Group, GroupKind, NEAR_COSINE, NearPairs};
use rayon::prelude::*;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// Least cosine of the features of near copies
    #[arg(long, default_value_t = NEAR_COSINE, value_name = "COSINE", value_parser = cosine)]
    near: f32,
    /// Print JSON even to a terminal: one object a group, one line each
    #[arg(long)]
    json: bool,
    /// Threads to use; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// A folder that was indexed, or an index
    #[arg(value_name = "INDEX|FOLDER")]
    place: PathBuf,
}

fn cosine(text: &str) -> Result<f32, String> {
    let value = text.parse().ok().filter(|value| (0.5..=1.0).contains(value));
    value.ok_or_else(|| "expected a cosine, 0.5 to 1: below, photos of different things are alike".into())
}

/// A group in JSON.
#[derive(Serialize)]
struct Line {
    /// `exact`, `near` or `burst`.
    kind: &'static str,
    /// Of the most pixels, then the largest file, then the earliest.
    keep: Told,
    others: Vec<Told>,
    /// Of the others with the one to keep.
    least_cosine: f32,
    /// Of the others, together.
    bytes: u64,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let place = Place::of(&arguments.place);
    let index = place.index()?;
    let all = |pairs: &NearPairs| {
        (0..pairs.blocks()).into_par_iter().flat_map_iter(|block| pairs.of_block(block)).collect()
    };
    let pool = engine::pool(engine::threads(arguments.threads))?;
    let groups = pool.install(|| library::duplicates(&index, arguments.near, all));
    let as_json = wants_json(arguments.json);
    let (mut spare, mut bytes) = (0, 0);
    for Group { kind, photos, least_cosine } in &groups {
        let mut photos = photos.iter().map(|&photo| told(&index, &place, photo));
        let Some(keep) = photos.next() else { continue };
        let others: Vec<Told> = photos.collect();
        let line = Line {
            kind: name(*kind),
            bytes: others.iter().map(|photo| photo.bytes).sum(),
            keep,
            others,
            least_cosine: *least_cosine,
        };
        spare += line.others.len() as u64;
        bytes += line.bytes;
        tell(&line, as_json)?;
    }
    say(&format!(
        "{} groups among {} photos; {spare} photos of {} beside the best of each. Nothing was changed",
        groups.len(),
        index.photos().len(),
        size(bytes)
    ));
    Ok(())
}

fn name(kind: GroupKind) -> &'static str {
    match kind {
        GroupKind::Exact => "exact",
        GroupKind::Near => "near",
        GroupKind::Burst => "burst",
    }
}

fn tell(line: &Line, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return json(line);
    }
    say(&format!("{} (cosine at least {:.3})", line.kind, line.least_cosine));
    let one = |sign, photo: &Told| {
        let Told { file, width, height, bytes, .. } = photo;
        say(&format!("  {sign} {file}  {width} × {height}, {}", size(*bytes)));
    };
    one("keep", &line.keep);
    line.others.iter().for_each(|photo| one("    ", photo));
    Ok(())
}

//! Photos by what is on them, by name and by date.

use crate::date::LocalTime;
use crate::index::Index;
use crate::names::{Names, Scope};

/// Something that a photo has to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The name of a class or of a kind, in English or Chinese, or its WordNet id, or a part of the photo's path.
    pub text: String,
    /// What it may name.
    pub scope: Scope,
}

/// What photos are asked for. The default asks for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// All of them have to hold.
    pub terms: Vec<Term>,
    /// Taken at this time or later ([`Photo::when`](crate::Photo::when)).
    pub since: Option<LocalTime>,
    /// Taken before this time.
    pub until: Option<LocalTime>,
    /// Least probability of the classes that a term names, all together.
    pub least: f32,
}

/// A photo that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its number in the index.
    pub photo: usize,
    /// The least probability among the terms that name classes; none where all are parts of its path.
    pub score: Option<f32>,
}

/// A term with the names looked up.
struct Wanted {
    /// `[classes]`.
    classes: Option<Vec<bool>>,
    /// Lower-case.
    in_path: Option<String>,
}

/// How a photo fulfils a term.
enum Fulfilled {
    Score(f32),
    Path,
}

impl Index {
    /// The photos that a query asks for: the best score first, then those found by their path, each in the order of
    /// paths. The probability of a kind is the sum over its classes among the photo's kept answers.
    pub fn search(&self, names: &Names, query: &Query) -> Vec<Hit> {
        let wanted: Vec<Wanted> = query.terms.iter().map(|term| Wanted::new(names, term)).collect();
        let hit = |photo: usize| {
            let when = self.photos()[photo].when();
            if query.since.is_some_and(|since| when < since) || query.until.is_some_and(|until| when >= until)
            {
                return None;
            }
            let mut score: Option<f32> = None;
            for term in &wanted {
                if let Fulfilled::Score(got) = self.fulfils(photo, term, query.least)? {
                    score = Some(score.map_or(got, |least| least.min(got)));
                }
            }
            Some(Hit { photo, score })
        };
        let mut hits: Vec<Hit> = (0..self.photos().len()).filter_map(hit).collect();
        let rank = |hit: &Hit| hit.score.unwrap_or(-1.0);
        hits.sort_unstable_by(|a, b| {
            let by_path = || self.photos()[a.photo].path.cmp(&self.photos()[b.photo].path);
            rank(b).total_cmp(&rank(a)).then_with(by_path)
        });
        hits
    }

    fn fulfils(&self, photo: usize, term: &Wanted, least: f32) -> Option<Fulfilled> {
        if let Some(classes) = &term.classes {
            let answers = self.photos()[photo].answers.iter().filter(|answer| classes[answer.class as usize]);
            let (count, sum) =
                answers.fold((0, 0.0), |(count, sum), answer| (count + 1, sum + answer.probability));
            if count > 0 && sum >= least {
                return Some(Fulfilled::Score(sum.min(1.0)));
            }
        }
        let part = term.in_path.as_deref()?;
        self.lower_path(photo).contains(part).then_some(Fulfilled::Path)
    }
}

impl Wanted {
    fn new(names: &Names, term: &Term) -> Self {
        let text = term.text.trim().to_lowercase();
        let in_path = (term.scope == Scope::All && !text.is_empty()).then_some(text);
        Self { classes: names.classes(&term.text, term.scope), in_path }
    }
}

//! Which of the photos are listed, in which order, and which of those are in sight.

use crate::photo::{DEFAULT_TOP_K, Photo, Progress};
use protocol::Prediction;
use std::cmp::Ordering;
use std::ops::Range;
use std::rc::Rc;

/// Up to here all cards are drawn: browsers leave out what is out of sight well enough by themselves.
const ALL_DRAWN: usize = 60;
/// Rows drawn above and below the window, so that scrolling does not show the edge.
const SPARE_ROWS: usize = 3;

/// How the photos are listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Only photos with this in a label or in their name.
    pub query: String,
    pub order: SortOrder,
    pub viewport: Option<Viewport>,
}

impl Listing {
    /// These photos, searched and sorted.
    pub fn apply(&self, photos: &[Rc<Photo>]) -> Vec<Rc<Photo>> {
        let query = self.query.trim().to_lowercase();
        let wanted = |photo: &&Rc<Photo>| query.is_empty() || mentions(photo, &query);
        let mut listed: Vec<_> = photos.iter().filter(wanted).cloned().collect();
        match self.order {
            SortOrder::Own => {}
            SortOrder::Name => listed.sort_by_cached_key(|photo| photo.name.to_lowercase()),
            SortOrder::Label => listed.sort_by(|a, b| by_answer(a, b, |a, b| a.label.cmp(&b.label))),
            SortOrder::Confidence => {
                listed.sort_by(|a, b| by_answer(a, b, |a, b| b.score.total_cmp(&a.score)));
                // What is none of the classes is a sure answer of none. Within a group the order stays.
                listed.sort_by_key(|photo| certainty_group(photo));
            }
        }
        listed
    }
}

/// The order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// As they came, newest first, and as the visitor moved them.
    #[default]
    Own,
    Name,
    /// The best label.
    Label,
    /// The surest first.
    Confidence,
}

/// Where the window is on the grid of cards, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// How far the window's top is below the grid's.
    pub top: f64,
    /// The window's height.
    pub height: f64,
    /// From one row of cards to the next.
    pub row: f64,
    /// What of that is between them.
    pub gap: f64,
    pub columns: usize,
}

/// The part of the list that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    pub range: Range<usize>,
    /// Rows left out before and after.
    pub rows_before: usize,
    pub rows_after: usize,
}

impl Viewport {
    /// What to draw of a list of this length.
    pub fn drawn(this: Option<&Self>, total: usize) -> Drawn {
        if total <= ALL_DRAWN {
            return Drawn { range: 0..total, rows_before: 0, rows_after: 0 };
        }
        let columns = this.map_or(1, |this| this.columns.max(1));
        let rows = total.div_ceil(columns);
        let (first, last) = match this {
            Some(this) if this.row > 0.0 => {
                let row_at = |y: f64| (y / this.row).max(0.0) as usize;
                (row_at(this.top), row_at(this.top + this.height) + 1)
            }
            // Nothing is measured yet.
            _ => (0, ALL_DRAWN / 2),
        };
        // Scrolled far beyond a list that has become short, its end is drawn.
        let first = first.min(rows.saturating_sub(1)).saturating_sub(SPARE_ROWS);
        let last = (last + SPARE_ROWS).clamp(first + 1, rows);
        Drawn {
            range: first * columns..(last * columns).min(total),
            rows_before: first,
            rows_after: rows - last,
        }
    }
}

/// Whether the photo's name or one of its labels holds `query`, which is in lower case.
fn mentions(photo: &Photo, query: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(query);
    let labelled = match &photo.progress {
        Progress::Done(answer) => {
            let predicted = |one: &Prediction| holds(&one.label) || holds(&one.label_zh);
            answer.predictions.iter().take(DEFAULT_TOP_K).any(predicted)
                || answer.kind.as_ref().is_some_and(|kind| holds(&kind.label) || holds(&kind.label_zh))
        }
        _ => false,
    };
    labelled || holds(&photo.name)
}

/// 0 for photos with a class, 1 for those that show none of the classes, 2 for those without an answer.
fn certainty_group(photo: &Photo) -> u8 {
    match &photo.progress {
        Progress::Done(answer) if answer.none_of.is_none() => 0,
        Progress::Done(_) => 1,
        _ => 2,
    }
}

/// By the best prediction; photos without an answer come last.
fn by_answer(a: &Photo, b: &Photo, order: impl Fn(&Prediction, &Prediction) -> Ordering) -> Ordering {
    let best = |photo: &Photo| match &photo.progress {
        Progress::Done(answer) => answer.predictions.first().cloned(),
        _ => None,
    };
    match (best(a), best(b)) {
        (Some(a), Some(b)) => order(&a, &b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewport(top: f64) -> Viewport {
        Viewport { top, height: 900.0, row: 500.0, gap: 20.0, columns: 3 }
    }

    #[test]
    fn of_a_long_list_only_the_rows_in_sight_are_drawn() {
        let drawn = Viewport::drawn(Some(&viewport(10_000.0)), 1000);
        assert_eq!(drawn, Drawn { range: 51..75, rows_before: 17, rows_after: 309 });
        let top = Viewport::drawn(Some(&viewport(-300.0)), 1000);
        assert_eq!((top.range.clone(), top.rows_before), (0..15, 0));
        let end = Viewport::drawn(Some(&viewport(1e6)), 1000);
        assert_eq!((end.range.end, end.rows_after), (1000, 0));
        assert!(!end.range.is_empty());
    }

    #[test]
    fn a_short_list_is_drawn_whole() {
        assert_eq!(Viewport::drawn(Some(&viewport(0.0)), 60).range, 0..60);
        assert_eq!(Viewport::drawn(None, 61).range.start, 0);
    }
}

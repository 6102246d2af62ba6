//! Which of several networks in one file to take, by the keys under which they are stored.

use crate::note::Note;
use std::cmp::Reverse;

/// Where training scripts keep the network itself: unilm and timm `model` or `module`, OpenMMLab and Lightning
/// `state_dict`, PyTorch's tutorial `model_state_dict`.
const USUAL: [&str; 9] = [
    "model",
    "module",
    "state_dict",
    "model_state_dict",
    "model_state",
    "net",
    "network",
    "backbone",
    "weights",
];

/// How good a place is; the greater the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// A network without a head is no classifier.
    head: bool,
    average: bool,
    /// Every name on the way is a usual one.
    usual: bool,
    shallow: Reverse<usize>,
    /// Place of the innermost name among the usual ones.
    order: Reverse<usize>,
}

/// A network in a file.
#[derive(Clone, Debug)]
pub(crate) struct StoredNetwork {
    /// The names on the way to it, outermost first.
    pub(crate) path: Vec<String>,
    pub(crate) has_head: bool,
}

impl StoredNetwork {
    fn rank(&self) -> Rank {
        let usual = |name: &String| USUAL.contains(&name.as_str()) || name.parse::<usize>().is_ok();
        Rank {
            head: self.has_head,
            average: self.is_average(),
            usual: self.path.iter().all(usual),
            shallow: Reverse(self.path.len()),
            order: Reverse(
                self.path
                    .last()
                    .map_or(0, |name| USUAL.iter().position(|usual| usual == name).unwrap_or(USUAL.len())),
            ),
        }
    }

    fn is_average(&self) -> bool {
        self.path.iter().any(|name| names_average(name))
    }

    fn title(&self) -> String {
        if self.path.is_empty() { "the outermost one".into() } else { self.path.join(".") }
    }
}

/// Takes one of the networks, by its number; a note tells of the others.
///
/// # Errors
/// A sentence, when nothing says which one is meant.
pub(crate) fn choose(places: &[StoredNetwork]) -> Result<(usize, Option<Note>), String> {
    let best = places.iter().map(StoredNetwork::rank).max();
    let mut best = (0..places.len()).filter(|&i| Some(places[i].rank()) == best);
    let Some(taken) = best.next() else { return Err("it holds no network".into()) };
    let place = &places[taken];
    let several = || places.iter().map(StoredNetwork::title).collect::<Vec<_>>();
    if best.next().is_some() && !place.is_average() && !place.rank().usual {
        return Err(format!(
            "it holds several networks ({}), and nothing says which one is meant: save that one by itself",
            crate::note::list(&several())
        ));
    }
    let others: Vec<String> = (0..places.len()).filter(|&i| i != taken).map(|i| places[i].title()).collect();
    let note =
        Note::NetworkChosen { taken: place.title(), average: place.is_average(), others: others.clone() };
    Ok((taken, (!others.is_empty()).then_some(note)))
}

/// Whether a name says that these are the weights' moving average: `model_ema`, `ema.module`, `EMACallback`.
fn names_average(name: &str) -> bool {
    name.contains("EMA")
        || name.contains("Ema")
        || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.eq_ignore_ascii_case("ema"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(paths: &[&str]) -> Result<String, String> {
        let place = |path: &&str| {
            let (path, has_head) = match path.strip_prefix('-') {
                Some(path) => (path, false),
                None => (*path, true),
            };
            let path = path.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            StoredNetwork { path, has_head }
        };
        let places: Vec<StoredNetwork> = paths.iter().map(place).collect();
        let (taken, note) = choose(&places)?;
        assert_eq!(note.is_some(), places.len() > 1);
        Ok(places[taken].path.join("."))
    }

    #[test]
    fn averages_come_first_then_usual_names() {
        for (paths, taken) in [
            (&["model"][..], "model"),
            (&["model", "model_ema"], "model_ema"),
            (&["state_dict", "state_dict_ema"], "state_dict_ema"),
            (&["state_dict.model", "state_dict.ema_model"], "state_dict.ema_model"),
            (&["state_dict", "callbacks.EMACallback.weights"], "callbacks.EMACallback.weights"),
            (&["best_schema", "model"], "model"),
            (&["teacher", "model"], "model"),
            (&["", "model"], ""),
            (&["student.net"], "student.net"),
            (&["model", "-model_ema"], "model"),
            (&["ema_0_999", "ema_0_9"], "ema_0_999"),
            (&["model", "module"], "model"),
        ] {
            assert_eq!(chosen(paths).as_deref(), Ok(taken), "{paths:?}");
        }
        let refused = chosen(&["student", "teacher"]).unwrap_err();
        assert!(refused.contains("student, teacher"), "{refused}");
    }
}

//! Parses a checkpoint's tensor names: wrappers, a prefix, and a dialect's own name.
//!
//! `module._orig_mod.model.blocks.0.norm1.weight` → prefix `model.`, `blocks.0.norm1.weight`.

use crate::choose_network;
use crate::dialects::{Dialect, NameKind};
use crate::note::Note;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What wraps a whole network or a part of it without meaning anything: DataParallel, torch.compile, FSDP,
/// activation checkpointing, DeepSpeed.
const WRAPPERS: [&str; 5] =
    ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"];
/// Networks in one file that are distinguished.
const MAX_NETWORKS: usize = 16;
/// Longer names, and prefixes of more parts, tell of no network: trying each part with each name could take hours.
const MAX_NAME_BYTES: usize = 1000;
const MAX_PREFIX_PARTS: usize = 16;

/// A network's naming scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    pub(crate) dialect: Dialect,
    /// What stands before each of the dialect's names, wrappers left out: empty, or ends in a dot.
    pub(crate) prefix: String,
}

/// Where a name stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Position<'a> {
    /// Behind the prefix: the dialect's name.
    Inside(Cow<'a, str>),
    /// Behind a part of the prefix, where a network wrapped as a backbone has its head: the dialect's name.
    Head(String),
    /// Of something else.
    Beside,
}

impl Naming {
    /// Finds the naming scheme from the names; `None` if no block of a BEiT is among them. A note lists other networks.
    ///
    /// # Errors
    /// A sentence, when there are several networks and nothing says which one is meant.
    pub(crate) fn detect<'a>(
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Option<(Self, Option<Note>)>, String> {
        let networks = networks(names);
        if networks.is_empty() {
            return Ok(None);
        }
        let place = |(naming, has_head): &(Self, bool)| choose_network::StoredNetwork {
            path: naming.prefix.split_terminator('.').map(|name| format!("{name:.120}")).collect(),
            has_head: *has_head,
        };
        let places: Vec<_> = networks.iter().map(place).collect();
        let (taken, note) = choose_network::choose(&places)?;
        Ok(networks.into_iter().nth(taken).map(|(naming, _)| (naming, note)))
    }

    pub(crate) fn position<'a>(&self, spelt: &'a str) -> Position<'a> {
        let name = unwrapped(spelt);
        if self.prefix.is_empty() {
            return Position::Inside(name);
        }
        if let Some(rest) = name.strip_prefix(&self.prefix) {
            return Position::Inside(Cow::Owned(rest.to_owned()));
        }
        // Outermost last: what is nearer to the network is meant.
        let outer =
            self.prefix.trim_end_matches('.').rmatch_indices('.').map(|(dot, _)| &self.prefix[..=dot]);
        for prefix in outer.chain([""]) {
            if let Some(rest) = name.strip_prefix(prefix)
                && matches!(self.dialect.classify(rest), NameKind::Tensor { .. })
                && !rest.starts_with(self.dialect.block_prefix())
            {
                return Position::Head(rest.to_owned());
            }
        }
        Position::Beside
    }
}

/// Whether a block of a BEiT is among these names, and then whether a head is.
pub(crate) fn is_network<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<bool> {
    networks(names).iter().map(|(_, has_head)| *has_head).max()
}

/// Each network among the names, and whether it has a head.
fn networks<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<(Naming, bool)> {
    // By where the blocks lie; ModelScope's names are also timm's behind `backbone.`.
    let mut places: BTreeMap<String, Vec<Naming>> = BTreeMap::new();
    for name in names.clone().filter(|name| name.len() <= MAX_NAME_BYTES) {
        let name = unwrapped(name);
        let found = Dialect::in_blocks(&name);
        for (dialect, at) in found.filter(|&(_, at)| name[..at].matches('.').count() <= MAX_PREFIX_PARTS) {
            let blocks = &name[..at + dialect.block_prefix().len()];
            if !places.contains_key(blocks) {
                if places.len() == MAX_NETWORKS {
                    continue;
                }
                places.insert(blocks.to_owned(), Vec::new());
            }
            let naming = Naming { dialect, prefix: name[..at].to_owned() };
            if let Some(namings) = places.get_mut(blocks)
                && !namings.contains(&naming)
            {
                namings.push(naming);
            }
        }
    }
    let best = |namings: Vec<Naming>| {
        let scored = namings.into_iter().map(|naming| (score(&naming, names.clone()), naming));
        scored.max_by_key(|(score, _)| *score).map(|((has_head, ..), naming)| (naming, has_head))
    };
    places.into_values().filter_map(best).collect()
}

/// Whether there is a head, and how many of the names belong to the network.
fn score<'a>(naming: &Naming, names: impl Iterator<Item = &'a str>) -> (bool, usize) {
    let (mut has_head, mut count) = (false, 0);
    for name in names {
        let place = match naming.position(name) {
            Position::Inside(name) => naming.dialect.classify(&name),
            Position::Head(name) => naming.dialect.classify(&name),
            Position::Beside => continue,
        };
        if let NameKind::Tensor { name, .. } = place {
            has_head |= name == "head.weight";
            count += 1;
        }
    }
    (has_head, count)
}

/// Whether a name stands below a place of [`Note::NetworkChosen`].
pub(crate) fn is_below(name: &str, place: &str) -> bool {
    unwrapped(name).strip_prefix(place).is_some_and(|rest| rest.starts_with('.'))
}

/// A name without wrappers.
fn unwrapped(name: &str) -> Cow<'_, str> {
    if !name.split('.').any(|part| WRAPPERS.contains(&part)) {
        return Cow::Borrowed(name);
    }
    let parts: Vec<&str> = name.split('.').filter(|part| !WRAPPERS.contains(part)).collect();
    Cow::Owned(parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(names: &[&str]) -> Option<(Dialect, String)> {
        let found = Naming::detect(names.iter().copied()).unwrap();
        found.map(|(naming, _)| (naming.dialect, naming.prefix))
    }

    #[test]
    fn dialect_and_prefix_are_told_from_names() {
        for (names, dialect, prefix) in [
            (&["blocks.0.norm1.weight", "head.weight"][..], Dialect::Timm, ""),
            (&["module.blocks.0.norm1.weight", "module.head.weight"], Dialect::Timm, ""),
            (&["blocks.0._orig_mod.norm1.weight"], Dialect::Timm, ""),
            (&["model.blocks.0.norm1.weight", "model.head.weight"], Dialect::Timm, "model."),
            (
                &[
                    "module.model._orig_mod.net.blocks.0.norm1.weight",
                    "module.model._orig_mod.net.head.weight",
                ],
                Dialect::Timm,
                "model.net.",
            ),
            (&["backbone.blocks.0.norm1.weight", "head.fc.weight"], Dialect::ModelScope, ""),
            (
                &["model.backbone.blocks.0.norm1.weight", "model.head.fc.weight"],
                Dialect::ModelScope,
                "model.",
            ),
            (&["backbone.blocks.0.norm1.weight", "backbone.head.weight"], Dialect::Timm, "backbone."),
            (&["backbone.blocks.0.norm1.weight", "head.weight"], Dialect::Timm, "backbone."),
            (&["model.backbone.layers.0.ln1.weight"], Dialect::Mmpretrain, "model."),
            (
                &["m.beit.encoder.layer.0.layernorm_before.weight", "m.classifier.weight"],
                Dialect::Transformers4,
                "m.",
            ),
            (
                &["model.blocks.0.norm1.weight", "ema_model.module.blocks.0.norm1.weight"],
                Dialect::Timm,
                "ema_model.",
            ),
        ] {
            assert_eq!(detected(names), Some((dialect, prefix.to_owned())), "{names:?}");
        }
        assert_eq!(detected(&["cls_token", "vit.stages.0.norm1.weight"]), None);
        let several = ["a.blocks.0.norm1.weight", "b.blocks.0.norm1.weight"];
        assert!(Naming::detect(several.into_iter()).unwrap_err().contains("(a, b)"));
    }

    #[test]
    fn a_head_may_stand_outside_the_backbone() {
        let naming = Naming { dialect: Dialect::Timm, prefix: "model.backbone.".into() };
        for (spelt, position) in [
            ("module.model.backbone.cls_token", Position::Inside("cls_token".into())),
            ("model.head.weight", Position::Head("head.weight".into())),
            ("head.weight", Position::Head("head.weight".into())),
            ("criterion.weight", Position::Beside),
            ("model.blocks.0.norm1.weight", Position::Beside),
        ] {
            assert_eq!(naming.position(spelt), position, "{spelt}");
        }
    }
}

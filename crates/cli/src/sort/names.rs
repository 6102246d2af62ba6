//! A photo's answer → the name of its folder.

use super::{By, Language};
use crate::engine::Engine;
use beit::calibration;
use beit::kinds::{most_specific, path_of_class};
use beit::labels::Label;
use beit::topk::{softmax_at, top_k_at};

/// Longest name of a folder, in characters.
const LONGEST: usize = 80;
/// Names that Windows has for devices, whatever ending follows.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Where a photo belongs, and why.
pub struct Named {
    pub folder: String,
    /// What the folder is for; none for photos of which nothing is likely enough.
    pub label: Option<Label>,
    /// Its probability.
    pub score: Option<f32>,
}

/// The folder of a photo with these logits.
pub fn folder(engine: &Engine, logits: &[f32], by: By, language: Language, least: f32) -> Named {
    let not_sure = || Named { folder: not_sure(language).into(), label: None, score: None };
    let Engine { labels, kinds, calibration, .. } = engine;
    let (temperature, is_none) = calibration::reading(calibration.as_ref(), logits);
    if is_none {
        return not_sure();
    }
    let best = top_k_at(logits, 1, temperature).first().copied().filter(|&(_, score)| score >= least);
    let found = match best {
        Some((class, score)) => {
            let kind = path_of_class(labels, kinds, class).last().map(|kind| kind.label.clone());
            let label = kind.filter(|_| by == By::Kind).unwrap_or_else(|| labels[class].clone());
            Some((label, score))
        }
        None => {
            let kind = most_specific(labels, kinds, &softmax_at(logits, temperature));
            kind.filter(|&(_, held)| held >= least).map(|(kind, held)| (kind.label.clone(), held))
        }
    };
    let Some((label, score)) = found else { return not_sure() };
    let name = match language {
        Language::Zh if !label.zh.is_empty() => &label.zh,
        _ => &label.en,
    };
    let folder = [name, &label.wnid].into_iter().map(|name| sound(name)).find(|name| !name.is_empty());
    let folder = folder.unwrap_or_else(|| not_sure().folder);
    Named { folder, label: Some(label), score: Some(score) }
}

fn not_sure(language: Language) -> &'static str {
    match language {
        Language::En => "not sure",
        Language::Zh => "不确定",
    }
}

/// A name that every system takes for a folder; empty if nothing is left.
fn sound(name: &str) -> String {
    let plain = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '-' } else { c };
    let name: String = name.chars().map(plain).take(LONGEST).collect();
    let name = name.trim().trim_end_matches(['.', ' ']).trim_start_matches('.');
    let first = name.split('.').next().unwrap_or_default().to_lowercase();
    let is_numbered = |name: &str| {
        first
            .strip_prefix(name)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_device = DEVICES.contains(&first.as_str()) || ["com", "lpt"].into_iter().any(is_numbered);
    if is_device { format!("{name}_") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::sound;

    #[test]
    fn names_are_sound_on_every_system() {
        for (name, folder) in [
            ("tabby", "tabby"),
            ("虎斑猫", "虎斑猫"),
            ("jack-o'-lantern", "jack-o'-lantern"),
            ("AC/DC: live?", "AC-DC- live-"),
            ("..", ""),
            ("../../etc", "-..-etc"),
            (".hidden", "hidden"),
            ("dots. . ", "dots"),
            ("Con", "Con_"),
            ("aux.jpg", "aux.jpg_"),
            ("COM7", "COM7_"),
            ("comet", "comet"),
            ("a\0\nb", "a--b"),
        ] {
            assert_eq!(sound(name), folder, "{name}");
        }
        assert_eq!(sound(&"长".repeat(300)).chars().count(), 80);
    }
}

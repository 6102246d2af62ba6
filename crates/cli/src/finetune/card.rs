//! The new model's card.

use std::fmt::Write;

/// What a card tells.
pub struct Card<'a> {
    pub name: &'a str,
    pub base: &'a str,
    pub base_sha256: &'a str,
    /// How it was trained: a sentence.
    pub how: String,
    pub classes: Vec<(&'a str, usize)>,
    /// Name of the measure, share of right answers, photos.
    pub measured: Vec<(&'a str, f64, usize)>,
}

/// Classes that are listed one by one.
const LISTED: usize = 200;

impl Card<'_> {
    /// The card as Markdown.
    pub fn markdown(&self) -> String {
        let Self { name, base, base_sha256, how, classes, measured } = self;
        let photos: usize = classes.iter().map(|(_, photos)| photos).sum();
        let mut card = format!(
            "# {name}\n\nAn image classifier of {} classes, taught on {photos} photos from `{base}` (SHA-256 \
             `{base_sha256}`) with `beitscope finetune`. {how}\n",
            classes.len()
        );
        if !measured.is_empty() {
            card.push_str("\n| Measured on | top-1 | photos |\n|---|---|---|\n");
        }
        for (what, share, photos) in measured {
            // Writing to a string cannot fail.
            let _ = writeln!(card, "| {what} | {:.2} % | {photos} |", 100.0 * share);
        }
        card.push_str("\nIt answers one of its classes whatever a photo shows.\n\n## Classes\n\n");
        for (class, photos) in classes.iter().take(LISTED) {
            let _ = writeln!(card, "- {} ({photos})", plain(class));
        }
        if classes.len() > LISTED {
            let _ = writeln!(card, "- and {} more", classes.len() - LISTED);
        }
        card
    }
}

/// A folder's name may hold anything: nothing in it shall be markup.
fn plain(name: &str) -> String {
    let special = |c: char| "\\`*_{}[]<>()#+!|&~".contains(c);
    name.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_says_what_was_done_and_keeps_names_plain() {
        let card = Card {
            name: "mine",
            base: "demo",
            base_sha256: "ab",
            how: "A new head.".into(),
            classes: vec![("<b>cat</b>", 3), ("dog", 4)],
            measured: vec![("photos held out", 0.875, 16)],
        };
        let card = card.markdown();
        assert!(card.contains("2 classes, taught on 7 photos from `demo`"), "{card}");
        assert!(card.contains("| photos held out | 87.50 % | 16 |"), "{card}");
        assert!(card.contains(r"- \<b\>cat\</b\> (3)"), "{card}");
    }
}

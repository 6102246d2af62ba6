//! What is measured, and its table.

use crate::check::Agreement;

/// What takes turns with the others.
pub struct Contender {
    pub name: String,
    /// Why its times don't count: it takes no more turns.
    pub refused: Option<String>,
    /// How near its answers are to timm's, of all turns; none where there is nothing to compare with.
    pub agreement: Option<Agreement>,
    /// What its network ran on.
    pub ran: String,
    /// Seconds from the page's opening to its first answer: weights from storage, or from this machine's server.
    pub first: Vec<f64>,
    /// The network's milliseconds for each further photo.
    pub steady: Vec<f64>,
    /// What the network's time for the last photo went to, where it is known.
    pub stages: Option<String>,
    /// The renderer's peak in MB, of the first turn (weights over the network) and of the later ones.
    pub peaks: Vec<f64>,
}

impl Contender {
    pub fn new(name: String) -> Self {
        Self {
            name,
            refused: None,
            agreement: None,
            ran: String::new(),
            first: vec![],
            steady: vec![],
            stages: None,
            peaks: vec![],
        }
    }

    /// Notes a turn's answers, of which the worst counts.
    pub fn agree(&mut self, agreement: Agreement) {
        self.agreement = Some(match self.agreement.take() {
            Some(so_far) => so_far.and(agreement),
            None => agreement,
        });
    }
}

/// The table of those whose times count, those that were refused with the reason, stages, and ratios.
pub fn report(contenders: &[Contender]) -> String {
    let (refused, counted): (Vec<_>, Vec<_>) =
        contenders.iter().partition(|contender| contender.refused.is_some());
    let mut lines = vec![
        "| what | ms a photo | first answer, s | peak MB, first visit | later | with timm | ran on |"
            .to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    for contender in &counted {
        let Contender { name, first, steady, peaks, ran, .. } = contender;
        let (first_peak, later) =
            peaks.split_first().map_or((f64::NAN, &[][..]), |(first, later)| (*first, later));
        lines.push(format!(
            "| {name} | {:.0} | {:.2} | {first_peak:.0} | {:.0} | {} | {ran} |",
            median(steady),
            median(first),
            median(later),
            contender.agreement.as_ref().map_or("not compared".into(), words)
        ));
    }
    if !refused.is_empty() {
        lines.push("\nRefused, not timed:".into());
        let why = |contender: &&Contender| {
            format!("{}: {}", contender.name, contender.refused.as_deref().unwrap_or_default())
        };
        lines.extend(refused.iter().map(why));
    }
    let stages = counted.iter().filter_map(|contender| Some((&contender.name, contender.stages.as_ref()?)));
    let stages: Vec<_> = stages.map(|(name, stages)| format!("{name}: {stages}")).collect();
    if !stages.is_empty() {
        lines.push("\nWhat a photo's ms go to:".into());
        lines.extend(stages);
    }
    lines.push("\nRatios of medians, ms a photo (row ÷ column):".into());
    for row in &counted {
        let ratio = |column: &&Contender| format!("{:.2}", median(&row.steady) / median(&column.steady));
        lines.push(format!("{}: {}", row.name, counted.iter().map(ratio).collect::<Vec<_>>().join("  ")));
    }
    lines.join("\n")
}

fn words(agreement: &Agreement) -> String {
    let first = if agreement.same_first { "same first class" } else { "a nearly equal first class" };
    match agreement.cosine {
        Some(cosine) => format!("cosine {cosine:.5}, {first}"),
        None => format!("five logits within {:.3} deviations, {first}", agreement.largest),
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(cosine: Option<f64>) -> Agreement {
        Agreement { cosine, largest: 0.02, first: 7, same_first: true }
    }

    fn timed(name: &str, steady: &[f64]) -> Contender {
        let mut contender = Contender::new(name.into());
        contender.steady = steady.to_vec();
        contender.first = vec![3.0, 2.0, 2.5];
        contender.peaks = vec![500.0, 450.0, 400.0, 420.0];
        contender.ran = "X".into();
        contender
    }

    #[test]
    fn medians_and_ratios() {
        let mut ours = timed("ours", &[500.0, 1000.0, 700.0]);
        ours.agree(agreement(None));
        ours.stages = Some("products 600".into());
        let mut theirs = timed("theirs", &[1400.0]);
        theirs.agree(agreement(Some(0.999)));
        theirs.agree(Agreement { same_first: false, ..agreement(Some(0.998)) });
        let text = report(&[ours, theirs]);
        let said =
            "| ours | 700 | 2.50 | 500 | 420 | five logits within 0.020 deviations, same first class | X |";
        assert!(text.contains(said), "{text}");
        assert!(text.contains("| cosine 0.99800, a nearly equal first class | X |"), "{text}");
        assert!(text.contains("ours: products 600\n"), "{text}");
        assert!(text.ends_with("ours: 1.00  0.50\ntheirs: 2.00  1.00"), "{text}");
    }

    #[test]
    fn what_is_refused_has_a_reason_and_no_time() {
        let mut wrong = timed("wrong", &[1.0]);
        wrong.refused = Some("cosine 0.12 with timm's logits".into());
        let text = report(&[timed("ours", &[700.0]), wrong]);
        assert!(text.contains("Refused, not timed:\nwrong: cosine 0.12 with timm's logits"), "{text}");
        assert!(!text.contains("| wrong"), "{text}");
        assert!(text.ends_with("ours: 1.00"), "{text}");
        assert!(text.contains("| 500 | 420 | not compared | X |"), "{text}");
    }
}

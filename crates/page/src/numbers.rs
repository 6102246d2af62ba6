//! Numbers as people write them, in every language of the page.

/// A probability with one decimal. What is not 0 or 1 is not shown as 0 or 1.
pub fn percent(score: f32) -> String {
    let percent = score * 100.0;
    if percent > 0.0 && percent < 0.05 {
        "<0.1%".into()
    } else if (99.95..100.0).contains(&percent) {
        ">99.9%".into()
    } else {
        format!("{percent:.1}%")
    }
}

pub fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// Bytes in the unit that fits: whole megabytes, or gigabytes with one decimal.
pub fn size(bytes: u64) -> String {
    match bytes / 1_000_000 + u64::from(bytes % 1_000_000 >= 500_000) {
        0 if bytes > 0 => "1 MB".into(),
        megabytes @ ..1_000 => format!("{megabytes} MB"),
        megabytes => {
            let tenths = megabytes / 100 + u64::from(megabytes % 100 >= 50);
            format!("{}.{} GB", grouped(tenths / 10), tenths % 10)
        }
    }
}

pub fn parameters(count: u64) -> String {
    if count < 1_000_000 { grouped(count) } else { format!("{:.1} M", count as f64 / 1e6) }
}

/// Values of the colour channels, with at most three decimals: one number where all have the same.
pub fn channels(values: [f32; 3], separator: &str) -> String {
    let texts = values.map(|value| {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    });
    if texts.iter().all(|text| *text == texts[0]) { texts[0].clone() } else { texts.join(separator) }
}

pub fn rounded(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.1}") } else { grouped(ms.round() as u64) }
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// With its sign, and a minus as wide as a plus.
pub fn signed(value: f32) -> String {
    let text = format!("{value:+.2}").replace('-', "−");
    if matches!(text.as_str(), "−0.00" | "+0.00") { "0.00".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(
            [grouped(0), grouped(999), grouped(1000), grouped(304_429_800)],
            ["0", "999", "1,000", "304,429,800"]
        );
        assert_eq!([rounded(4.26), rounded(42.6), rounded(1234.5)], ["4.3", "43", "1,235"]);
    }

    #[test]
    fn bytes_are_told_in_the_unit_that_fits() {
        for (bytes, told) in [
            (0, "0 MB"),
            (1, "1 MB"),
            (1_499_999, "1 MB"),
            (411_600_000, "412 MB"),
            (999_499_999, "999 MB"),
            (999_500_000, "1.0 GB"),
            (1_218_000_000, "1.2 GB"),
            (1_950_000_000, "2.0 GB"),
            (u64::MAX, "18,446,744,073.7 GB"),
        ] {
            assert_eq!(size(bytes), told, "{bytes}");
        }
    }

    #[test]
    fn channels_that_are_the_same_are_told_once() {
        assert_eq!(channels([0.5; 3], ", "), "0.5");
        assert_eq!(channels([0.485, 0.456, 0.406], ", "), "0.485, 0.456, 0.406");
        assert_eq!(channels([1.0, 0.0, 0.2299], "、"), "1、0、0.23");
    }

    #[test]
    fn a_percentage_does_not_claim_certainty() {
        let shown = [0.0, 0.0001, 0.0005, 0.712, 0.9994, 0.9999, 1.0].map(percent);
        assert_eq!(shown, ["0.0%", "<0.1%", "0.1%", "71.2%", "99.9%", ">99.9%", "100.0%"]);
    }

    #[test]
    fn a_sign_is_as_wide_as_its_counterpart() {
        assert_eq!([1.234, -0.5, 0.001, -0.001].map(signed), ["+1.23", "−0.50", "0.00", "0.00"]);
    }
}

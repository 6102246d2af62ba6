//! The report as one HTML file that needs nothing else: no scripts, no fonts, no requests.

mod calibration;

use super::{Accuracy, CONFUSED, Report, Row};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
/// Nothing but the style above may do anything, whatever a class or a file is called.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// Columns of the chart of classes by accuracy.
const COLUMNS: usize = 10;

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut html = String::new();
    head(&mut html, report);
    cards(&mut html, report);
    let rows = report.rows();
    columns(&mut html, &rows);
    confused(&mut html, report);
    if let Some(calibrated) = report.calibration {
        calibration::sections(&mut html, calibrated);
    }
    classes(&mut html, report, rows);
    unreadable(&mut html, report);
    foot(&mut html, report);
    html
}

/// Appends formatted text: writing to a String can't fail.
macro_rules! put {
    ($html:expr, $($text:tt)*) => { let _ = write!($html, $($text)*); };
}
use put;

fn head(html: &mut String, report: &Report) {
    let model = escape(&report.header.model.name);
    let place = report.place.map_or(String::new(), |place| format!(" of {}", escape(place)));
    let shard = match report.header.shard.of {
        1 => String::new(),
        _ if report.place.is_none() => String::new(),
        _ => format!(" (shard {})", report.header.shard),
    };
    put!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{model}: accuracy</title><style>{STYLE}</style></head><body><main>\
         <h1>{model}</h1><p class=\"soft\">Accuracy on {} photos{place}{shard}</p>",
        thousands(report.counts.all.images),
    );
}

fn cards(html: &mut String, report: &Report) {
    html.push_str("<div class=\"cards\">");
    for (name, share) in [("Top-1", report.top_1()), ("Top-5", report.top_5())] {
        put!(html, "<div class=\"card\"><div class=\"soft\">{name} accuracy</div>");
        match share {
            Some(Accuracy { percent, low, high }) => {
                put!(
                    html,
                    "<div class=\"number\">{percent:.2} %</div><div class=\"interval\"><i style=\"left:{low:.2}%;\
                     width:{:.2}%\"></i><b style=\"left:{percent:.2}%\"></b></div>\
                     <div class=\"soft\">95 % interval {low:.2} to {high:.2} %</div></div>",
                    high - low
                );
            }
            None => html.push_str("<div class=\"number\">–</div><div class=\"soft\">no photos</div></div>"),
        }
    }
    let classes = report.counts.classes.iter().filter(|hits| hits.images > 0).count();
    let mean = report.counts.mean_of_classes().map_or("–".into(), |mean| format!("{mean:.2} %"));
    put!(
        html,
        "<div class=\"card\"><div class=\"soft\">Mean of the classes' top-1</div><div class=\"number\">{mean}</div>\
         <div class=\"soft\">{} classes with photos, of {}</div></div>",
        thousands(classes as u64),
        thousands(report.counts.classes.len() as u64)
    );
    put!(
        html,
        "<div class=\"card\"><div class=\"soft\">Photos</div><div class=\"number\">{}</div>\
         <div class=\"soft\">{} could not be read and were left out</div></div></div>",
        thousands(report.counts.all.images),
        thousands(report.unreadable.photos)
    );
}

/// How many classes are how accurate.
fn columns(html: &mut String, rows: &[Row]) {
    let mut counts = [0u64; COLUMNS];
    for row in rows {
        counts[((row.top_1() * COLUMNS as f64 / 100.0) as usize).min(COLUMNS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    html.push_str("<section><h2>Classes by top-1 accuracy</h2><div class=\"columns\">");
    for (column, count) in counts.iter().enumerate() {
        let (from, height) = (column * 100 / COLUMNS, 78.0 * *count as f64 / most as f64);
        let to = from + 100 / COLUMNS;
        put!(html, "<div>{}<i style=\"height:{height:.1}%\"></i>{from}–{to} %</div>", thousands(*count));
    }
    html.push_str("</div></section>");
}

fn confused(html: &mut String, report: &Report) {
    let pairs = report.counts.most_confused();
    let Some(&(_, _, most)) = pairs.first() else { return };
    put!(
        html,
        "<section><h2>Most confused</h2><p class=\"soft\">{} of {} pairs of a class and the answer that was given \
         instead.</p><table><thead><tr><th>Class</th><th>Answered</th><th class=\"n\">Photos</th><th class=\"n\">Of the \
         class</th><th></th></tr></thead><tbody>",
        thousands(pairs.len().min(CONFUSED) as u64),
        thousands(pairs.len() as u64)
    );
    for (right, instead, photos) in pairs.into_iter().take(CONFUSED) {
        let of = report.counts.classes[right as usize].images;
        put!(
            html,
            "<tr><td class=\"label\">{}</td><td class=\"label\">{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1} %</td>\
             <td><span class=\"mistakes\" style=\"width:{:.0}px\"></span></td></tr>",
            class(report, right),
            class(report, instead),
            thousands(photos),
            100.0 * photos as f64 / of as f64,
            120.0 * photos as f64 / most as f64
        );
    }
    html.push_str("</tbody></table></section>");
}

fn classes(html: &mut String, report: &Report, mut rows: Vec<Row>) {
    rows.sort_by(|a, b| {
        a.top_1().total_cmp(&b.top_1()).then(a.top_5().total_cmp(&b.top_5())).then(a.index.cmp(&b.index))
    });
    html.push_str(
        "<section><h2>All classes, the hardest first</h2><table><thead><tr><th>Class</th><th class=\"n\">Photos</th>\
         <th>Top-1 within top-5</th><th class=\"n\">Top-1</th><th class=\"n\">Top-5</th><th>Most often taken for</th>\
         </tr></thead><tbody>",
    );
    for row in rows {
        let instead = row.confused_with.map_or(String::new(), |(instead, photos)| {
            format!("{} <span class=\"soft\">({})</span>", class(report, instead), thousands(photos))
        });
        let (top_1, top_5) = (row.top_1(), row.top_5());
        put!(
            html,
            "<tr><td class=\"label\">{}</td><td class=\"n\">{}</td><td><span class=\"share\"><i style=\"width:{top_5:.1}%\">\
             </i><b style=\"width:{top_1:.1}%\"></b></span></td><td class=\"n\">{top_1:.1} %</td><td class=\"n\">{top_5:.1} \
             %</td><td class=\"label\">{instead}</td></tr>",
            class(report, row.index as u32),
            thousands(row.hits.images)
        );
    }
    html.push_str("</tbody></table></section>");
}

fn unreadable(html: &mut String, report: &Report) {
    if report.unreadable.photos == 0 {
        return;
    }
    let (all, named) = (report.unreadable.photos, report.unreadable.named.len() as u64);
    let more = if all > named { format!(" (the first {} of them)", thousands(named)) } else { String::new() };
    put!(
        html,
        "<section><details><summary>{} photos that could not be read{more}</summary><table><thead><tr><th>File</th>\
         <th>Why</th></tr></thead><tbody>",
        thousands(all)
    );
    for (file, reason) in report.unreadable.named.values() {
        put!(
            html,
            "<tr><td class=\"label\"><code>{}</code></td><td>{}</td></tr>",
            escape(file),
            escape(reason)
        );
    }
    html.push_str("</tbody></table></details></section>");
}

fn foot(html: &mut String, report: &Report) {
    let header = report.header;
    put!(
        html,
        "<p class=\"soft\">Intervals are Wilson's, at 95 %. Run on {} by beitscope {}.<br>Model <code>{}</code><br>Dataset \
         <code>{}</code>, {} photos</p></main></body></html>\n",
        escape(&header.backend),
        env!("CARGO_PKG_VERSION"),
        escape(&header.model.sha256),
        escape(&header.dataset.sha256),
        thousands(header.dataset.photos)
    );
}

fn class(report: &Report, index: u32) -> String {
    let (wnid, label) = report.class(index);
    match wnid {
        "" => escape(label),
        _ => format!("{} <span class=\"soft\">{}</span>", escape(label), escape(wnid)),
    }
}

/// Text as HTML, in elements and in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// 1234567 → 1 234 567, with narrow no-break spaces.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::with_report;

    #[test]
    fn names_never_become_html() {
        with_report(|report| {
            let html = page(report);
            for text in
                ["a &lt;model&gt;", "&lt;b&gt;dog&lt;/b&gt; &quot;big&quot;", "data/a&amp;b", "&lt;img src=x"]
            {
                assert!(html.contains(text), "{text}");
            }
            assert!(!html.contains("<b>dog") && !html.contains("<img") && !html.contains("<script"));
            for outside in ["http:", "https:", "//", "url(", "@import"] {
                assert!(!html.contains(outside), "{outside}");
            }
            assert!(html.contains("40.00 %") && html.contains("95 % interval"));
        });
    }

    #[test]
    fn every_element_is_closed() {
        with_report(|report| {
            let html = page(report);
            for tag in [
                "section", "table", "thead", "tbody", "tr", "td", "div", "i", "b", "span", "code", "p",
                "main",
            ] {
                let opened =
                    html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
            }
        });
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
    }
}

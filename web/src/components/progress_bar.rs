use crate::status::Measure;
use yew::{AttrValue, Html, Properties, classes, component, html};

#[derive(PartialEq, Properties)]
pub struct ProgressBarProps {
    pub measure: Measure,
    pub label: AttrValue,
    /// The measure in words.
    pub value: AttrValue,
}

/// A bar that fills, or wanders where nobody can say how far things are. The width is an SVG
/// attribute: a `style` attribute would be blocked by a strict content security policy.
#[component]
pub fn ProgressBar(ProgressBarProps { measure, label, value }: &ProgressBarProps) -> Html {
    let (percent, width) = match measure {
        Measure::Share(share) => (Some(format!("{:.1}", share * 100.0)), share * 100.0),
        Measure::Unknown => (None, 30.0),
    };
    let unknown = percent.is_none().then_some("unknown");
    html! {
        <div
            class={classes!("progress", unknown)}
            role="progressbar"
            data-testid="progress"
            aria-label={label}
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow={percent}
            aria-valuetext={value}
        >
            <svg aria-hidden="true"><rect width={format!("{width:.2}%")} height="100%" rx="3" /></svg>
        </div>
    }
}

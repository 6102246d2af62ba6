use page::status::StageProgress;
use yew::{AttrValue, Html, Properties, classes, component, html};

#[derive(PartialEq, Properties)]
pub struct ProgressBarProps {
    pub measure: StageProgress,
    pub label: AttrValue,
    /// The measure in words.
    pub value: AttrValue,
    #[prop_or("progress")]
    pub testid: &'static str,
}

/// A bar that fills, paler where things are here but not yet checked and built, or wanders where nobody can say how far things are. The width is an SVG
/// attribute: a `style` attribute would be blocked by a strict content security policy.
#[component]
pub fn ProgressBar(ProgressBarProps { measure, label, value, testid }: &ProgressBarProps) -> Html {
    let (percent, here, built) = match measure {
        StageProgress::Share { here, built } => {
            (Some(format!("{:.1}", here * 100.0)), here * 100.0, built * 100.0)
        }
        StageProgress::Unknown => (None, 0.0, 30.0),
    };
    let width = |percent: f64| format!("{percent:.2}%");
    let unknown = percent.is_none().then_some("unknown");
    html! {
        <div
            class={classes!("progress", unknown)}
            role="progressbar"
            data-testid={*testid}
            aria-label={label}
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow={percent}
            aria-valuetext={value}
        >
            <svg aria-hidden="true">
                <rect class="here" width={width(here)} height="100%" rx="3" />
                <rect width={width(built)} height="100%" rx="3" />
            </svg>
        </div>
    }
}

use super::use_text;
use page::action::Action;
use page::heat_scale::Scale;
use page::text::Text;
use page::viewer::{Explanation, NotShownReason};
use protocol::{ClassName, HeatMap};
use web_sys::HtmlInputElement;
use yew::{Callback, Html, InputEvent, Properties, TargetCast, component, html};

#[derive(PartialEq, Properties)]
pub struct WhyProps {
    pub explanation: Explanation,
    /// The class it is about.
    pub class: Option<ClassName>,
    pub strength: u8,
    pub dispatch: Callback<Action>,
}

/// What a heat map means: legend, strength and the sum.
#[component]
pub fn Why(WhyProps { explanation, class, strength, dispatch }: &WhyProps) -> Html {
    let text = use_text();
    let Some(class) = class else {
        return html! { <p class="hint">{ text.explain_hint }</p> };
    };
    let label = (text.class_name)(class);
    let body = match explanation {
        Explanation::None => html! {},
        Explanation::Waiting { .. } => html! { <p class="hint" role="status">{ text.explain_waiting }</p> },
        Explanation::Failed { reason, .. } => {
            html! { <p class="hint" data-testid="error">{ not_shown_reason(reason, text) }</p> }
        }
        Explanation::Shown { map, .. } => shown(map, *strength, text, dispatch),
    };
    html! {
        <section class="why" aria-live="polite">
            <h3>{ (text.why)(label) }</h3>
            { body }
        </section>
    }
}

fn shown(map: &HeatMap, strength: u8, text: &Text, dispatch: &Callback<Action>) -> Html {
    let oninput = dispatch.reform(|event: InputEvent| {
        Action::HeatMapStrength(
            event.target_unchecked_into::<HtmlInputElement>().value().parse().unwrap_or(70),
        )
    });
    let Scale { average, spread } = Scale::of(map);
    let part = |sign: f32| map.contributions.iter().filter(|&&term| term * sign > 0.0).sum::<f32>();
    let (speaks_for, against) = (part(1.0), part(-1.0));
    let rounding = map.logit - speaks_for - against - map.constant;
    let mut rows =
        vec![(text.patches_for, speaks_for), (text.patches_against, against), (text.constant, map.constant)];
    // With weights in F32 there is none to speak of.
    if rounding.abs() >= 0.005 {
        rows.push((text.rounding, rounding));
    }
    let row = |(name, value): (&'static str, f32)| {
        html! { <div><dt>{ name }</dt><dd>{ (text.signed)(value) }</dd></div> }
    };
    html! {
        <>
            <div class="legend">
                <div class="scale" aria-hidden="true"></div>
                <p>
                    <span>{ (text.signed)(average - spread) }</span>
                    <span>{ (text.average)(average) }</span>
                    <span>{ (text.signed)(average + spread) }</span>
                </p>
            </div>
            <label class="strength">
                <span>{ text.strength }</span>
                <input type="range" min="0" max="100" value={strength.to_string()} data-testid="strength" {oninput} />
            </label>
            <dl class="sum" data-testid="sum">
                { for rows.into_iter().map(row) }
                <div class="total"><dt>{ text.logit }</dt><dd>{ (text.signed)(map.logit) }</dd></div>
            </dl>
            <p class="hint">{ text.heat_meaning }</p>
        </>
    }
}

/// Why something is not shown.
pub fn not_shown_reason(reason: &NotShownReason, text: &Text) -> String {
    match reason {
        NotShownReason::NoModel => text.no_model.into(),
        NotShownReason::Photo(fault) => (text.photo_fault)(fault),
    }
}

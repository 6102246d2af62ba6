use super::use_text;
use crate::state::Action;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct SamplesProps {
    pub dispatch: Callback<Action>,
}

/// Three photos to try, for a visitor who has none at hand.
#[component]
pub fn Samples(SamplesProps { dispatch }: &SamplesProps) -> Html {
    let text = use_text();
    let sample = |(file, what): (&'static str, &'static str)| {
        let onclick = dispatch.reform(move |_| Action::TrySample(file));
        html! {
            <li key={file}>
                <button type="button" class="sample" aria-label={(text.try_sample)(what)} {onclick}>
                    <img src={format!("samples/{file}")} alt="" decoding="async" />
                    <span>{ what }</span>
                </button>
            </li>
        }
    };
    let samples = [("cat.jpg", text.cat), ("coffee.jpg", text.coffee), ("mountain.jpg", text.mountain)];
    html! {
        <section class="samples" aria-labelledby="samples-heading">
            <h2 id="samples-heading">{ text.samples }</h2>
            <ul>{ for samples.into_iter().map(sample) }</ul>
        </section>
    }
}

use super::use_text;
use page::text::Text;
use protocol::{Kind, Prediction};
use yew::{Callback, Html, Properties, classes, component, html};

#[derive(PartialEq, Properties)]
pub struct AnswerListProps {
    /// Best first.
    pub predictions: Vec<Prediction>,
    /// The class whose heat map is in sight.
    #[prop_or_default]
    pub explained: Option<usize>,
    /// Asks for a class's heat map.
    pub explain: Callback<usize>,
    /// How many classes the model knows, where the photo most likely shows none of them.
    #[prop_or_default]
    pub none_of: Option<u64>,
    /// Laid over a photo's lower part.
    #[prop_or_default]
    pub over: bool,
}

/// An answer. A bar's width is its class's probability; a click shows what speaks for the class. Where the photo shows
/// none of the classes, that comes first and the list is dimmed.
#[component]
pub fn AnswerList(
    AnswerListProps { predictions, explained, explain, none_of, over }: &AnswerListProps,
) -> Html {
    let text = use_text();
    let row = |prediction: &Prediction| {
        let percent = f64::from(prediction.score) * 100.0;
        let (index, label) = (prediction.index, (text.label)(prediction));
        let pressed = (*explained == Some(index)).to_string();
        html! {
            <li
                key={index}
                data-testid="prediction"
                data-index={index.to_string()}
                data-score={prediction.score.to_string()}
            >
                <button
                    type="button"
                    class="answer"
                    aria-pressed={pressed}
                    title={(text.explain)(label)}
                    onclick={explain.reform(move |_| index)}
                >
                    <svg class="bar" aria-hidden="true"><rect width={format!("{percent:.3}%")} height="100%" rx="6" /></svg>
                    <span class="label">{ label.to_owned() }</span>
                    <span class="percent">{ (text.percent)(prediction.score) }</span>
                </button>
            </li>
        }
    };
    let rows = predictions.iter().map(row);
    let over = over.then_some("over");
    match none_of {
        None => {
            html! { <ol class={classes!("answers", over)} aria-label={text.answers}>{ for rows }</ol> }
        }
        Some(count) => html! {
            <div class={classes!("none-of-these", over)}>
                <p data-testid="none-of-these">{ (text.none_of)(*count) }</p>
                <ol class="answers dimmed" aria-label={text.answers_if_none}>{ for rows }</ol>
            </div>
        },
    }
}

/// The kind of thing that breeds and makes are of, in a few words.
pub fn kind(kind: &Kind, text: &Text) -> Html {
    html! {
        <span class="kind" data-testid="kind" data-wnid={kind.wnid.clone()} title={text.kind_meaning}>
            <b>{ (text.kind)(kind).to_owned() }</b>{ " " }{ (text.percent)(kind.score) }
        </span>
    }
}

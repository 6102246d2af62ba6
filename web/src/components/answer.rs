use super::use_text;
use protocol::Prediction;
use yew::{Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct AnswerListProps {
    /// Best first.
    pub predictions: Vec<Prediction>,
}

/// The answer over the photo's lower part. A bar's width is its class's probability.
#[component]
pub fn AnswerList(AnswerListProps { predictions }: &AnswerListProps) -> Html {
    let text = use_text();
    let row = |prediction: &Prediction| {
        let percent = f64::from(prediction.score) * 100.0;
        html! {
            <li
                key={prediction.index}
                data-testid="prediction"
                data-index={prediction.index.to_string()}
                data-score={prediction.score.to_string()}
            >
                <svg class="bar" aria-hidden="true"><rect width={format!("{percent:.3}%")} height="100%" rx="6" /></svg>
                <span class="label">{ (text.label)(prediction).to_owned() }</span>
                <span class="percent">{ (text.percent)(prediction.score) }</span>
            </li>
        }
    };
    html! {
        <ol class="over answers" aria-label={text.answers}>{ for predictions.iter().map(row) }</ol>
    }
}

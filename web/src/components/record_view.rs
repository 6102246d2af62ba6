use super::icon::{Icon, Shape};
use super::use_text;
use page::action::Action;
use page::record::Record;
use page::sharing::SharedRecord;
use std::rc::Rc;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct RecordViewProps {
    pub shared: SharedRecord,
    /// Whether this page's answer agrees, once it has one for the same photo.
    pub agrees: Option<bool>,
    pub dispatch: Callback<Action>,
}

/// A result that came with the page's address.
#[component]
pub fn RecordView(RecordViewProps { shared, agrees, dispatch }: &RecordViewProps) -> Html {
    let text = use_text();
    let body = match shared {
        SharedRecord::None => return html! {},
        SharedRecord::Damaged => html! { <p>{ text.record_damaged }</p> },
        SharedRecord::Record(record) => html! {
            <>
                <h2>{ (text.record)(&record.file) }</h2>
                if let Some(classes) = record.none_of {
                    <p data-testid="none-of-these"><strong>{ (text.none_of)(classes) }</strong></p>
                }
                { answers(record, text) }
                <p class="hint">{ (text.record_from)(record) }</p>
                <p class="hint" role="status">
                    { match agrees {
                        Some(true) => text.record_same,
                        Some(false) => text.record_different,
                        None => text.record_note,
                    } }
                </p>
            </>
        },
    };
    html! {
        <section class="record" data-testid="record" data-agrees={agrees.map(|agrees| agrees.to_string())}>
            { body }
            <button class="tool" type="button" aria-label={text.dismiss} onclick={dispatch.reform(|_| Action::DismissRecord)}>
                <Icon shape={Shape::Cross} />
            </button>
        </section>
    }
}

fn answers(record: &Rc<Record>, text: &page::text::Text) -> Html {
    let row = |prediction: &protocol::Prediction| {
        html! {
            <li><span>{ (text.label)(prediction).to_owned() }</span><span>{ (text.percent)(prediction.score) }</span></li>
        }
    };
    html! { <ol>{ for record.predictions.iter().map(row) }</ol> }
}

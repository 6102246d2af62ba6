use super::use_text;
use page::action::Action;
use page::viewer::ClassSearch as Search;
use protocol::ClassName;
use web_sys::HtmlInputElement;
use yew::{Callback, Html, InputEvent, Properties, TargetCast, component, html};

#[derive(PartialEq, Properties)]
pub struct ClassSearchProps {
    pub search: Search,
    /// The class whose heat map is in sight.
    pub explained: Option<usize>,
    pub dispatch: Callback<Action>,
}

/// Any class of the model, to ask what speaks for it: a model may know 21,841 of them, so they are searched, not listed.
#[component]
pub fn ClassSearch(ClassSearchProps { search, explained, dispatch }: &ClassSearchProps) -> Html {
    let text = use_text();
    let oninput = dispatch.reform(|event: InputEvent| {
        let input: Option<HtmlInputElement> = event.target_dyn_into();
        Action::SearchClasses(input.map(|input| input.value()).unwrap_or_default())
    });
    let option = |class: &ClassName| {
        let index = class.index;
        html! {
            <li key={index} data-testid="found-class" data-index={index.to_string()}>
                <button
                    type="button"
                    class="answer"
                    aria-pressed={(*explained == Some(index)).to_string()}
                    onclick={dispatch.reform(move |_| Action::ToggleExplanation(index))}
                >
                    <span class="label">{ (text.class_name)(class) }</span>
                </button>
            </li>
        }
    };
    let said = search.found.as_ref().map(|found| (text.classes_found)(found.classes.len(), found.count));
    html! {
        <details class="class-search" data-testid="class-search">
            <summary>{ text.other_class }</summary>
            <input
                class="field"
                type="search"
                autocomplete="off"
                spellcheck="false"
                aria-label={text.other_class_hint}
                placeholder={text.other_class_hint}
                value={search.query.clone()}
                data-testid="class-query"
                {oninput}
            />
            <p class="hint" role="status">{ said.unwrap_or_default() }</p>
            if let Some(found) = &search.found {
                <ul class="answers">{ for found.classes.iter().map(option) }</ul>
            }
        </details>
    }
}

use super::icon::Mark;
use super::use_text;
use page::action::Action;
use page::language::Language;
use protocol::{BackendInfo, ModelInfo};
use std::rc::Rc;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct HeaderProps {
    pub model: Option<Rc<ModelInfo>>,
    /// Who serves the model, where that is another site which this one does not list.
    pub host: Option<String>,
    pub backend: Option<Rc<BackendInfo>>,
    /// The network's milliseconds a photo, once known.
    pub ms: Option<f64>,
    pub language: Language,
    pub dispatch: Callback<Action>,
    /// Where another model can be picked.
    pub children: Html,
}

/// The page's name, the model and what it runs on.
#[component]
pub fn Header(HeaderProps { model, host, backend, ms, language, dispatch, children }: &HeaderProps) -> Html {
    let text = use_text();
    let facts = |model: &ModelInfo| {
        html! {
            <p class="fact model">
                <b>{ model.name.clone() }</b>
                if let Some(host) = host {
                    <span class="model-host" data-testid="model-host">{ (text.from_host)(host) }</span>
                }
                <span>{ (text.quantization)(&model.quantization) }</span>
                <span>{ (text.size)(model) }</span>
                if let Some(card) = &model.card {
                    <a href={card.clone()} target="_blank" rel="noopener">{ text.model_card }</a>
                }
            </p>
        }
    };
    let other = language.other();
    html! {
        <header class="page-header">
            <p class="wordmark"><Mark /><span>{ "beit" }<b>{ "scope" }</b></span></p>
            if let (Some(model), Some(backend)) = (model, backend) {
                <div class="facts">
                    { facts(model) }
                    <p class="fact" data-testid="backend" data-detail={backend.detail.clone()}>
                        { (text.backend)(backend, *ms) }
                    </p>
                </div>
            }
            { children.clone() }
            <button
                class="link language"
                type="button"
                data-testid="language"
                onclick={dispatch.reform(move |_| Action::SetLanguage { language: other, chosen: true })}
            >
                <span lang={other.text().tag}>{ other.text().name }</span>
                if let Some(name) = text.other_language_here {
                    { " · " }{ name }
                }
            </button>
        </header>
    }
}

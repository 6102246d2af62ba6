use super::use_text;
use protocol::{BackendInfo, ModelInfo};
use std::rc::Rc;
use yew::{Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct FooterProps {
    pub model: Option<Rc<ModelInfo>>,
    pub backend: Option<Rc<BackendInfo>>,
    /// A sentence about the model.
    pub note: Option<String>,
}

/// What is good to know but in nobody's way.
#[component]
pub fn Footer(FooterProps { model, backend, note }: &FooterProps) -> Html {
    let text = use_text();
    html! {
        <footer class="page-footer">
            if let (Some(model), Some(backend)) = (model, backend) {
                <p>
                    <b>{ model.name.clone() }</b>{ " · " }{ (text.model_facts)(model) }{ ". " }
                    if let Some(note) = note { { note.clone() }{ " " } }
                    { backend.reason.clone() }
                </p>
            }
            <p>{ text.credits }</p>
        </footer>
    }
}

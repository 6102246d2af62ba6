use super::use_text;
use protocol::{BackendInfo, ModelInfo};
use std::rc::Rc;
use yew::{Children, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct FooterProps {
    pub model: Option<Rc<ModelInfo>>,
    pub backend: Option<Rc<BackendInfo>>,
    #[prop_or_default]
    pub children: Children,
}

/// What is good to know but in nobody's way.
#[component]
pub fn Footer(FooterProps { model, backend, children }: &FooterProps) -> Html {
    let text = use_text();
    html! {
        <footer class="page-footer">
            if let (Some(model), Some(backend)) = (model, backend) {
                <p>
                    <b>{ model.name.clone() }</b>{ " · " }{ (text.model_facts)(model) }{ ". " }
                    { (text.reasons)(backend) }
                </p>
            }
            { children.clone() }
            <p>{ text.credits }</p>
            <p><a href="licenses/LICENSE-WordNet.txt" target="_blank" rel="noopener">{ text.wordnet }</a></p>
        </footer>
    }
}

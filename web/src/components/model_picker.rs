use super::icon::{Icon, Shape};
use super::use_text;
use page::action::Action;
use page::models::list::Listed;
use page::models::text::{ModelsText, of};
use page::text::Text;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::{
    Callback, Event, Html, KeyboardEvent, NodeRef, Properties, component, html, use_node_ref, use_state,
};

#[derive(Clone, PartialEq, Properties)]
pub struct PickerProps {
    pub models: Rc<[Listed]>,
    /// The manifest of the model that is loaded or on its way.
    pub chosen: Option<Rc<str>>,
    /// The manifests of those that are whole in the browser's storage.
    pub kept: Rc<[Rc<str>]>,
    pub dispatch: Callback<Action>,
}

impl PickerProps {
    /// Whether there is something to pick from.
    pub fn is_choice(&self) -> bool {
        let unlisted = self.chosen.is_some() && self.listed().is_none();
        self.models.len() + usize::from(unlisted) > 1
    }

    fn listed(&self) -> Option<&Listed> {
        self.models.iter().find(|model| Some(&model.manifest) == self.chosen.as_ref())
    }
}

/// The models to pick from: radio buttons, and a button that says what picking costs, so that no download of
/// hundreds of megabytes begins because somebody moved through a list.
#[component]
pub fn ModelPicker(props: &PickerProps) -> Html {
    let text = use_text();
    let words = of(text.tag);
    let menu = use_node_ref();
    let marked = use_state(|| None::<Rc<str>>);
    let current = marked.as_ref().or(props.chosen.as_ref());
    let name = props.listed().map_or(words.unlisted, |model| words.name(model));
    let mark = |manifest: &Rc<str>| {
        let (marked, manifest) = (marked.clone(), manifest.clone());
        Callback::from(move |_: Event| marked.set(Some(manifest.clone())))
    };
    let option = |manifest: &Rc<str>, name: &str, facts: Html| {
        html! {
            <label key={manifest.to_string()} class="model-option" data-testid="model-option" data-manifest={manifest.clone()}>
                <input
                    type="radio"
                    name="model"
                    value={manifest.clone()}
                    checked={current == Some(manifest)}
                    onchange={mark(manifest)}
                />
                <span class="model-about"><b>{ name.to_owned() }</b>{ facts }</span>
            </label>
        }
    };
    let listed =
        |model: &Listed| option(&model.manifest, words.name(model), facts(model, props, text, words));
    let unlisted = props.chosen.as_ref().filter(|_| props.listed().is_none());
    let take = {
        let (menu, marked, dispatch) = (menu.clone(), marked.clone(), props.dispatch.clone());
        let picked = current.cloned();
        Callback::from(move |_| {
            close(&menu);
            marked.set(None);
            picked.iter().for_each(|picked| dispatch.emit(Action::PickModel(picked.clone())));
        })
    };
    let onkeydown = {
        let menu = menu.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                close(&menu);
            }
        })
    };
    let in_use = current == props.chosen.as_ref();
    let picked = current.and_then(|manifest| props.models.iter().find(|model| model.manifest == *manifest));
    html! {
        <details ref={menu} class="menu models" name="menu" data-testid="models" {onkeydown}>
            <summary class="button quiet"><span class="visually-hidden">{ words.model }{ ": " }</span><span class="model-name">{ name }</span><Icon shape={Shape::Down} /></summary>
            <div class="menu-items">
                <fieldset>
                    <legend>{ words.choose }</legend>
                    { for props.models.iter().map(listed) }
                    { for unlisted.map(|manifest| option(manifest, words.unlisted, html! { <span class="model-facts">{ manifest.to_string() }</span> })) }
                </fieldset>
                <button class="button primary" type="button" data-testid="model-use" disabled={in_use} onclick={take}>
                    { action(picked, in_use, props, words) }
                </button>
            </div>
        </details>
    }
}

/// What the button does.
fn action(picked: Option<&Listed>, in_use: bool, props: &PickerProps, words: &ModelsText) -> String {
    let fetched = picked.filter(|model| !props.kept.contains(&model.manifest)).and_then(|model| model.bytes);
    match fetched {
        _ if in_use => words.in_use.to_owned(),
        Some(bytes) => (words.fetch_it)(bytes),
        None => words.use_it.to_owned(),
    }
}

/// Size and accuracy.
fn facts(model: &Listed, props: &PickerProps, text: &Text, words: &ModelsText) -> Html {
    let rounding = model.quantization.as_deref().map(text.quantization);
    let size = model.bytes.map(words.megabytes);
    let kept = props.kept.contains(&model.manifest);
    let accuracy = model.accuracy.as_ref().map_or_else(|| words.not_measured.to_owned(), words.accuracy);
    html! {
        <>
            <span class="model-facts">
                { rounding.into_iter().chain(size).collect::<Vec<_>>().join(" · ") }
                if kept {
                    { " " }<span class="model-kept" data-testid="model-kept">{ words.on_device }</span>
                }
            </span>
            <span class="model-facts">{ accuracy }</span>
        </>
    }
}

/// Closes the menu and leaves the keyboard's focus where it was opened.
fn close(menu: &NodeRef) {
    let Some(menu) = menu.cast::<HtmlElement>() else { return };
    // Both only fail on an element that is gone.
    menu.remove_attribute("open").ok();
    let summary = menu.query_selector("summary").ok().flatten();
    if let Some(summary) = summary.and_then(|summary| summary.dyn_into::<HtmlElement>().ok()) {
        summary.focus().ok();
    }
}

use super::icon::{Icon, Shape};
use super::import_menu::ImportMenu;
use super::use_text;
use page::action::Action;
use page::effect::Focus;
use page::import::reference;
use page::models::list::Listed;
use page::models::text::{ModelsText, of};
use page::storage::ModelInStorage;
use page::text::Text;
use protocol::import::{Hubs, ImportSource};
use std::borrow::Cow;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{File, HtmlElement};
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
    /// Imported models in the browser's storage that are not listed.
    pub imported: Rc<[ModelInStorage]>,
    /// Where the site wants models fetched from.
    pub hubs: Hubs,
    /// Takes a checkpoint file, and how its weights are to be rounded.
    pub checkpoint: Callback<(File, String)>,
    pub dispatch: Callback<Action>,
}

impl PickerProps {
    /// Whether there is something to pick from.
    pub fn is_choice(&self) -> bool {
        self.models.len() + self.imported.len() + usize::from(self.is_unlisted()) > 1
    }

    /// Whether photos can be answered by one model or another, so that it has to be told by which.
    pub fn can_answer_otherwise(&self) -> bool {
        let ready = self.models.iter().filter(|model| self.is_here(model)).count();
        ready + self.imported.len() + usize::from(self.is_unlisted()) > 1
    }

    /// Whether it needs no import, or no other one.
    fn is_here(&self, model: &Listed) -> bool {
        model.source.is_none() || self.kept.contains(&model.manifest)
    }

    /// Whether the chosen model is neither listed nor imported.
    fn is_unlisted(&self) -> bool {
        self.chosen.is_some() && self.listed().is_none() && self.imported().is_none()
    }

    fn imported(&self) -> Option<&ModelInStorage> {
        self.imported.iter().find(|model| Some(&model.manifest) == self.chosen.as_ref())
    }

    /// What the chosen model is called.
    fn name<'a>(&'a self, words: &'a ModelsText) -> Cow<'a, str> {
        if let Some(listed) = self.listed() {
            return words.name(listed).into();
        }
        if let Some(imported) = self.imported() {
            return (&*imported.name).into();
        }
        // It was imported, and is not in storage any more.
        let import = self.chosen.as_deref().and_then(ImportSource::of);
        import.map_or(words.unlisted.into(), |import| import.checkpoint.into())
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
    let name = props.name(words).into_owned();
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
    let imported = |model: &ModelInStorage| {
        let facts = [(text.quantization)(&model.quantization), (words.megabytes)(model.bytes)].join(" · ");
        let facts = html! { <span class="model-facts">{ facts }{ on_device(words) }</span> };
        option(&model.manifest, &model.name, facts)
    };
    let unlisted = props.chosen.as_ref().filter(|_| props.is_unlisted());
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
    let close_menu = {
        let menu = menu.clone();
        Callback::from(move |()| close(&menu))
    };
    let in_use = current == props.chosen.as_ref();
    let picked = current.and_then(|manifest| props.models.iter().find(|model| model.manifest == *manifest));
    html! {
        <details ref={menu} class="menu models" name="menu" data-testid="models" {onkeydown}>
            <summary id={Focus::Models.element_id()} class="button quiet"><span class="visually-hidden">{ words.model }{ ": " }</span><span class="model-name">{ name.clone() }</span><Icon shape={Shape::Down} /></summary>
            <div class="menu-items">
                <fieldset>
                    <legend>{ words.choose }</legend>
                    { for props.models.iter().map(listed) }
                    { for props.imported.iter().map(imported) }
                    { for unlisted.map(|manifest| option(manifest, &name, html! { <span class="model-facts">{ manifest.to_string() }</span> })) }
                </fieldset>
                <button class="button primary" type="button" data-testid="model-use" disabled={in_use} onclick={take}>
                    { action(picked, in_use, props, text, words) }
                </button>
                <ImportMenu checkpoint={props.checkpoint.clone()} close={close_menu} dispatch={props.dispatch.clone()} />
            </div>
        </details>
    }
}

/// What the button does.
fn action(
    picked: Option<&Listed>,
    in_use: bool,
    props: &PickerProps,
    text: &Text,
    words: &ModelsText,
) -> String {
    let fetched = picked.filter(|model| !props.kept.contains(&model.manifest)).and_then(|model| model.bytes);
    match fetched {
        _ if in_use => words.in_use.to_owned(),
        _ if picked.is_some_and(|model| !props.is_here(model)) => text.import.look_up.to_owned(),
        Some(bytes) => (words.fetch_it)(bytes),
        None => words.use_it.to_owned(),
    }
}

/// Size and accuracy.
fn facts(model: &Listed, props: &PickerProps, text: &Text, words: &ModelsText) -> Html {
    let rounding = model.quantization.as_deref().map(text.quantization);
    let kept = props.kept.contains(&model.manifest);
    let host =
        model.source.as_ref().filter(|_| !kept).and_then(|source| reference::host(source, &props.hubs));
    let size = match host {
        Some(host) => Some((text.import.facts)(model.download_bytes, model.bytes, &host)),
        None => model.bytes.map(words.megabytes),
    };
    let accuracy = match &model.accuracy {
        Some(accuracy) => Some((words.accuracy)(accuracy)),
        // Of an official model its own site tells it.
        None => model.source.is_none().then(|| words.not_measured.to_owned()),
    };
    html! {
        <>
            <span class="model-facts">
                { rounding.into_iter().chain(size).collect::<Vec<_>>().join(" · ") }
                if kept {
                    { on_device(words) }
                }
            </span>
            if let Some(accuracy) = accuracy {
                <span class="model-facts">{ accuracy }</span>
            }
        </>
    }
}

/// Beside a model that needs no network.
fn on_device(words: &ModelsText) -> Html {
    html! { <>{ " " }<span class="model-kept" data-testid="model-kept">{ words.on_device }</span></> }
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

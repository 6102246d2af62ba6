use super::import_menu::picked;
use super::use_text;
use page::tagging::text::of;
use page::tagging::{TagAction, Vocabulary, VocabularyRefusal};
use std::rc::Rc;
use web_sys::{Event, File};
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct TaggingVocabularyProps {
    pub vocabulary: Option<Vocabulary>,
    pub refused: Option<(Rc<str>, VocabularyRefusal)>,
    pub disabled: bool,
    pub on_file: Callback<File>,
    pub dispatch: Callback<TagAction>,
}

/// The visitor's own keywords: the file that has them, and what is wrong with it.
#[component]
pub fn TaggingVocabulary(props: &TaggingVocabularyProps) -> Html {
    let TaggingVocabularyProps { vocabulary, refused, disabled, on_file, dispatch } = props;
    let text = of(use_text().tag);
    let on_file = on_file.clone();
    let onchange = move |event: Event| {
        if let Some(file) = picked(&event) {
            on_file.emit(file);
        }
    };
    html! {
        <>
            <div class="tagging-own">
                <span id="tag-own">{ text.own }</span>
                <label class="button quiet">
                    { vocabulary.as_ref().map_or(text.choose_own.into(), |own| own.file.to_string()) }
                    <input
                        class="visually-hidden"
                        type="file"
                        accept=".txt,.tsv,.tab,text/plain,text/tab-separated-values"
                        data-testid="tag-vocabulary"
                        aria-labelledby="tag-own"
                        aria-describedby="tag-own-form"
                        disabled={*disabled}
                        {onchange}
                    />
                </label>
            </div>
            <div class="tagging-own-notes" role="status">
                if vocabulary.is_none() {
                    <p class="hint" id="tag-own-form">{ text.own_form }</p>
                }
                if let Some((file, why)) = refused {
                    <p role="alert" data-testid="tag-vocabulary-refused">{ (text.refused_vocabulary)(file, why) }</p>
                }
                if let Some(own) = vocabulary {
                    if !own.unknown.is_empty() {
                        <p data-testid="tag-unknown">{ (text.unknown_names)(&own.unknown) }</p>
                    }
                    <button type="button" class="link" data-testid="tag-drop-vocabulary" disabled={*disabled} onclick={dispatch.reform(|_| TagAction::DropVocabulary)}>
                        { text.drop_own }
                    </button>
                }
            </div>
        </>
    }
}

use super::use_text;
use crate::model_choice::foreign_host;
use page::action::Action;
use page::storage::{ModelInStorage, StorageContents};
use page::text::Text;
use protocol::Kept;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct StorageNoteProps {
    /// Whether the loaded model's weights are kept; none while there is no model.
    pub kept: Option<Kept>,
    /// What is in the browser's storage, of this model and others.
    pub stored: StorageContents,
    pub dispatch: Callback<Action>,
}

/// What the browser keeps for the next visit, or why it keeps nothing.
#[component]
pub fn StorageNote(StorageNoteProps { kept, stored, dispatch }: &StorageNoteProps) -> Html {
    let text = use_text();
    let why = match kept {
        Some(Kept::NoRoom) => Some(text.no_room),
        Some(Kept::NoStorage) => Some(text.no_storage),
        Some(Kept::Yes) | None => None,
    };
    let bytes = stored.bytes.filter(|&bytes| bytes > 0);
    html! {
        if why.is_some() || bytes.is_some() {
            <div class="storage" data-testid="storage" data-bytes={bytes.unwrap_or(0).to_string()}>
                if let Some(why) = why {
                    <p>{ why }</p>
                }
                if let Some(bytes) = bytes {
                    <p>{ (text.stored)(bytes) }</p>
                    <button
                        class="link"
                        type="button"
                        data-testid="clear-storage"
                        onclick={dispatch.reform(|_| Action::ClearStorage)}
                    >
                        { text.clear_storage }
                    </button>
                    // One model is what the sentence is about.
                    if stored.models.len() > 1 {
                        <ul class="stored-models" aria-label={text.stored_models}>
                            { for stored.models.iter().map(|model| entry(model, text, dispatch)) }
                        </ul>
                    }
                }
            </div>
        }
    }
}

fn entry(model: &ModelInStorage, text: &Text, dispatch: &Callback<Action>) -> Html {
    let manifest = model.manifest.clone();
    let facts = [
        Some((text.quantization)(&model.quantization).to_owned()),
        Some((text.stored_part)(model.here, model.bytes)),
        model.days.map(text.days_ago),
        foreign_host(&manifest).as_deref().map(text.from_host),
    ];
    html! {
        <li key={manifest.to_string()} data-testid="stored-model" data-manifest={manifest.clone()}>
            <b>{ model.name.clone() }</b>
            <span>{ facts.into_iter().flatten().collect::<Vec<_>>().join(" · ") }</span>
            <button
                class="link"
                type="button"
                data-testid="remove-stored"
                aria-label={(text.remove_stored_model)(&model.name)}
                onclick={dispatch.reform(move |_| Action::RemoveStored(manifest.clone()))}
            >
                { text.remove_stored }
            </button>
        </li>
    }
}

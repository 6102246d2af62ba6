use super::use_text;
use crate::state::Action;
use protocol::Kept;
use yew::{Callback, Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct StorageNoteProps {
    /// Whether the loaded model's weights are kept; none while there is no model.
    pub kept: Option<Kept>,
    /// Bytes of weights in the browser's storage, this model's and others'.
    pub stored: Option<u64>,
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
    let stored = stored.filter(|&bytes| bytes > 0);
    html! {
        if why.is_some() || stored.is_some() {
            <div class="storage" data-testid="storage" data-bytes={stored.unwrap_or(0).to_string()}>
                if let Some(why) = why {
                    <p>{ why }</p>
                }
                if let Some(bytes) = stored {
                    <p>{ (text.stored)(bytes) }</p>
                    <button
                        class="link"
                        type="button"
                        data-testid="clear-storage"
                        onclick={dispatch.reform(|_| Action::ClearStorage)}
                    >
                        { text.clear_storage }
                    </button>
                }
            </div>
        }
    }
}

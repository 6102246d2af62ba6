use page::tagging::text::TagText;
use page::tagging::{Row, RowOutcome};
use protocol::keywords::Place;
use std::rc::Rc;
use yew::{Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct TaggingListProps {
    pub rows: Rc<[Row]>,
    pub tag: &'static str,
}

/// What would change, photo by photo: those first that change or can't.
#[component]
pub fn TaggingList(TaggingListProps { rows, tag }: &TaggingListProps) -> Html {
    let text = page::tagging::text::of(tag);
    let stays = |row: &&Row| matches!(row.outcome, RowOutcome::Unchanged | RowOutcome::NoKeyword);
    let (stay, change): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(stays);
    html! {
        // With the keyboard's focus, its keys scroll the dialog.
        <ul class="tag-list" data-testid="tag-list" aria-label={text.list} tabindex="0">
            { for change.into_iter().chain(stay).map(|row| item(row, text)) }
        </ul>
    }
}

fn item(row: &Row, text: &'static TagText) -> Html {
    let (state, content) = match &row.outcome {
        RowOutcome::Change { place, note, added, removed } => {
            let state = if *place == Place::Photo { "photo" } else { "sidecar" };
            let content = html! {
                <>
                    if !added.is_empty() {
                        <span class="tag-words"><span class="tag-mark">{ text.added }</span>{ words(added) }</span>
                    }
                    if !removed.is_empty() {
                        <span class="tag-words gone"><span class="tag-mark">{ text.removed }</span>{ words(removed) }</span>
                    }
                    if *place == Place::Sidecar {
                        <span class="tag-note">{ (text.sidecar)(&format!("{}.xmp", row.name), note.as_ref()) }</span>
                    }
                </>
            };
            (state, content)
        }
        RowOutcome::Unchanged => ("unchanged", note(text.unchanged)),
        RowOutcome::NoKeyword => ("no-keyword", note(text.no_keyword)),
        RowOutcome::Refused(refusal) => ("refused", note(&(text.refusal)(refusal))),
    };
    html! {
        <li key={row.id} data-state={state} data-name={row.name.clone()}>
            <span class="tag-name">{ row.name.to_string() }</span>
            { content }
        </li>
    }
}

fn note(text: &str) -> Html {
    html! { <span class="tag-note">{ text.to_owned() }</span> }
}

fn words(words: &[String]) -> Html {
    let word = |word: &String| html! { <span class="tag-word">{ word.clone() }</span> };
    html! { <>{ for words.iter().map(word) }</> }
}

//! Does the effects of the dialog that writes keywords into photos.

use super::App;
use crate::tagging::Expected;
use page::action::Action;
use page::photo::PhotoId;
use page::tagging::{Refusal, TagAction, TagEffect, zip_names};
use std::collections::HashMap;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;
use yew::Callback;

impl App {
    pub(super) fn perform_tagging(&self, effect: TagEffect) {
        let (tagger, dispatch) = (self.tagger.clone(), self.dispatch.reform(Action::Tag));
        let source = |id: PhotoId| self.files.borrow().source(id).cloned();
        match effect {
            TagEffect::NamePaths { run, classes, kinds, names } => {
                self.ask(|client| client.name_paths(run, classes, kinds, names));
            }
            TagEffect::Forget => tagger.forget(),
            TagEffect::LeaveFolder => tagger.leave_folder(),
            TagEffect::Plan { run, id, name, bytes, sha256, request } => {
                let photo = Expected { id, name, bytes, sha256, source: source(id) };
                spawn_local(async move {
                    let outcome = tagger.plan(photo, &request).await;
                    dispatch.emit(TagAction::Planned { run, id, outcome });
                });
            }
            TagEffect::PickFolder => spawn_local(async move {
                if let Some(name) = tagger.pick_folder().await {
                    dispatch.emit(TagAction::FolderPicked(name.into()));
                }
            }),
            TagEffect::BeginZip => tagger.begin_zip(self.zip_names()),
            TagEffect::AddToZip { run, id } => {
                let source = source(id);
                self.step(run, id, async move { tagger.add_to_zip(id, source).await });
            }
            // A browser that saves nothing says so itself.
            TagEffect::SaveZip => tagger.save_zip().unwrap_or_default(),
            TagEffect::Write { run, id } => {
                self.step(run, id, async move { tagger.write(run, id).await });
            }
            TagEffect::Undo { run, key } => {
                self.step(run, key.1, async move { tagger.undo(key).await });
            }
        }
    }

    /// What is done with a file of own keywords.
    pub(super) fn on_vocabulary(&self) -> Callback<File> {
        let (tagger, dispatch) = (self.tagger.clone(), self.dispatch.reform(Action::Tag));
        Callback::from(move |file: File| {
            let (tagger, dispatch) = (tagger.clone(), dispatch.clone());
            spawn_local(async move {
                let result = tagger.read_vocabulary(&file).await;
                dispatch.emit(TagAction::VocabularyRead { file: file.name().into(), result });
            });
        })
    }

    fn step(&self, run: u64, id: PhotoId, work: impl Future<Output = Result<(), Refusal>> + 'static) {
        let dispatch = self.dispatch.reform(Action::Tag);
        spawn_local(async move {
            let result = work.await;
            dispatch.emit(TagAction::Stepped { run, id, result });
        });
    }

    fn zip_names(&self) -> HashMap<PhotoId, String> {
        let rows = &self.state.tagging.rows;
        let names = zip_names(rows.iter().map(|row| &*row.name));
        rows.iter().map(|row| row.id).zip(names).collect()
    }
}

//! "Teach": the panel of a visitor's own classes. Holds the [`TeachState`] and the photos' files, asks the worker, draws.

mod stored_head;
mod view;

use crate::intake;
use page::english::ENGLISH;
use page::teach::state::{TeachState, Training};
use page::teach::text::of;
use page::text::Text;
use protocol::ModelInfo;
use protocol::teach::{TeachReply, TeachRequest};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use view::Callbacks;
use web_sys::{File, Url};
use yew::{Callback, Component, Context, ContextHandle, Html, Properties};

/// A request to the worker and the file beside it.
pub type Ask = (TeachRequest, Option<File>);

/// Where the panel listens for the worker's replies.
#[derive(Clone, Default)]
pub struct Replies(Rc<RefCell<Option<Callback<TeachReply>>>>);

impl Replies {
    /// Passes a reply on to the panel.
    pub fn emit(&self, reply: TeachReply) {
        let listener = self.0.borrow().clone();
        if let Some(listener) = listener {
            listener.emit(reply);
        }
    }
}

impl PartialEq for Replies {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(PartialEq, Properties)]
pub struct TeachProps {
    /// The model that answers; another value means that the worker began anew.
    pub model: Option<Rc<ModelInfo>>,
    pub replies: Replies,
    pub ask: Callback<Ask>,
    /// Photos are to be answered anew: the classes are others now.
    pub reclassify: Callback<()>,
    /// A drag over the page has ended here.
    pub dropped: Callback<()>,
}

pub enum Msg {
    AddClass,
    Rename(u64, String),
    RemoveClass(u64),
    /// Files for one class.
    Photos(u64, Vec<File>),
    /// Files in folders named by class.
    Folders(Vec<File>),
    RemovePhoto(u64),
    Train,
    UseOwn,
    UseModels,
    Import(File),
    Forget,
    Reply(TeachReply),
    Language(&'static Text),
}

pub struct Teach {
    state: TeachState,
    files: HashMap<u64, (File, Rc<str>)>,
    text: &'static Text,
    /// A head that storage kept was asked for, and the answer is not here yet.
    pending_restore: Option<PendingRestore>,
    /// SHA-256 of the weights of the model that the state's head is of.
    taught_on: Option<String>,
    _text: Option<ContextHandle<&'static Text>>,
}

/// How a kept head was asked for.
#[derive(Clone, Copy)]
struct PendingRestore {
    /// It is not to answer yet: the visitor had switched back to the model's classes.
    quiet: bool,
    /// It may be another model's, which is no fault then.
    unsorted: bool,
}

impl Component for Teach {
    type Message = Msg;
    type Properties = TeachProps;

    fn create(ctx: &Context<Self>) -> Self {
        let listener = ctx.link().callback(Msg::Reply);
        *ctx.props().replies.0.borrow_mut() = Some(listener);
        let context = ctx.link().context::<&'static Text>(ctx.link().callback(Msg::Language));
        let (text, handle) = context.map_or((&ENGLISH, None), |(text, handle)| (text, Some(handle)));
        let mut panel = Self {
            state: TeachState::default(),
            files: HashMap::new(),
            text,
            pending_restore: None,
            taught_on: None,
            _text: handle,
        };
        panel.restore_after_restart(ctx);
        panel
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &TeachProps) -> bool {
        let same = match (&ctx.props().model, &old.model) {
            (Some(new), Some(old)) => Rc::ptr_eq(new, old),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.pending_restore = None;
            match (&ctx.props().model, &self.taught_on) {
                (Some(model), Some(before)) if model.sha256 != *before => self.state.reset_for_model(),
                _ => self.state.reset_progress(),
            }
            self.restore_after_restart(ctx);
        }
        true
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::AddClass => drop(self.state.add_class(String::new())),
            Msg::Rename(class, name) => self.state.rename(class, name),
            Msg::RemoveClass(class) => {
                let photos = self.state.remove_class(class);
                self.drop_files(ctx, photos);
            }
            Msg::Photos(class, files) => {
                ctx.props().dropped.emit(());
                files.into_iter().for_each(|file| self.add(class, file));
            }
            Msg::Folders(files) => {
                self.state.left_out = 0;
                for file in files {
                    let photo = intake::is_photo(&file.name(), &file.type_());
                    match intake::folder_of(&file).filter(|_| photo) {
                        Some(name) => {
                            let class = self.state.class_named(&name);
                            self.add(class, file);
                        }
                        None => self.state.left_out += 1,
                    }
                }
            }
            Msg::RemovePhoto(photo) => {
                self.state.remove_photo(photo);
                self.drop_files(ctx, vec![photo]);
            }
            Msg::Train => {
                if let Some(request) = self.state.training_request() {
                    self.state.training = Training::Going(None);
                    ctx.props().ask.emit((request, None));
                }
            }
            Msg::UseOwn => {
                if let Some(head) = &self.state.own {
                    ctx.props().ask.emit((TeachRequest::Use { file: head.file.clone() }, None));
                }
            }
            Msg::UseModels => ctx.props().ask.emit((TeachRequest::UseModels, None)),
            Msg::Import(file) => ctx.props().ask.emit((TeachRequest::Import, Some(file))),
            Msg::Forget => {
                if let Some(model) = &ctx.props().model {
                    stored_head::forget(&model.sha256);
                }
                (self.state.refused, self.state.kept_refused) = (None, false);
                if self.state.in_use {
                    ctx.props().ask.emit((TeachRequest::UseModels, None));
                }
                self.state.own = None;
                self.state.training = Training::None;
            }
            Msg::Reply(reply) => self.on_reply(ctx, reply),
            Msg::Language(text) => self.text = text,
        }
        self.send_next(ctx);
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let link = ctx.link().clone();
        let callbacks = Callbacks { send: Callback::from(move |msg| link.send_message(msg)) };
        let url = |photo: u64| self.files.get(&photo).map(|(_, url)| url.clone());
        view::panel(&self.state, of(self.text.tag), ctx.props().model.is_some(), &callbacks, &url)
    }
}

impl Teach {
    /// A worker that has just become ready: gives it the head that was in use, or that storage kept, and the photos.
    fn restore_after_restart(&mut self, ctx: &Context<Self>) {
        let Some(model) = &ctx.props().model else { return };
        self.taught_on = Some(model.sha256.clone());
        let at_hand = self.state.own.as_ref().map(|head| stored_head::StoredHead {
            file: head.file.clone(),
            in_use: self.state.in_use,
            unsorted: false,
        });
        if let Some(stored_head::StoredHead { file, in_use, unsorted }) =
            at_hand.or_else(|| stored_head::read(&model.sha256))
        {
            self.pending_restore = Some(PendingRestore { quiet: !in_use, unsorted });
            ctx.props().ask.emit((TeachRequest::Use { file }, None));
        }
        self.send_next(ctx);
    }

    fn on_reply(&mut self, ctx: &Context<Self>, reply: TeachReply) {
        let pending_restore = match reply {
            TeachReply::Refused { .. } | TeachReply::OwnClasses { .. } => self.pending_restore.take(),
            _ => None,
        };
        if matches!(reply, TeachReply::Refused { .. }) {
            if pending_restore.is_some_and(|pending_restore| pending_restore.unsorted) {
                // It waits in storage for the model that it is of.
                return;
            }
            self.state.kept_refused = pending_restore.is_some();
        }
        let forgotten = matches!(reply, TeachReply::ModelsClasses) && self.state.own.is_none();
        let anew = self.state.on_reply(reply);
        if pending_restore.is_some_and(|pending_restore| pending_restore.unsorted) {
            stored_head::sorted();
        }
        let quiet = pending_restore.is_some_and(|pending_restore| pending_restore.quiet);
        if anew {
            if let (Some(head), Some(model)) = (&self.state.own, &ctx.props().model)
                && !forgotten
            {
                stored_head::write(&model.sha256, &head.file, self.state.in_use && !quiet);
            }
            if quiet && self.state.in_use {
                // It was only loaded so that the visitor can switch to it.
                ctx.props().ask.emit((TeachRequest::UseModels, None));
                return;
            }
            ctx.props().reclassify.emit(());
        }
    }

    fn add(&mut self, class: u64, file: File) {
        if let Some(photo) = self.state.add_photo(class, file.name()) {
            // Without a URL there is no small picture.
            let url: Rc<str> = Url::create_object_url_with_blob(&file).unwrap_or_default().into();
            self.files.insert(photo, (file, url));
        }
    }

    fn drop_files(&mut self, ctx: &Context<Self>, photos: Vec<u64>) {
        for photo in &photos {
            if let Some((_, url)) = self.files.remove(photo) {
                // Only a malformed URL is refused, and then nothing is held by it.
                Url::revoke_object_url(&url).ok();
            }
        }
        if ctx.props().model.is_some() {
            ctx.props().ask.emit((TeachRequest::Forget { photos }, None));
        }
    }

    fn send_next(&mut self, ctx: &Context<Self>) {
        if ctx.props().model.is_none() {
            return;
        }
        if let Some(photo) = self.state.next_photo()
            && let Some((file, _)) = self.files.get(&photo)
        {
            ctx.props().ask.emit((TeachRequest::ExtractFeatures { photo }, Some(file.clone())));
        }
    }
}

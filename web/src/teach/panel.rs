//! The panel: holds the [`Desk`] and the photos' files, asks the worker, draws.

use super::desk::{Desk, Training};
use super::keep;
use super::text::of;
use super::view::{self, Hands};
use crate::english::ENGLISH;
use crate::intake;
use crate::text::Text;
use protocol::ModelInfo;
use protocol::teach::{TeachReply, TeachRequest};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use web_sys::{File, Url};
use yew::{Callback, Component, Context, ContextHandle, Html, Properties};

/// A request to the worker and the file beside it.
pub type Ask = (TeachRequest, Option<File>);

/// Where the panel listens for the worker's replies.
#[derive(Clone, Default)]
pub struct Replies(Rc<RefCell<Option<Callback<TeachReply>>>>);

impl Replies {
    /// Hands a reply to the panel.
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
    Told(TeachReply),
    Spoken(&'static Text),
}

pub struct Teach {
    desk: Desk,
    files: HashMap<u64, (File, Rc<str>)>,
    text: &'static Text,
    /// A head that storage kept was asked for, and the answer is not here yet.
    fetched: Option<Fetched>,
    /// SHA-256 of the weights of the model that the desk's head is of.
    taught_on: Option<String>,
    _text: Option<ContextHandle<&'static Text>>,
}

/// How a kept head was asked for.
#[derive(Clone, Copy)]
struct Fetched {
    /// It is not to answer yet: the visitor had switched back to the model's classes.
    quiet: bool,
    /// It may be another model's, which is no fault then.
    unsorted: bool,
}

impl Component for Teach {
    type Message = Msg;
    type Properties = TeachProps;

    fn create(ctx: &Context<Self>) -> Self {
        let listener = ctx.link().callback(Msg::Told);
        *ctx.props().replies.0.borrow_mut() = Some(listener);
        let context = ctx.link().context::<&'static Text>(ctx.link().callback(Msg::Spoken));
        let (text, handle) = context.map_or((&ENGLISH, None), |(text, handle)| (text, Some(handle)));
        let mut panel = Self {
            desk: Desk::default(),
            files: HashMap::new(),
            text,
            fetched: None,
            taught_on: None,
            _text: handle,
        };
        panel.greet(ctx);
        panel
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &TeachProps) -> bool {
        let same = match (&ctx.props().model, &old.model) {
            (Some(new), Some(old)) => Rc::ptr_eq(new, old),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.fetched = None;
            match (&ctx.props().model, &self.taught_on) {
                (Some(model), Some(before)) if model.sha256 != *before => self.desk.other_model(),
                _ => self.desk.forgotten(),
            }
            self.greet(ctx);
        }
        true
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::AddClass => drop(self.desk.add_class(String::new())),
            Msg::Rename(class, name) => self.desk.rename(class, name),
            Msg::RemoveClass(class) => {
                let photos = self.desk.remove_class(class);
                self.drop_files(ctx, photos);
            }
            Msg::Photos(class, files) => {
                ctx.props().dropped.emit(());
                files.into_iter().for_each(|file| self.add(class, file));
            }
            Msg::Folders(files) => {
                self.desk.left_out = 0;
                for file in files {
                    let photo = intake::is_photo(&file.name(), &file.type_());
                    match intake::folder_of(&file).filter(|_| photo) {
                        Some(name) => {
                            let class = self.desk.class_named(&name);
                            self.add(class, file);
                        }
                        None => self.desk.left_out += 1,
                    }
                }
            }
            Msg::RemovePhoto(photo) => {
                self.desk.remove_photo(photo);
                self.drop_files(ctx, vec![photo]);
            }
            Msg::Train => {
                if let Some(request) = self.desk.lesson() {
                    self.desk.training = Training::Going(None);
                    ctx.props().ask.emit((request, None));
                }
            }
            Msg::UseOwn => {
                if let Some(head) = &self.desk.own {
                    ctx.props().ask.emit((TeachRequest::Use { file: head.file.clone() }, None));
                }
            }
            Msg::UseModels => ctx.props().ask.emit((TeachRequest::UseModels, None)),
            Msg::Import(file) => ctx.props().ask.emit((TeachRequest::Import, Some(file))),
            Msg::Forget => {
                if let Some(model) = &ctx.props().model {
                    keep::forget(&model.sha256);
                }
                (self.desk.refused, self.desk.kept_refused) = (None, false);
                if self.desk.in_use {
                    ctx.props().ask.emit((TeachRequest::UseModels, None));
                }
                self.desk.own = None;
                self.desk.training = Training::None;
            }
            Msg::Told(reply) => self.told(ctx, reply),
            Msg::Spoken(text) => self.text = text,
        }
        self.send_next(ctx);
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let link = ctx.link().clone();
        let hands = Hands { send: Callback::from(move |msg| link.send_message(msg)) };
        let url = |photo: u64| self.files.get(&photo).map(|(_, url)| url.clone());
        view::panel(&self.desk, of(self.text.tag), ctx.props().model.is_some(), &hands, &url)
    }
}

impl Teach {
    /// A worker that has just become ready: gives it the head that was in use, or that storage kept, and the photos.
    fn greet(&mut self, ctx: &Context<Self>) {
        let Some(model) = &ctx.props().model else { return };
        self.taught_on = Some(model.sha256.clone());
        let at_hand = self.desk.own.as_ref().map(|head| keep::Kept {
            file: head.file.clone(),
            in_use: self.desk.in_use,
            unsorted: false,
        });
        if let Some(keep::Kept { file, in_use, unsorted }) = at_hand.or_else(|| keep::read(&model.sha256)) {
            self.fetched = Some(Fetched { quiet: !in_use, unsorted });
            ctx.props().ask.emit((TeachRequest::Use { file }, None));
        }
        self.send_next(ctx);
    }

    fn told(&mut self, ctx: &Context<Self>, reply: TeachReply) {
        let fetched = match reply {
            TeachReply::Refused { .. } | TeachReply::OwnClasses { .. } => self.fetched.take(),
            _ => None,
        };
        if matches!(reply, TeachReply::Refused { .. }) {
            if fetched.is_some_and(|fetched| fetched.unsorted) {
                // It waits in storage for the model that it is of.
                return;
            }
            self.desk.kept_refused = fetched.is_some();
        }
        let forgotten = matches!(reply, TeachReply::ModelsClasses) && self.desk.own.is_none();
        let anew = self.desk.told(reply);
        if fetched.is_some_and(|fetched| fetched.unsorted) {
            keep::sorted();
        }
        let quiet = fetched.is_some_and(|fetched| fetched.quiet);
        if anew {
            if let (Some(head), Some(model)) = (&self.desk.own, &ctx.props().model)
                && !forgotten
            {
                keep::write(&model.sha256, &head.file, self.desk.in_use && !quiet);
            }
            if quiet && self.desk.in_use {
                // It was only fetched to be at hand.
                ctx.props().ask.emit((TeachRequest::UseModels, None));
                return;
            }
            ctx.props().reclassify.emit(());
        }
    }

    fn add(&mut self, class: u64, file: File) {
        if let Some(photo) = self.desk.add_photo(class, file.name()) {
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
        if let Some(photo) = self.desk.next_photo()
            && let Some((file, _)) = self.files.get(&photo)
        {
            ctx.props().ask.emit((TeachRequest::ExtractFeatures { photo }, Some(file.clone())));
        }
    }
}

//! The panel's state: a visitor's own classes, their photos, and how far training is.

use protocol::fault::{PhotoFault, TeachFault};
use protocol::teach::{OwnHead, TaughtClass, TeachReply, TeachRequest, TrainingReport};

/// A photo to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    pub id: u64,
    pub name: String,
    pub state: PhotoState,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PhotoState {
    Waiting,
    /// The worker has it.
    Looking,
    Seen,
    /// It can't be learnt from, for this reason.
    Failed(PhotoFault),
}

/// A class to learn.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    pub id: u64,
    pub name: String,
    pub photos: Vec<Photo>,
}

impl Class {
    /// Photos that can be learnt from, or soon can be.
    pub fn usable(&self) -> impl Iterator<Item = &Photo> {
        self.photos.iter().filter(|photo| !matches!(photo.state, PhotoState::Failed(_)))
    }
}

/// Where training stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Training {
    None,
    /// The share of photos held out that the last head tried was right about.
    Going(Option<f64>),
    Done(TrainingReport),
    /// It could not be done.
    Failed(TeachFault),
}

/// All that the panel knows.
#[derive(Clone, Debug, PartialEq)]
pub struct TeachState {
    pub classes: Vec<Class>,
    pub training: Training,
    /// The head that was trained or brought last.
    pub own: Option<OwnHead>,
    /// Whether photos are answered with it.
    pub in_use: bool,
    /// What went wrong with a head.
    pub refused: Option<TeachFault>,
    /// The head that was refused is the one that storage keeps for this model.
    pub kept_refused: bool,
    /// Files in the folders picked last that are no photos.
    pub left_out: usize,
    last_id: u64,
}

impl Default for TeachState {
    /// Two classes to fill in.
    fn default() -> Self {
        let mut state = Self {
            classes: Vec::new(),
            training: Training::None,
            own: None,
            in_use: false,
            refused: None,
            kept_refused: false,
            left_out: 0,
            last_id: 0,
        };
        state.add_class(String::new());
        state.add_class(String::new());
        state
    }
}

impl TeachState {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A new class; gives its number.
    pub fn add_class(&mut self, name: String) -> u64 {
        let id = self.next_id();
        self.classes.push(Class { id, name, photos: Vec::new() });
        id
    }

    /// The class of this name: one that is there, an unnamed empty one that takes the name, or a new one.
    pub fn class_named(&mut self, name: &str) -> u64 {
        let free = |class: &Class| class.name.trim().is_empty() && class.photos.is_empty();
        let named = self.classes.iter().position(|class| class.name.trim() == name);
        match named.or_else(|| self.classes.iter().position(free)) {
            Some(at) => {
                self.classes[at].name = name.to_owned();
                self.classes[at].id
            }
            None => self.add_class(name.to_owned()),
        }
    }

    pub fn rename(&mut self, class: u64, name: String) {
        if let Some(class) = self.class(class) {
            class.name = name;
        }
    }

    /// Adds a photo to a class; gives its number.
    pub fn add_photo(&mut self, class: u64, name: String) -> Option<u64> {
        let id = self.next_id();
        self.class(class)?.photos.push(Photo { id, name, state: PhotoState::Waiting });
        Some(id)
    }

    /// Takes a class away; gives its photos' numbers.
    pub fn remove_class(&mut self, class: u64) -> Vec<u64> {
        let Some(at) = self.classes.iter().position(|c| c.id == class) else { return vec![] };
        self.classes.remove(at).photos.into_iter().map(|photo| photo.id).collect()
    }

    pub fn remove_photo(&mut self, photo: u64) {
        for class in &mut self.classes {
            class.photos.retain(|p| p.id != photo);
        }
    }

    /// The photo to send to the worker next, if it has none; from then on it has this one.
    pub fn next_photo(&mut self) -> Option<u64> {
        let mut photos = self.classes.iter_mut().flat_map(|class| &mut class.photos);
        if photos.any(|photo| photo.state == PhotoState::Looking) {
            return None;
        }
        let mut photos = self.classes.iter_mut().flat_map(|class| &mut class.photos);
        let photo = photos.find(|photo| photo.state == PhotoState::Waiting)?;
        photo.state = PhotoState::Looking;
        Some(photo.id)
    }

    /// The worker began anew and knows nothing: every photo has to be looked at again.
    pub fn reset_progress(&mut self) {
        for photo in self.classes.iter_mut().flat_map(|class| &mut class.photos) {
            if matches!(photo.state, PhotoState::Looking | PhotoState::Seen) {
                photo.state = PhotoState::Waiting;
            }
        }
        if matches!(self.training, Training::Going(_)) {
            self.training = Training::None;
        }
    }

    /// Another model answers: what was learnt for the last one is none of its business. Classes and photos stay, so
    /// that it can be taught the same.
    pub fn reset_for_model(&mut self) {
        self.reset_progress();
        self.training = Training::None;
        (self.own, self.in_use) = (None, false);
        (self.refused, self.kept_refused) = (None, false);
    }

    /// How many photos are not looked at yet, of how many.
    pub fn left(&self) -> (usize, usize) {
        let photos = || self.classes.iter().flat_map(Class::usable);
        (photos().filter(|photo| photo.state != PhotoState::Seen).count(), photos().count())
    }

    /// The request that trains a head, if one can be trained: two with photos at least, all named differently, every
    /// photo looked at.
    pub fn training_request(&self) -> Option<TeachRequest> {
        let filled: Vec<&Class> =
            self.classes.iter().filter(|class| class.usable().next().is_some()).collect();
        let mut names: Vec<&str> = filled.iter().map(|class| class.name.trim()).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        let named = names.len() == count && names.iter().all(|name| !name.is_empty());
        let ready = filled.len() > 1 && named && self.left().0 == 0;
        let class = |class: &&Class| TaughtClass {
            name: class.name.trim().to_owned(),
            photos: class.usable().map(|photo| photo.id).collect(),
        };
        (ready && !matches!(self.training, Training::Going(_)))
            .then(|| TeachRequest::Train { classes: filled.iter().map(class).collect() })
    }

    /// Takes in what the worker says. Gives whether photos are to be answered anew, with other classes.
    pub fn on_reply(&mut self, reply: TeachReply) -> bool {
        match reply {
            TeachReply::FeaturesReady { photo } => self.settle(photo, PhotoState::Seen),
            TeachReply::FeaturesFailed { photo, fault } => self.settle(photo, PhotoState::Failed(fault)),
            TeachReply::Tried { accuracy } => self.training = Training::Going(Some(accuracy)),
            TeachReply::Trained { report } => self.training = Training::Done(report),
            TeachReply::TrainingFailed { fault } => self.training = Training::Failed(fault),
            TeachReply::OwnClasses { head } => {
                self.own = Some(head);
                (self.in_use, self.refused, self.kept_refused) = (true, None, false);
                return true;
            }
            TeachReply::ModelsClasses => {
                (self.in_use, self.refused, self.kept_refused) = (false, None, false);
                return true;
            }
            TeachReply::Refused { fault } => self.refused = Some(fault),
        }
        false
    }

    /// The class and the name of a photo.
    pub fn photo(&self, id: u64) -> Option<(&str, &str)> {
        self.classes.iter().find_map(|class| {
            let photo = class.photos.iter().find(|photo| photo.id == id)?;
            Some((class.name.trim(), photo.name.as_str()))
        })
    }

    fn class(&mut self, id: u64) -> Option<&mut Class> {
        self.classes.iter_mut().find(|class| class.id == id)
    }

    fn settle(&mut self, id: u64, state: PhotoState) {
        let mut photos = self.classes.iter_mut().flat_map(|class| &mut class.photos);
        // It may have been removed meanwhile.
        if let Some(photo) = photos.find(|photo| photo.id == id) {
            photo.state = state;
        }
    }
}

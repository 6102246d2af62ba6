//! Conversion of a checkpoint that arrives in pieces, without a file system: each tensor is rounded as soon as its last
//! byte is there, and only the rounded ones are kept.
//!
//! - `file_start`: the bytes that say which tensors follow.
//! - `container`: which of the next bytes are numbers, and of which storage: by `ranges` of the file, or as the members
//!   of a zip archive come (`zip_members`, `zip_records`).
//! - `incoming_tensors`: from storages to rounded tensors.
//! - `piece`: a conversion under way, as it is kept for a later attempt.

mod chunk;
mod container;
mod file_start;
mod incoming_tensors;
mod piece;
mod ranges;
mod streamed_model;
mod zip_members;
mod zip_records;

use crate::CheckpointError;
use crate::dialects::Dialect;
use crate::labels::{self, Labels, Origin};
use crate::network_layout::NetworkLayout;
use crate::note::Note;
use crate::settings::Settings;
use beit::classes::Classes;
use beit::config::Config;
use beit::labels::Label;
use beit::weights::hexadecimal;
use container::Container;
use file_start::{FileStart, Opened};
use incoming_tensors::IncomingTensors;
use piece::{Checksum, Piece};
use sha2::{Digest, Sha256};
use std::mem;
use std::path::PathBuf;
pub use streamed_model::StreamedModel;

/// A conversion that is fed a checkpoint's bytes in order. It makes the same files as `convert` of the same file.
///
/// What it has rounded can be kept in pieces ([`StreamingConversion::save`]), from which another conversion of the same
/// file goes on ([`StreamingConversion::resume`]).
pub struct StreamingConversion {
    /// What messages call the checkpoint.
    path: PathBuf,
    settings: Settings,
    /// The names that were given.
    labels: Option<Vec<Label>>,
    hash: Sha256,
    received: u64,
    stage: Stage,
    kept: Kept,
}

enum Stage {
    Start(FileStart),
    Tensors(Box<Arriving>),
    /// An error ended it.
    Failed,
}

/// A checkpoint whose tensors are known.
struct Arriving {
    container: Container,
    tensors: IncomingTensors,
    dialect: Dialect,
    config: Config,
    notes: Vec<Note>,
    /// `None` until [`StreamingConversion::set_classes`], where no names are built in.
    labels: Option<Labels>,
}

/// How far the conversion can be saved, and what of that is saved already.
struct Kept {
    /// The checksum of the last piece.
    previous: Checksum,
    /// The file's beginning, until it is saved.
    start: Vec<u8>,
    /// The last point at which every byte of use was in a rounded tensor, and the hash up to there.
    position: u64,
    hash: Sha256,
    /// Tensors from before that point that no piece has, by number.
    unsaved: Vec<usize>,
}

impl StreamingConversion {
    /// `file` is the checkpoint's file name, which the manifest tells. `labels` has a name for each row of the head;
    /// without it they are found as [`labels::find`] does without a file.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn new(file: &str, settings: Settings, labels: Option<Vec<Label>>) -> Result<Self, CheckpointError> {
        settings.check()?;
        let kept = Kept {
            previous: piece::fingerprint(file, &settings),
            start: Vec::new(),
            position: 0,
            hash: Sha256::new(),
            unsaved: Vec::new(),
        };
        let stage = Stage::Start(FileStart::default());
        Ok(Self { path: file.into(), settings, labels, hash: Sha256::new(), received: 0, stage, kept })
    }

    /// Goes on from what [`StreamingConversion::save`] gave an earlier conversion, all of it in order: the next byte to
    /// push is number [`StreamingConversion::received_bytes`] of the file.
    ///
    /// # Errors
    /// When a piece is damaged, missing, or of another file name, other settings or another version of this program.
    pub fn resume(
        file: &str,
        settings: Settings,
        pieces: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Self, CheckpointError> {
        let mut conversion = Self::new(file, settings, None)?;
        for piece in pieces {
            conversion.restore(&piece)?;
        }
        conversion.settle_restored().map_err(|reason| conversion.refuse_piece(reason))?;
        Ok(conversion)
    }

    fn refuse_piece(&self, reason: String) -> CheckpointError {
        CheckpointError::Piece { path: self.path.clone(), reason }
    }

    /// Takes what an earlier conversion has saved.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CheckpointError> {
        let refuse = |reason: &str| CheckpointError::Piece { path: self.path.clone(), reason: reason.into() };
        let read = piece::read(bytes, &self.kept.previous);
        let Piece { position, hash, start, tensors } = read.map_err(|reason| refuse(&reason))?;
        let first = matches!(self.stage, Stage::Start(_));
        if first == start.is_empty() || position < self.received || position < start.len() as u64 {
            return Err(refuse("it is damaged"));
        }
        self.push(&start)?;
        let quantization = self.settings.quantization;
        let Stage::Tensors(arriving) = &mut self.stage else {
            return Err(self.refuse_piece("the file's beginning in it is cut short".into()));
        };
        for tensor in tensors {
            let restored = arriving.tensors.restore(tensor, quantization);
            if let Err(reason) = restored {
                return Err(self.refuse_piece(reason));
            }
        }
        self.received = position;
        self.hash = hash;
        self.kept.start = Vec::new();
        self.kept.previous = piece::checksum(bytes);
        Ok(())
    }

    /// Makes ready for the bytes after the restored ones.
    fn settle_restored(&mut self) -> Result<(), String> {
        let Stage::Tensors(arriving) = &mut self.stage else { return Ok(()) };
        arriving.tensors.settle_restored()?;
        let Arriving { container, tensors, .. } = &mut **arriving;
        container.resume(self.received, |storage| tensors.arrived(storage))?;
        self.kept.position = self.received;
        self.kept.hash = self.hash.clone();
        Ok(())
    }

    /// Takes the next bytes, as many as there are.
    ///
    /// # Errors
    /// As soon as the file is seen to be of no use: by its beginning (no checkpoint, another kind of network, labels or
    /// settings that do not fit it) or by a tensor (values that are not finite). Nothing can be pushed after that.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), CheckpointError> {
        while !bytes.is_empty() {
            self.stage = match mem::replace(&mut self.stage, Stage::Failed) {
                Stage::Start(mut start) => {
                    let taken = start.push(bytes).map_err(|reason| self.refuse(reason))?;
                    self.take(&mut bytes, taken);
                    if start.is_whole() { self.open(start)? } else { Stage::Start(start) }
                }
                Stage::Tensors(mut arriving) => {
                    let chunk = arriving.container.next(bytes).map_err(|reason| self.refuse(reason))?;
                    let taken = self.take(&mut bytes, chunk.len);
                    if let Some(storage) = chunk.storage {
                        arriving.tensors.push(storage, taken, &self.path, self.settings.quantization)?;
                    }
                    if arriving.tensors.is_settled() && arriving.container.is_between() {
                        self.kept.position = self.received;
                        self.kept.hash.clone_from(&self.hash);
                        self.kept.unsaved.extend(arriving.tensors.take_recent());
                    }
                    Stage::Tensors(arriving)
                }
                Stage::Failed => return Err(self.refuse("it was refused already".into())),
            };
        }
        Ok(())
    }

    fn refuse(&self, reason: String) -> CheckpointError {
        CheckpointError::format(&self.path, reason)
    }

    /// The first `len` of the bytes that came.
    fn take<'a>(&mut self, bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(len);
        self.hash.update(taken);
        self.received += len as u64;
        *bytes = rest;
        taken
    }

    /// The file's beginning is there: finds out which network the tensors are.
    fn open(&mut self, start: FileStart) -> Result<Stage, CheckpointError> {
        let Opened { start, tensors, class_names, notes, storages, container } =
            start.open().map_err(|reason| self.refuse(reason))?;
        let name = self.settings.name_for(&self.path);
        let NetworkLayout { dialect, mut config, mut notes, parts } =
            NetworkLayout::new(&self.path, &tensors, &notes, &name, |_| Ok(Vec::new()))?;
        notes.extend(self.settings.set_preprocessing(&self.path, &mut config)?);
        let labels = match self.labels.take() {
            Some(labels) => {
                let kinds = labels::imagenet_22k::kinds_over(&labels);
                let classes = Classes { labels, kinds };
                self.check_classes(&classes, &config)?;
                Some(Labels { classes, origin: Origin::File })
            }
            None if labels::must_be_given(config.classes) => None,
            None => Some(labels::find(None, &class_names, config.classes)?),
        };
        let tensors = IncomingTensors::new(config.tensors(), parts, &storages);
        self.kept.start = start;
        Ok(Stage::Tensors(Box::new(Arriving { container, tensors, dialect, config, notes, labels })))
    }

    fn check_classes(&self, classes: &Classes, config: &Config) -> Result<(), CheckpointError> {
        let got = classes.labels.len();
        if got == config.classes {
            return Ok(());
        }
        let expected = format!("{}, one for each row of the head", config.classes);
        Err(CheckpointError::Labels { path: self.path.clone(), expected, got: got.to_string() })
    }

    /// The network's configuration, once the file's beginning is there.
    pub fn config(&self) -> Option<&Config> {
        self.arriving().map(|arriving| &arriving.config)
    }

    /// What was decided or left out of the checkpoint, once the file's beginning is there.
    pub fn notes(&self) -> &[Note] {
        self.arriving().map(|arriving| &arriving.notes[..]).unwrap_or_default()
    }

    /// Bytes of the file that were pushed so far, by earlier conversions too.
    pub fn received_bytes(&self) -> u64 {
        self.received
    }

    /// SHA-256 of those bytes, lower-case hexadecimal.
    pub fn received_sha256(&self) -> String {
        hexadecimal(&self.hash.clone().finalize())
    }

    /// The last point of the file before which every byte of use is in a rounded tensor. Right after a
    /// [`StreamingConversion::save`] it is where a resumed conversion goes on.
    pub fn settled_bytes(&self) -> u64 {
        self.kept.position
    }

    /// Length of the whole file, once the file's beginning is there, if that tells it.
    pub fn file_bytes(&self) -> Option<u64> {
        self.arriving().and_then(|arriving| arriving.container.file_bytes())
    }

    /// About how many bytes the converted model will have, once the file's beginning is there.
    pub fn model_bytes(&self) -> Option<u64> {
        let Arriving { config, labels, .. } = self.arriving()?;
        let tensors = config.tensors();
        let tensors =
            tensors.iter().filter_map(|spec| self.settings.quantization.storage(spec).bytes(spec.values()));
        let names = labels.iter().flat_map(|labels| &labels.classes.labels);
        let names = names.map(|label| (label.wnid.len() + label.en.len() + label.zh.len() + 24) as u64);
        Some(tensors.sum::<u64>() + names.sum::<u64>())
    }

    /// Whether the head has the classes of ImageNet-22k and their names must be given
    /// ([`StreamingConversion::set_classes`]) before the end: they are built in only with the feature `imagenet-22k`.
    pub fn wants_imagenet_22k(&self) -> bool {
        self.arriving().is_some_and(|arriving| arriving.labels.is_none())
    }

    /// Names the head's classes, such as with what [`labels::imagenet_22k::parse`] has read. Does nothing before the
    /// file's beginning is there.
    pub fn set_classes(&mut self, classes: Classes) {
        if let Stage::Tensors(arriving) = &mut self.stage {
            arriving.labels = Some(Labels { classes, origin: Origin::Imagenet22k });
        }
    }

    fn arriving(&self) -> Option<&Arriving> {
        match &self.stage {
            Stage::Tensors(arriving) => Some(arriving),
            Stage::Start(_) | Stage::Failed => None,
        }
    }

    /// Bytes of rounded tensors that [`StreamingConversion::save`] would give now.
    pub fn unsaved_bytes(&self) -> u64 {
        let Some(arriving) = self.arriving() else { return 0 };
        let stored = self.kept.unsaved.iter().filter_map(|&number| arriving.tensors.stored(number));
        stored.map(|tensor| tensor.bytes().len() as u64).sum()
    }

    /// The rounded tensors that no piece has yet, and what another conversion needs to go on after them; `None` if
    /// there are none. Tensors that share their bytes in the file with one that waits for more wait with it.
    pub fn save(&mut self) -> Option<Vec<u8>> {
        let Stage::Tensors(arriving) = &self.stage else { return None };
        if self.kept.unsaved.is_empty() {
            return None;
        }
        let stored = |number| {
            let tensor = arriving.tensors.stored(number)?;
            Some((number, tensor.storage(), tensor.bytes()))
        };
        let Kept { previous, start, position, hash, unsaved } = &mut self.kept;
        let tensors: Vec<_> = mem::take(unsaved).into_iter().filter_map(stored).collect();
        let piece = piece::write(previous, *position, hash, &mem::take(start), &tensors);
        *previous = piece::checksum(&piece);
        Some(piece)
    }

    /// Checks that all of the file came, and that it is the one that is meant where `sha256` (lower-case hexadecimal)
    /// says which one that is. Until then nothing is handed out.
    ///
    /// # Errors
    /// When bytes are missing or others than expected, or classes have no names.
    pub fn finish(self, sha256: Option<&str>) -> Result<StreamedModel, CheckpointError> {
        let file_bytes = self.file_bytes();
        let cut_short = || {
            let all = file_bytes.map(|all| format!(" of {all}")).unwrap_or_default();
            format!("it ends after {}{all} bytes: fetch it again", self.received)
        };
        let arriving = match &self.stage {
            Stage::Tensors(arriving) => arriving,
            Stage::Start(start) => return Err(self.refuse(start.describe().unwrap_or_else(cut_short))),
            Stage::Failed => return Err(self.refuse("it was refused already".into())),
        };
        if !arriving.container.is_whole() {
            return Err(self.refuse(cut_short()));
        }
        if let Some(missing) = arriving.tensors.missing() {
            return Err(self.refuse(format!("the numbers of {missing:.120} are not in it")));
        }
        match &arriving.labels {
            Some(labels) => self.check_classes(&labels.classes, &arriving.config)?,
            None => {
                self.check_classes(&Classes { labels: Vec::new(), kinds: Vec::new() }, &arriving.config)?
            }
        }
        let Self { path, settings, hash, stage: Stage::Tensors(arriving), .. } = self else {
            unreachable!("looked at above");
        };
        let got = hexadecimal(&hash.finalize());
        if let Some(expected) = sha256.filter(|expected| *expected != got) {
            return Err(CheckpointError::Hash { path, expected: expected.to_owned(), got });
        }
        let Arriving { tensors, dialect, config, mut notes, labels, .. } = *arriving;
        notes.extend(tensors.keeps_head(settings.quantization).then_some(Note::HeadKept));
        let Some(labels) = labels else { unreachable!("looked at above") };
        let (tensors, peak_bytes) = tensors.finish();
        Ok(StreamedModel { path, settings, sha256: got, tensors, dialect, config, notes, labels, peak_bytes })
    }
}

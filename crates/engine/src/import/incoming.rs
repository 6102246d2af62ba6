//! A checkpoint's bytes on their way into the conversion, and what of it is kept meanwhile.

use super::class_names;
use super::fault::{of_checkpoint, of_storage};
use super::pieces::Pieces;
use super::report::Report;
use crate::checksum::{PIECE, pieces};
use crate::platform::{Bytes, Clock, Platform};
use crate::store::Store;
use beit::weights::hexadecimal;
use checkpoint::streaming::StreamedModel;
use checkpoint::{Settings, StreamingConversion};
use protocol::import::{ImportFault, ImportOffer, ImportPhase};
use sha2::{Digest, Sha256};

/// So many quantised bytes are kept at a time: what the end of the worker loses at most.
const MOST_UNSAVED: u64 = 16 << 20;
/// Over a slow connection less is kept, after so many milliseconds.
const SAVE_AFTER_MS: f64 = 20_000.0;
/// A model is kept in about so many pieces at least, so that small ones can be gone on with, too.
const FEWEST_PIECES: u64 = 16;

/// A conversion, its pieces in storage, and the report to the page.
pub struct Incoming<'a, P: Platform> {
    platform: &'a P,
    offer: &'a ImportOffer,
    settings: Settings,
    conversion: StreamingConversion,
    pieces: Pieces<'a, P>,
    /// Bytes that come once more: they are compared, not converted.
    repeated: Option<Repeated>,
    /// When something was kept.
    saved: f64,
    /// The names of the classes were looked after.
    named: bool,
    report: Report<'a, P>,
    scratch: Vec<u8>,
}

/// The hash of bytes that were converted before, and how many of them are still to come.
struct Repeated {
    hash: Sha256,
    left: u64,
}

/// Why bytes were not taken.
#[derive(Debug)]
pub enum Refusal {
    /// They are not those of the file of which the beginning was converted.
    Changed,
    Fault(ImportFault),
}

impl From<ImportFault> for Refusal {
    fn from(fault: ImportFault) -> Self {
        Self::Fault(fault)
    }
}

impl<'a, P: Platform> Incoming<'a, P> {
    /// Goes on from the pieces in storage, as far as they are of use.
    pub async fn open(
        platform: &'a P,
        store: &'a Store<'a, P>,
        offer: &'a ImportOffer,
        settings: Settings,
    ) -> Result<Self, ImportFault> {
        let mut pieces = Pieces::open(store, platform, offer).await;
        let kept = pieces.read().await;
        let mut lengths: Vec<u64> = kept.iter().map(Bytes::length).collect();
        // Each is copied into the program's memory when its turn comes.
        let in_turn = kept.into_iter().map(|piece| {
            let bytes = piece.to_vec();
            piece.free();
            bytes
        });
        let conversion = match StreamingConversion::resume(&offer.file, settings.clone(), in_turn) {
            Ok(conversion) => conversion,
            Err(error) => {
                platform.warn(&format!("the import begins anew: {error}"));
                lengths.clear();
                new_conversion(offer, &settings)?
            }
        };
        let received = conversion.received_bytes();
        pieces
            .begin(offer, &lengths, received)
            .await
            .map_err(|error| of_storage(&error, offer.kept_bytes))?;
        let report = Report::new(platform, offer.download_bytes, received);
        let scratch = Vec::new();
        Ok(Self {
            platform,
            offer,
            settings,
            conversion,
            pieces,
            repeated: None,
            saved: platform.clock().now(),
            named: false,
            report,
            scratch,
        })
    }

    /// Bytes of the checkpoint that are converted.
    pub fn converted(&self) -> u64 {
        self.conversion.received_bytes()
    }

    /// The checkpoint's length.
    pub fn total(&self) -> u64 {
        self.conversion.file_bytes().unwrap_or(self.offer.download_bytes)
    }

    pub fn is_complete(&self) -> bool {
        self.converted() >= self.total()
    }

    pub fn pieces(&mut self) -> &mut Pieces<'a, P> {
        &mut self.pieces
    }

    /// The bytes that come from now on begin at `from` of the file: where the conversion is, or at its beginning.
    pub fn begin_at(&mut self, from: u64) {
        let left = self.converted() - from;
        self.repeated = (left > 0).then(|| Repeated { hash: Sha256::new(), left });
    }

    /// Takes the next bytes.
    pub async fn push(&mut self, bytes: P::Bytes) -> Result<(), Refusal> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.resize(bytes.length().min(PIECE) as usize, 0);
        for (at, length) in pieces(bytes.length()) {
            let piece = &mut scratch[..length];
            bytes.copy_to(at, piece);
            self.take(piece).await?;
        }
        bytes.free();
        self.scratch = scratch;
        Ok(())
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let bytes = self.compare(bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.conversion.push(bytes).map_err(|error| of_checkpoint(error, &self.offer.host))?;
        self.name_classes().await?;
        self.report.received(self.converted());
        let is_due = self.platform.clock().now() - self.saved >= SAVE_AFTER_MS;
        if is_due
            || self.conversion.unsaved_bytes() >= MOST_UNSAVED.min(self.offer.kept_bytes / FEWEST_PIECES)
        {
            self.save().await?;
        }
        Ok(())
    }

    /// Compares what comes once more with what was converted. Gives the bytes after that.
    fn compare<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Refusal> {
        let Some(Repeated { hash, left }) = &mut self.repeated else { return Ok(bytes) };
        let (repeated, rest) = bytes.split_at(bytes.len().min(*left as usize));
        hash.update(repeated);
        *left -= repeated.len() as u64;
        if *left > 0 {
            let came = self.conversion.received_bytes() - *left;
            self.report.received(came);
            return Ok(rest);
        }
        let same = hexadecimal(&hash.finalize_reset()) == self.conversion.received_sha256();
        self.repeated = None;
        if same { Ok(rest) } else { Err(Refusal::Changed) }
    }

    /// Once the checkpoint's beginning is there: names for the classes of ImageNet-22k, where it has those.
    async fn name_classes(&mut self) -> Result<(), ImportFault> {
        if self.named || self.conversion.config().is_none() {
            return Ok(());
        }
        if self.conversion.wants_imagenet_22k() {
            self.conversion.set_classes(class_names::imagenet_22k(self.platform).await?);
        }
        self.named = true;
        Ok(())
    }

    /// Keeps what is quantised and in no piece yet.
    pub async fn save(&mut self) -> Result<(), ImportFault> {
        self.saved = self.platform.clock().now();
        let Some(piece) = self.conversion.save() else { return Ok(()) };
        let position = self.conversion.settled_bytes();
        let kept = self.pieces.keep(&piece, position).await;
        kept.map_err(|error| of_storage(&error, self.offer.kept_bytes.saturating_sub(self.pieces.bytes())))
    }

    /// Forgets what was converted: it is of another file.
    pub async fn start_anew(&mut self) -> Result<(), ImportFault> {
        self.pieces.set_etag(None);
        self.pieces.remove_all().await.map_err(|error| of_storage(&error, self.offer.kept_bytes))?;
        self.conversion = new_conversion(self.offer, &self.settings)?;
        self.repeated = None;
        self.named = false;
        self.report.received(0);
        self.restarted();
        Ok(())
    }

    /// Everything comes once more.
    pub fn restarted(&mut self) {
        self.report.restarted();
    }

    pub fn reconnecting(&mut self) {
        self.report.phase(ImportPhase::Reconnecting);
    }

    /// Every byte came: checks that they are those that the hub has hashed.
    pub async fn finish(mut self) -> Result<(StreamedModel, Pieces<'a, P>, Report<'a, P>), ImportFault> {
        // Where all of it was in pieces.
        self.name_classes().await?;
        let Self { conversion, mut pieces, report, offer, .. } = self;
        match conversion.finish(offer.sha256.as_deref()) {
            Ok(model) => Ok((model, pieces, report)),
            Err(error) => {
                pieces.remove_all().await.ok();
                Err(of_checkpoint(error, &offer.host))
            }
        }
    }
}

fn new_conversion(offer: &ImportOffer, settings: &Settings) -> Result<StreamingConversion, ImportFault> {
    let conversion = StreamingConversion::new(&offer.file, settings.clone(), None);
    conversion.map_err(|error| of_checkpoint(error, &offer.host))
}

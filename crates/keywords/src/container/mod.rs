//! XMP within photos.

mod error;
mod jpeg;
mod mpf;
mod png;
mod webp;

pub use error::EmbedError;

use crate::splice::Splice;
use crate::xmp::{Shell, merge};
use crate::{Change, Keywords};
use std::borrow::Cow;

/// The formats that keywords are written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Container {
    Jpeg,
    Png,
    WebP,
}

impl Container {
    /// By a file's first bytes. `None` for any other format: its keywords go into a sidecar.
    pub fn of(file: &[u8]) -> Option<Self> {
        match file {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            _ if file.starts_with(png::SIGNATURE) => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }
}

/// A container that was read.
trait Holder {
    /// The XMP that it holds.
    fn packet(&self) -> Result<Option<Cow<'_, [u8]>>, EmbedError>;

    /// What puts XMP in the place of that which is there, or where XMP belongs. `shortest` is the same, for where there
    /// is too little room for `packet`.
    fn put(&self, packet: &[u8], shortest: &[u8]) -> Result<Vec<Splice>, EmbedError>;
}

fn read(photo: &[u8]) -> Result<Box<dyn Holder + '_>, EmbedError> {
    Ok(match Container::of(photo).ok_or(EmbedError::Format)? {
        Container::Jpeg => Box::new(jpeg::Jpeg::read(photo)?),
        Container::Png => Box::new(png::Png::read(photo)?),
        Container::WebP => Box::new(webp::WebP::read(photo)?),
    })
}

/// How a photo changes so that it has these keywords. `None` if it does not change. Only XMP changes, and lengths and
/// flags of the container that tell of it.
///
/// # Errors
/// When the photo is of another format, is cut short or damaged, or can't take them without harm.
pub fn embed(photo: &[u8], wanted: &Keywords) -> Result<Option<Change>, EmbedError> {
    let holder = read(photo)?;
    let existing = holder.packet()?;
    let Some(merged) = merge(existing.as_deref(), wanted, Shell::Packet)? else { return Ok(None) };
    let splices = holder.put(&merged.bytes, &merged.shortest)?;
    Ok(Some(Change { splices, added: merged.added, removed: merged.removed }))
}

/// The XMP that a photo holds; that of a compressed PNG chunk is unpacked.
///
/// # Errors
/// When the photo is of another format, or is cut short or damaged.
pub fn packet(photo: &[u8]) -> Result<Option<Vec<u8>>, EmbedError> {
    Ok(read(photo)?.packet()?.map(Cow::into_owned))
}

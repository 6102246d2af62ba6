//! XMP: keywords merged into a packet, or into a sidecar's text.
//!
//! ```text
//! bytes ──▶ encoding ──▶ text ──▶ document: where the keywords stand ──▶ edit ──▶ packet: padding ──▶ bytes
//! ```

mod attributes;
mod document;
mod edit;
mod encoding;
mod error;
mod merge;
mod packet;
mod property;

pub use error::XmpError;
pub(crate) use merge::merge;
pub use merge::{Listed, listed};
pub(crate) use packet::Shell;

/// The namespace of the properties `AddedSubject` and `AddedHierarchicalSubject`: keywords that were added by this
/// crate to `dc:subject` and to `lr:hierarchicalSubject`.
pub const OWN: &str = "urn:beitscope:keywords:1.0/";

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const DC: &str = "http://purl.org/dc/elements/1.1/";
const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0/";

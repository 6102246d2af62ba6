//! How a photo's keywords are written, as a WebAssembly module without imports, so that the page fetches it only when
//! somebody wants keywords. `web/keyword-writer.js` runs it in a worker:
//!
//! 1. `allocate(length)` gives the address for bytes, once for each of request, photo and sidecar.
//! 2. `reply(request, length, photo, length, sidecar, length)` gives the address of an outcome: the address and the
//!    length of a [`WriterReply`](protocol::keywords::WriterReply) in JSON. A sidecar at address 0 is none.
//!
//! The module is made anew for each photo: nothing is ever given back. What it does is in [`reply_to`], which runs and is
//! tested natively too.

#![warn(missing_docs)]

#[cfg(target_arch = "wasm32")]
mod exports;
mod plan;
mod reasons;

use keywords::Vocabulary;
use protocol::keywords::{WriterReply, WriterRequest};
use reasons::vocabulary_fault;
use sha2::{Digest, Sha256};

/// What the module answers to a request in JSON, with the bytes of a file and of its sidecar if it has one.
pub fn reply_to(request: &[u8], file: &[u8], sidecar: Option<&[u8]>) -> WriterReply {
    match serde_json::from_slice(request) {
        Ok(WriterRequest::Plan { classes, kind, threshold, language, vocabulary }) => {
            let vocabulary = match Vocabulary::parse(&vocabulary) {
                Ok(vocabulary) => vocabulary,
                Err(error) => return WriterReply::NoVocabulary { fault: vocabulary_fault(error) },
            };
            let wanted = plan::wanted(&classes, kind.as_ref(), threshold, language, vocabulary);
            WriterReply::Planned { sha256: sha256(file), outcome: plan::plan(file, sidecar, &wanted) }
        }
        Ok(WriterRequest::ReadVocabulary { text }) => match Vocabulary::parse(&text) {
            Ok(vocabulary) => {
                WriterReply::Vocabulary { classes: vocabulary.classes().map(str::to_owned).collect() }
            }
            Err(error) => WriterReply::NoVocabulary { fault: vocabulary_fault(error) },
        },
        Ok(WriterRequest::Hash) => WriterReply::Hashed { sha256: sha256(file) },
        Err(error) => WriterReply::Misunderstood { reason: error.to_string() },
    }
}

/// Lower-case hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

//! Programs that decode photos, as tests write them.

use super::FakeBytes;
use beit::decode::{DecodeError, Foreign, Format, Rgb};
use engine::platform::Codecs;

/// Where the program for HEIC lies.
pub const HEIC: &str = "https://site.example/codecs/heic.wasm";
/// A program that works.
pub const PROGRAM: &[u8] = b"a decoder";

/// A HEIC photo; one that is damaged has [`DAMAGED`] for its last byte, one of a rare kind [`VARIANT`].
pub fn heic(last: u8) -> Vec<u8> {
    [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".as_slice(), &[last]].concat()
}
pub const FINE: u8 = 0;
pub const DAMAGED: u8 = 1;
pub const VARIANT: u8 = 2;

#[derive(Default)]
pub struct FakeCodecs;

impl Codecs for FakeCodecs {
    type Bytes = FakeBytes;
    type Program = ();

    fn address(&self, format: Foreign) -> Option<String> {
        (format == Foreign::Heic).then(|| HEIC.into())
    }

    async fn compile(&self, program: FakeBytes) -> Result<(), String> {
        if program.0 == PROGRAM { Ok(()) } else { Err("not a program".into()) }
    }

    async fn decode(&self, (): &(), _: Foreign, photo: &FakeBytes) -> Result<Rgb, DecodeError> {
        match photo.0.last() {
            Some(&DAMAGED) => Err(DecodeError::corrupt(Format::Heic, "so the test says")),
            Some(&VARIANT) => Err(DecodeError::variant(Format::Heic, "so the test says")),
            _ => Ok(Rgb { width: 8, height: 8, pixels: vec![99; 8 * 8 * 3] }),
        }
    }
}

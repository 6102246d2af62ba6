//! A photo format's decoder as a WebAssembly module without imports, so that the page fetches it only when a photo of
//! that format comes. `crates/worker/src/codecs.rs` runs it:
//!
//! 1. `allocate(length)` gives the address for the file's bytes.
//! 2. `decode(address, length)` gives the address of an [`Outcome`].
//!
//! The module is made anew for each photo: nothing is ever given back.
#![cfg(target_arch = "wasm32")]

use std::mem::ManuallyDrop;

use beit::decode::{DecodeError, Foreign, Rgb};

#[cfg(feature = "heic")]
const FORMAT: Foreign = Foreign::Heic;
#[cfg(feature = "jpeg-xl")]
const FORMAT: Foreign = Foreign::JpegXl;
#[cfg(feature = "jpeg-2000")]
const FORMAT: Foreign = Foreign::Jpeg2000;

/// A picture, or with a width of 0 the JSON of a [`DecodeError`].
#[repr(C)]
pub struct Outcome {
    width: u32,
    height: u32,
    /// Address and length of the pixels (RGB, three bytes each, row by row) or of the JSON.
    data: *const u8,
    length: usize,
}

/// Memory for the file.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    ManuallyDrop::new(vec![0; length]).as_mut_ptr()
}

/// Decodes the file of `length` bytes at `file`.
///
/// # Safety
/// `file` comes from [`allocate`] with the same `length`, and is given only once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn decode(file: *mut u8, length: usize) -> *const Outcome {
    // SAFETY: `allocate` made a vector of that length and capacity there, which nobody else has.
    let file = unsafe { Vec::from_raw_parts(file, length, length) };
    let outcome = match codecs::decode(FORMAT, &file) {
        Ok(picture) => {
            let Rgb { width, height, pixels } = picture.rgb;
            outcome(width, height, pixels)
        }
        Err(error) => refusal(&error),
    };
    Box::into_raw(Box::new(outcome))
}

fn outcome(width: u32, height: u32, data: Vec<u8>) -> Outcome {
    let data = ManuallyDrop::new(data);
    Outcome { width, height, data: data.as_ptr(), length: data.len() }
}

fn refusal(error: &DecodeError) -> Outcome {
    // It has nothing in it that JSON can't say.
    outcome(0, 0, serde_json::to_vec(error).unwrap_or_default())
}

//! The tables of character sets as a WebAssembly module without imports, so that the page fetches them only when an
//! archive's names are neither ASCII nor UTF-8. `web/src/archive_names.rs` runs it:
//!
//! 1. `allocate(length)` gives the address for a question, as `archive::names::question` makes it.
//! 2. `decode(address, length)` gives the address of an [`Answer`].
//!
//! The module is made anew for each archive: nothing is ever given back.
#![cfg(target_arch = "wasm32")]

use std::mem::ManuallyDrop;

/// Address and length of what `archive::names::answers` reads; both are 0 where the question was none.
#[repr(C)]
pub struct Answer {
    data: *const u8,
    length: usize,
}

/// Memory for the question.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    ManuallyDrop::new(vec![0; length]).as_mut_ptr()
}

/// Answers the question of `length` bytes at `question`.
///
/// # Safety
/// `question` comes from [`allocate`] with the same `length`, and is given only once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn decode(question: *mut u8, length: usize) -> *const Answer {
    // SAFETY: `allocate` made a vector of that length and capacity there, which nobody else has.
    let question = unsafe { Vec::from_raw_parts(question, length, length) };
    let answer = match archive::names::answer(&question) {
        Some(answer) => {
            let answer = ManuallyDrop::new(answer);
            Answer { data: answer.as_ptr(), length: answer.len() }
        }
        None => Answer { data: std::ptr::null(), length: 0 },
    };
    Box::into_raw(Box::new(answer))
}

//! rten for the benchmark's page: one model of one input and one output, through exports that take addresses in this
//! module's memory. Each function that can fail returns 1, or 0 with the reason in [`text`].

use rten::{Model, Value};
use rten_tensor::prelude::*;
use rten_tensor::Tensor;
use std::cell::RefCell;

/// What the page may ask for after a call.
#[derive(Default)]
struct State {
    model: Option<Model>,
    output: Vec<f32>,
    text: String,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// The address of `bytes` bytes that the page fills and then hands to [`load`] or [`run`].
#[unsafe(no_mangle)]
pub extern "C" fn allocate(bytes: usize) -> *mut u8 {
    Box::leak(vec![0_u8; bytes].into_boxed_slice()).as_mut_ptr()
}

/// Reads the ONNX model that lies at an address from [`allocate`], which is this module's again.
///
/// # Safety
///
/// `start` and `bytes` are those of one call of [`allocate`] and are used once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn load(start: *mut u8, bytes: usize) -> u32 {
    // SAFETY: the caller's promise; a vector of this length and capacity was leaked there.
    let data = unsafe { Vec::from_raw_parts(start, bytes, bytes) };
    STATE.with_borrow_mut(|state| match Model::load(data) {
        Ok(model) => {
            state.model = Some(model);
            1
        }
        Err(error) => {
            state.text = error.to_string();
            0
        }
    })
}

/// Classifies `[1, 3, side, side]` values in F32 that lie at an address from [`allocate`], which is this module's again.
///
/// # Safety
///
/// `start` is the result of `allocate(3 * side * side * 4)` and is used once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn run(start: *mut u8, side: usize) -> u32 {
    let bytes = 3 * side * side * 4;
    // SAFETY: the caller's promise; a vector of this length and capacity was leaked there.
    let pixels = unsafe { Vec::from_raw_parts(start, bytes, bytes) };
    let pixels = pixels.chunks_exact(4).map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]));
    let pixels = Tensor::from_data(&[1, 3, side, side], pixels.collect::<Vec<_>>());
    STATE.with_borrow_mut(|state| {
        let Some(model) = &state.model else {
            state.text = "no model has been loaded".into();
            return 0;
        };
        match model.run_one(Value::from(pixels).into(), None) {
            Ok(Value::FloatTensor(logits)) => {
                state.output = logits.to_vec();
                1
            }
            Ok(_) => {
                state.text = "the output is not in F32".into();
                0
            }
            Err(error) => {
                state.text = error.to_string();
                0
            }
        }
    })
}

/// The address of the last logits.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const f32 {
    STATE.with_borrow(|state| state.output.as_ptr())
}

/// How many logits there are.
#[unsafe(no_mangle)]
pub extern "C" fn outputs() -> usize {
    STATE.with_borrow(|state| state.output.len())
}

/// The address of the last reason, in UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn text() -> *const u8 {
    STATE.with_borrow(|state| state.text.as_ptr())
}

/// The reason's bytes.
#[unsafe(no_mangle)]
pub extern "C" fn text_bytes() -> usize {
    STATE.with_borrow(|state| state.text.len())
}

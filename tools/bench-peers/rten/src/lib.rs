//! rten for the benchmark's page: one model of one input and one output, through exports and addresses in this module's
//! memory. Each function that can fail returns 1, or 0 with the reason in [`text`].

use rten::{Model, Value};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;
use std::cell::RefCell;
use std::mem;

/// What the page may ask for after a call.
#[derive(Default)]
struct State {
    model: Option<Model>,
    input: Vec<u8>,
    output: Vec<f32>,
    text: String,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// The address of `bytes` bytes that the page fills and that the next [`load`] or [`run`] takes.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(bytes: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        state.input = vec![0; bytes];
        state.input.as_mut_ptr()
    })
}

/// Reads the ONNX model in [`allocate`]'s bytes.
#[unsafe(no_mangle)]
pub extern "C" fn load() -> u32 {
    STATE.with_borrow_mut(|state| match Model::load(mem::take(&mut state.input)) {
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

/// Classifies the `[1, 3, side, side]` values in F32 in [`allocate`]'s bytes.
#[unsafe(no_mangle)]
pub extern "C" fn run(side: usize) -> u32 {
    STATE.with_borrow_mut(|state| {
        let bytes = mem::take(&mut state.input);
        let (values, _) = bytes.as_chunks::<4>();
        let pixels: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        if pixels.len() != 3 * side * side {
            state.text = format!("{} values instead of 3 x {side} x {side}", pixels.len());
            return 0;
        }
        let pixels = Tensor::from_data(&[1, 3, side, side], pixels);
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

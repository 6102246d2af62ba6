//! Programs that decode photos, as WebAssembly modules: `crates/codec-module` documents what they export.

use crate::bytes::JsBytes;
use crate::network::js_error_message;
use crate::worker_scope;
use beit::decode::{DecodeError, Foreign, Rgb};
use engine::platform::Codecs;
use js_sys::WebAssembly::{self, Instance, Memory, Module};
use js_sys::{Function, Object, Reflect, Uint8Array, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

#[derive(Default)]
pub struct BrowserCodecs;

impl Codecs for BrowserCodecs {
    type Bytes = JsBytes;
    type Program = Module;

    fn address(&self, format: Foreign) -> Option<String> {
        let name = match format {
            Foreign::Heic => "heic",
            Foreign::JpegXl => "jpeg-xl",
            Foreign::Jpeg2000 => "jpeg-2000",
            _ => return None,
        };
        worker_scope::site_address(&format!("codecs/{name}.wasm"))
    }

    async fn compile(&self, program: JsBytes) -> Result<Module, String> {
        let module = JsFuture::from(WebAssembly::compile(&program.0)).await.map_err(js_error_message)?;
        module.dyn_into().map_err(js_error_message)
    }

    /// Each photo gets memory of its own, which the browser takes back: a WebAssembly memory never shrinks.
    async fn decode(&self, program: &Module, format: Foreign, photo: &JsBytes) -> Result<Rgb, DecodeError> {
        match run(program, &photo.0).await {
            Ok(Ok(rgb)) => Ok(rgb),
            Ok(Err(json)) => {
                Err(serde_json::from_str(&json).unwrap_or_else(|error| of_program(format, error.to_string())))
            }
            Err(error) => Err(of_program(format, js_error_message(error))),
        }
    }
}

/// A program that ended in the middle of its work, most likely for lack of memory.
fn of_program(format: Foreign, detail: String) -> DecodeError {
    match format.decoded() {
        Some(format) => DecodeError::variant(format, detail),
        None => DecodeError::UnsupportedFormat { format },
    }
}

/// The picture, or the program's error as JSON.
async fn run(program: &Module, photo: &Uint8Array) -> Result<Result<Rgb, String>, JsValue> {
    let instance = JsFuture::from(WebAssembly::instantiate_module(program, &Object::new())).await?;
    let exports = instance.dyn_into::<Instance>()?.exports();
    let function = |name: &str| Reflect::get(&exports, &name.into())?.dyn_into::<Function>();
    let memory: Memory = Reflect::get(&exports, &"memory".into())?.dyn_into()?;
    let bytes =
        |at: u32, length: u32| Uint8Array::new_with_byte_offset_and_length(&memory.buffer(), at, length);

    let length = photo.length();
    let at = address(&function("allocate")?.call1(&JsValue::NULL, &length.into())?)?;
    bytes(at, length).set(photo, 0);
    let outcome = address(&function("decode")?.call2(&JsValue::NULL, &at.into(), &length.into())?)?;
    // Memory may have grown meanwhile: its buffer is another one then.
    let words = Uint32Array::new_with_byte_offset_and_length(&memory.buffer(), outcome, 4);
    let (width, height) = (words.get_index(0), words.get_index(1));
    let data = bytes(words.get_index(2), words.get_index(3));
    if width == 0 {
        return Ok(Err(String::from_utf8_lossy(&data.to_vec()).into_owned()));
    }
    let mut pixels = Vec::new();
    if pixels.try_reserve_exact(data.length() as usize).is_err() {
        let error = DecodeError::OutOfMemory { width, height };
        return Ok(Err(serde_json::to_string(&error).unwrap_or_default()));
    }
    pixels.resize(data.length() as usize, 0);
    data.copy_to(&mut pixels);
    Ok(Ok(Rgb { width, height, pixels }))
}

/// A place in the program's memory.
fn address(value: &JsValue) -> Result<u32, JsValue> {
    // Signed in WebAssembly.
    value.as_f64().map(|number| number as i64 as u32).ok_or_else(|| JsValue::from_str("no address"))
}

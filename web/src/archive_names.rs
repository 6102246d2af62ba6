//! Names in archives: most are ASCII or UTF-8; for all others the tables of character sets are fetched
//! (`crates/archive-names` documents the module).

use crate::fetch;
use archive::names::{SingleByte, answers, plain, question};
use js_sys::WebAssembly::{self, Instance, Memory};
use js_sys::{Function, Object, Reflect, Uint8Array, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Relative to the page.
const MODULE: &str = "codecs/archive-names.wasm";
/// Longer than it is, in bytes.
const LONGEST: u64 = 4 << 20;

/// The names of an archive, as many and in the same order. Where the tables can't be had, letters are replaced that can't
/// be read without: a photo with an odd name is better than none.
pub async fn decode(names: &[&[u8]], rest: SingleByte) -> Vec<String> {
    if let Some(names) = plain(names) {
        return names;
    }
    let decoded = ask(&question(names, rest)).await;
    match decoded.ok().flatten().filter(|decoded| decoded.len() == names.len()) {
        Some(decoded) => decoded,
        None => names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
    }
}

/// The module's answer, which has memory of its own: a WebAssembly memory never shrinks.
async fn ask(question: &[u8]) -> Result<Option<Vec<String>>, JsValue> {
    let module = fetch::blob(MODULE, LONGEST).await.map_err(|_| JsValue::UNDEFINED)?;
    let module = JsFuture::from(module.array_buffer()).await?;
    let made =
        JsFuture::from(WebAssembly::instantiate_buffer(&Uint8Array::new(&module).to_vec(), &Object::new()));
    let instance: Instance = Reflect::get(&made.await?, &"instance".into())?.dyn_into()?;
    let exports = instance.exports();
    let function = |name: &str| Reflect::get(&exports, &name.into())?.dyn_into::<Function>();
    let memory: Memory = Reflect::get(&exports, &"memory".into())?.dyn_into()?;
    let bytes =
        |at: u32, length: u32| Uint8Array::new_with_byte_offset_and_length(&memory.buffer(), at, length);

    let length = u32::try_from(question.len()).map_err(|_| JsValue::UNDEFINED)?;
    let at = address(&function("allocate")?.call1(&JsValue::NULL, &length.into())?)?;
    bytes(at, length).copy_from(question);
    let answer = address(&function("decode")?.call2(&JsValue::NULL, &at.into(), &length.into())?)?;
    // Memory may have grown meanwhile: its buffer is another one then.
    let words = Uint32Array::new_with_byte_offset_and_length(&memory.buffer(), answer, 2);
    Ok(answers(&bytes(words.get_index(0), words.get_index(1)).to_vec()))
}

/// A place in the module's memory.
fn address(value: &JsValue) -> Result<u32, JsValue> {
    // Signed in WebAssembly.
    value.as_f64().map(|number| number as i64 as u32).ok_or(JsValue::UNDEFINED)
}

//! Asynchronous compilation by a browser, off the thread that draws the page.
//!
//! `wgpu` makes pipelines by `createComputePipeline` alone: the browser's GPU process then compiles on the thread that
//! also draws the page. `createComputePipelineAsync` compiles on another one. Its result is no `wgpu` pipeline, but
//! while it is alive Chromium gives an equal one at once. So it is made first, awaited and held until `wgpu` has made
//! its own. A browser that shares nothing between equal pipelines compiles a second time, still before any photo.

use crate::kernel::Kernel;
use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wgpu::BufferBindingType;

/// `GPUShaderStage.COMPUTE`
const COMPUTE: u32 = 4;

#[wasm_bindgen]
extern "C" {
    /// The part of `GPUDevice` that is used here.
    type Device;
    #[wasm_bindgen(method, catch, js_name = createShaderModule)]
    fn create_shader_module(this: &Device, descriptor: &Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createBindGroupLayout)]
    fn create_bind_group_layout(this: &Device, descriptor: &Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createPipelineLayout)]
    fn create_pipeline_layout(this: &Device, descriptor: &Object) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = createComputePipelineAsync)]
    fn create_compute_pipeline_async(this: &Device, descriptor: &Object) -> Result<Promise, JsValue>;
}

/// A compiled pipeline, held so that the browser still has it when `wgpu` asks for an equal one.
pub(crate) struct CompiledPipeline(
    #[expect(dead_code, reason = "held until wgpu has its own")] Option<JsValue>,
);

/// Compiles the kernel, equal to what `wgpu` will ask for. Does nothing where the device is none of a browser's.
///
/// # Errors
/// What the browser said.
pub(crate) async fn compile(device: &wgpu::Device, kernel: Kernel) -> Result<CompiledPipeline, String> {
    let Some(device) = device.as_webgpu() else { return Ok(CompiledPipeline(None)) };
    let begun = begin(device.unchecked_ref(), kernel).map_err(js_error_message)?;
    JsFuture::from(begun).await.map(|pipeline| CompiledPipeline(Some(pipeline))).map_err(js_error_message)
}

fn begin(device: &Device, kernel: Kernel) -> Result<Promise, JsValue> {
    let entries = Array::new();
    for (binding, kind) in (0u32..).zip(kernel.bindings().kinds()) {
        let buffer = object(&[("type", kind_name(kind).into())])?;
        let entry = object(&[
            ("binding", binding.into()),
            ("visibility", COMPUTE.into()),
            ("buffer", buffer.into()),
        ])?;
        entries.push(&entry);
    }
    let group = device.create_bind_group_layout(&object(&[("entries", entries.into())])?)?;
    let layouts = object(&[("bindGroupLayouts", Array::of1(&group).into())])?;
    let layout = device.create_pipeline_layout(&layouts)?;
    let source = object(&[("code", JsValue::from_str(&kernel.source()))])?;
    let module = device.create_shader_module(&source)?;
    let compute = object(&[("module", module), ("entryPoint", "main".into())])?;
    device.create_compute_pipeline_async(&object(&[("layout", layout), ("compute", compute.into())])?)
}

fn kind_name(kind: BufferBindingType) -> &'static str {
    match kind {
        BufferBindingType::Uniform => "uniform",
        BufferBindingType::Storage { read_only: true } => "read-only-storage",
        BufferBindingType::Storage { read_only: false } => "storage",
    }
}

fn object(entries: &[(&str, JsValue)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for (key, value) in entries {
        Reflect::set(&object, &JsValue::from_str(key), value)?;
    }
    Ok(object)
}

fn js_error_message(error: JsValue) -> String {
    let message = Reflect::get(&error, &"message".into()).ok().and_then(|message| message.as_string());
    message.unwrap_or_else(|| "no reason given".into())
}

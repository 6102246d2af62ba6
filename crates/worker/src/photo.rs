//! A visitor's file, and the browser's decoders.

use crate::bytes::JsBytes;
use crate::worker_scope;
use beit::decode::{DecodeError, MAX_PIXELS, Rgb};
use engine::platform::{Bytes, Photo};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, ColorSpaceConversion, ImageBitmap, ImageBitmapOptions, OffscreenCanvas,
    OffscreenCanvasRenderingContext2d,
};

/// Rows that are copied out of the canvas at a time: the RGBA of a whole photo never lies in memory twice.
const STRIP: u32 = 256;

#[derive(Clone)]
pub struct PhotoFile(pub Blob);

impl Photo for PhotoFile {
    type Bytes = JsBytes;

    fn length(&self) -> u64 {
        self.0.size() as u64
    }

    async fn read(&self) -> Option<JsBytes> {
        let buffer = JsFuture::from(self.0.array_buffer()).await.ok()?;
        Some(JsBytes::new(Uint8Array::new(&buffer)))
    }

    async fn read_part(&self, from: u64, length: u64) -> Option<JsBytes> {
        let part = self.0.slice_with_f64_and_f64(from as f64, (from + length) as f64).ok()?;
        let buffer = JsFuture::from(part.array_buffer()).await.ok()?;
        let bytes = JsBytes::new(Uint8Array::new(&buffer));
        (bytes.length() == length).then_some(bytes)
    }

    async fn decode(&self) -> Option<Result<Rgb, DecodeError>> {
        decode(&self.0).await
    }

    async fn decode_bytes(bytes: &[u8]) -> Option<Result<Rgb, DecodeError>> {
        let parts = Array::of1(&Uint8Array::from(bytes));
        decode(&Blob::new_with_u8_array_sequence(&parts).ok()?).await
    }
}

/// By the browser's decoders.
async fn decode(file: &Blob) -> Option<Result<Rgb, DecodeError>> {
    // Pixels as they are stored, like those of our own decoders, not as this display shows them.
    let as_stored = ImageBitmapOptions::new();
    as_stored.set_color_space_conversion(ColorSpaceConversion::None);
    let decoded =
        worker_scope::scope().create_image_bitmap_with_blob_and_image_bitmap_options(file, &as_stored);
    let decoded = decoded.ok()?;
    let bitmap: ImageBitmap = JsFuture::from(decoded).await.ok()?.dyn_into().ok()?;
    let (width, height) = (bitmap.width(), bitmap.height());
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        bitmap.close();
        return Some(Err(DecodeError::TooManyPixels { width, height }));
    }
    let rgb = copy(&bitmap, width, height);
    bitmap.close();
    // Only a lack of memory stands between a decoded photo and its pixels.
    Some(rgb.map_err(|_| DecodeError::OutOfMemory { width, height }))
}

fn copy(bitmap: &ImageBitmap, width: u32, height: u32) -> Result<Rgb, JsValue> {
    let mut pixels = Vec::new();
    let length = width as usize * height as usize * 3;
    pixels.try_reserve_exact(length).map_err(|_| JsValue::NULL)?;
    let canvas = OffscreenCanvas::new(width, STRIP.min(height))?;
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?;
    let context: OffscreenCanvasRenderingContext2d = context.dyn_into()?;
    for top in (0..height).step_by(STRIP as usize) {
        let rows = STRIP.min(height - top);
        context.clear_rect(0.0, 0.0, f64::from(width), f64::from(STRIP));
        context.draw_image_with_image_bitmap(bitmap, 0.0, -f64::from(top))?;
        let strip = context.get_image_data(0.0, 0.0, f64::from(width), f64::from(rows))?;
        let rgba = strip.data().0;
        pixels.extend(rgba.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]));
    }
    Ok(Rgb { width, height, pixels })
}

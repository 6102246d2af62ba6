//! Photo → [`Rgb`]: by our own decoders, which give the same pixels everywhere, and by the browser's where
//! ours know no such format (AVIF, HEIC, JPEG XL: whatever it has a decoder for).

use crate::port;
use beit::decode::{DecodeError, MAX_PIXELS, Rgb, decode as decode_ours};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ImageBitmap, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

/// Rows that are copied out of the canvas at a time: the RGBA of a whole photo never lies in memory twice.
const STRIP: u32 = 256;

/// Decodes a photo, whose bytes these are, and turns it upright.
///
/// # Errors
/// The error of our own decoders also where the browser's fail: it names the format.
pub async fn decode(photo: &Blob, bytes: &[u8]) -> Result<Rgb, DecodeError> {
    match decode_ours(bytes) {
        Err(error @ DecodeError::UnsupportedFormat { .. }) => by_browser(photo).await.unwrap_or(Err(error)),
        decoded => decoded,
    }
}

/// `None` where the browser has no decoder for it either.
async fn by_browser(photo: &Blob) -> Option<Result<Rgb, DecodeError>> {
    let bitmap = JsFuture::from(port::scope().create_image_bitmap_with_blob(photo).ok()?).await.ok()?;
    let bitmap: ImageBitmap = bitmap.dyn_into().ok()?;
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

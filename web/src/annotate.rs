//! A photo with its answer drawn over it, and the heat map if one is in sight, as a PNG.

use page::heat_scale::Scale;
use page::text::Text;
use protocol::{Answer, HeatMap, Prediction};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, ImageBitmap, ImageEncodeOptions, OffscreenCanvas, OffscreenCanvasRenderingContext2d as Context,
};

/// The picture's long side in pixels, at most.
const LONG_SIDE: f64 = 1600.0;
/// A narrower photo is given room beside it, so that the answer can be read.
const NARROWEST: f64 = 480.0;

/// A heat map, and how strongly it covers the photo, 0 to 1.
pub struct Heat<'a> {
    pub map: &'a HeatMap,
    pub strength: f64,
}

/// Draws it.
///
/// # Errors
/// When the browser cannot show the photo, or has no memory for the picture.
pub async fn annotate(
    photo: &Blob,
    answer: &Answer,
    top_k: usize,
    heat: Option<Heat<'_>>,
    text: &Text,
) -> Result<Blob, JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let bitmap: ImageBitmap =
        JsFuture::from(window.create_image_bitmap_with_blob(photo)?).await?.dyn_into()?;
    let (width, height) = (f64::from(bitmap.width()), f64::from(bitmap.height()));
    let scale = (LONG_SIDE / width.max(height)).min(1.0);
    let (shown_width, shown_height) = ((width * scale).max(1.0), (height * scale).max(1.0));
    let predictions: Vec<&Prediction> = answer.predictions.iter().take(top_k).collect();
    let canvas_width = shown_width.max(NARROWEST);
    let row = (canvas_width / 22.0).clamp(24.0, 52.0);
    let none_of = answer.none_of.map(text.none_of);
    let rows_above = if none_of.is_some() { 1.0 } else { 0.0 };
    let foot = row * (predictions.len() as f64 + rows_above + 0.6);
    let canvas = OffscreenCanvas::new(canvas_width as u32, (shown_height + foot) as u32)?;
    let context: Context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into()?;
    context.set_fill_style_str("#171410");
    context.fill_rect(0.0, 0.0, canvas_width, shown_height + foot);
    let left = (canvas_width - shown_width) / 2.0;
    context.draw_image_with_image_bitmap_and_dw_and_dh(&bitmap, left, 0.0, shown_width, shown_height)?;
    bitmap.close();
    if let Some(heat) = heat {
        // The map's place is given in the upright photo's pixels, whatever the browser decoded.
        draw_heat(&context, &heat, left, shown_width / f64::from(answer.width.max(1)));
    }
    if let Some(sentence) = &none_of {
        draw_sentence(&context, sentence, (canvas_width, shown_height + row * 0.3, row))?;
    }
    for (rank, prediction) in predictions.into_iter().enumerate() {
        let top = shown_height + row * (rank as f64 + rows_above + 0.3);
        // Where it is none of the classes, no one of them stands out.
        let stands_out = rank == 0 && none_of.is_none();
        draw_row(&context, prediction, stands_out, (canvas_width, top, row), text)?;
    }
    let options = ImageEncodeOptions::new();
    options.set_type("image/png");
    JsFuture::from(canvas.convert_to_blob_with_options(&options)?).await?.dyn_into()
}

fn draw_heat(context: &Context, Heat { map, strength }: &Heat, left: f64, scale: f64) {
    let colours = Scale::of(map);
    let (width, height) = (map.seen.width / map.grid as f64, map.seen.height / map.grid as f64);
    for (at, &term) in map.contributions.iter().enumerate() {
        let (row, column) = (at / map.grid, at % map.grid);
        let share = colours.share(term);
        context.set_global_alpha(share.abs() * strength);
        context.set_fill_style_str(if share < 0.0 { "#3d8bff" } else { "#ffb000" });
        context.fill_rect(
            left + (map.seen.x + column as f64 * width) * scale,
            (map.seen.y + row as f64 * height) * scale,
            width * scale,
            height * scale,
        );
    }
    context.set_global_alpha(1.0);
}

fn draw_sentence(
    context: &Context,
    sentence: &str,
    (width, top, row): (f64, f64, f64),
) -> Result<(), JsValue> {
    let margin = row * 0.4;
    context.set_fill_style_str("#ffffff");
    context.set_font(&format!("600 {:.0}px system-ui, sans-serif", row * 0.5));
    context.set_text_baseline("middle");
    context.set_text_align("left");
    context.fill_text_with_max_width(sentence, margin, top + row * 0.45, width - 2.0 * margin)
}

fn draw_row(
    context: &Context,
    prediction: &Prediction,
    stands_out: bool,
    (width, top, row): (f64, f64, f64),
    text: &Text,
) -> Result<(), JsValue> {
    let (margin, inside) = (row * 0.4, row * 0.3);
    let whole = width - 2.0 * margin;
    context.set_fill_style_str("#2a251e");
    context.fill_rect(margin, top, whole, row * 0.86);
    context.set_fill_style_str(if stands_out { "#0f7666" } else { "#574c3d" });
    context.fill_rect(margin, top, whole * f64::from(prediction.score), row * 0.86);
    context.set_fill_style_str("#ffffff");
    let weight = if stands_out { 600 } else { 400 };
    context.set_font(&format!("{weight} {:.0}px system-ui, sans-serif", row * 0.46));
    context.set_text_baseline("middle");
    let middle = top + row * 0.45;
    context.set_text_align("left");
    context.fill_text_with_max_width((text.label)(prediction), margin + inside, middle, whole * 0.75)?;
    context.set_text_align("right");
    context.fill_text(&(text.percent)(prediction.score), width - margin - inside, middle)
}

use std::rc::Rc;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};
use yew::{AttrValue, Html, Properties, component, html, use_effect_with, use_node_ref};

#[derive(PartialEq, Properties)]
pub struct PixelsProps {
    pub side: usize,
    /// `side` × `side` pixels.
    pub rgba: Rc<[u8]>,
    pub label: AttrValue,
}

/// A square picture that was never a file.
#[component]
pub fn Pixels(PixelsProps { side, rgba, label }: &PixelsProps) -> Html {
    let canvas = use_node_ref();
    use_effect_with((canvas.clone(), *side, rgba.clone()), |(canvas, side, rgba)| {
        let data = ImageData::new_with_u8_clamped_array(Clamped(rgba), *side as u32);
        let context =
            canvas.cast::<HtmlCanvasElement>().and_then(|canvas| canvas.get_context("2d").ok().flatten());
        if let (Ok(data), Some(context)) = (data, context) {
            // A canvas that takes no picture stays blank.
            context.unchecked_into::<CanvasRenderingContext2d>().put_image_data(&data, 0.0, 0.0).ok();
        }
    });
    let side = side.to_string();
    html! {
        <canvas ref={canvas} class="pixels" data-testid="input" role="img" aria-label={label} width={side.clone()} height={side} />
    }
}

//! The device's camera: its picture on the page, and photos taken from it.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, File, HtmlVideoElement, ImageEncodeOptions, MediaStream, MediaStreamConstraints, MediaStreamTrack,
    OffscreenCanvas, OffscreenCanvasRenderingContext2d,
};

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCamera {
    /// The visitor, the browser or the system said no; or the page is no secure context.
    Refused,
    Missing,
}

/// A running camera; it goes off with this value.
pub struct Camera(MediaStream);

impl Camera {
    /// Asks the visitor, and turns the camera on.
    pub async fn start() -> Result<Self, NoCamera> {
        let window = web_sys::window().filter(|window| window.is_secure_context());
        let devices = window.and_then(|window| window.navigator().media_devices().ok());
        let devices = devices.ok_or(NoCamera::Refused)?;
        let wish = MediaStreamConstraints::new();
        wish.set_video(&video_wish());
        let asked = devices.get_user_media_with_constraints(&wish).map_err(|error| reason(&error))?;
        let stream = JsFuture::from(asked).await.map_err(|error| reason(&error))?;
        Ok(Self(stream.unchecked_into()))
    }

    /// Shows the picture.
    pub fn show(&self, video: &HtmlVideoElement) {
        video.set_src_object(Some(&self.0));
        // It plays as soon as it can; `autoplay` says so too.
        drop(video.play());
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        for track in self.0.get_tracks() {
            track.unchecked_into::<MediaStreamTrack>().stop();
        }
    }
}

/// The camera that looks away from the visitor, where there are two.
fn video_wish() -> JsValue {
    let wish = js_sys::Object::new();
    for (name, value) in [("facingMode", JsValue::from("environment")), ("width", JsValue::from(1280))] {
        // A plain object takes any property.
        js_sys::Reflect::set(&wish, &name.into(), &value).ok();
    }
    wish.into()
}

fn reason(error: &JsValue) -> NoCamera {
    let name = js_sys::Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    match name.as_deref() {
        Some("NotFoundError" | "OverconstrainedError") => NoCamera::Missing,
        _ => NoCamera::Refused,
    }
}

/// The picture of this moment, as a file.
pub async fn snapshot(video: &HtmlVideoElement, name: &str) -> Result<File, JsValue> {
    let canvas = OffscreenCanvas::new(video.video_width().max(1), video.video_height().max(1))?;
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?;
    let context: OffscreenCanvasRenderingContext2d = context.dyn_into()?;
    context.draw_image_with_html_video_element(video, 0.0, 0.0)?;
    let options = ImageEncodeOptions::new();
    options.set_type("image/jpeg");
    options.set_quality(0.92);
    let blob: Blob = JsFuture::from(canvas.convert_to_blob_with_options(&options)?).await?.dyn_into()?;
    crate::intake::named(&blob, name).ok_or(JsValue::NULL)
}

//! Small pictures for the cards: made only for photos in sight, a few at a time, and let go of again, so
//! that a thousand photos take no more memory than a screenful.

use crate::photo_files::PhotoFiles;
use crate::photo_source::Source;
use page::photo::{CARD_SIDE as WIDTH, PhotoId, Picture};
use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, ImageBitmap, ImageBitmapOptions, ImageData, ImageEncodeOptions, OffscreenCanvas,
    OffscreenCanvasRenderingContext2d, ResizeQuality, Url,
};
use yew::Callback;

/// How many are made at a time.
const AT_ONCE: usize = 2;
/// How many are kept: with about 60 KB each, 10 MB.
const KEPT: usize = 160;

/// What has become of small pictures.
pub enum PreviewEvent {
    /// The browser's own picture of the photo is at this object URL; it could make none without one.
    Made { id: PhotoId, url: Option<Rc<str>> },
    /// The picture of the photo as it was decoded for the network is at this object URL.
    Drawn { id: PhotoId, url: Rc<str> },
    /// These were let go of.
    Dropped(Vec<PhotoId>),
}

/// Makes and keeps the small pictures.
pub struct Previews {
    files: Rc<RefCell<PhotoFiles>>,
    on_event: Callback<PreviewEvent>,
    shown: RefCell<VecDeque<(PhotoId, Rc<str>)>>,
    wanted: RefCell<Vec<PhotoId>>,
    in_work: RefCell<HashSet<PhotoId>>,
}

impl Previews {
    pub fn new(files: Rc<RefCell<PhotoFiles>>, on_event: Callback<PreviewEvent>) -> Self {
        Self {
            files,
            on_event,
            shown: RefCell::default(),
            wanted: RefCell::default(),
            in_work: RefCell::default(),
        }
    }

    /// Makes pictures of these photos, which are in sight, and of no others that wait.
    pub fn want(self: &Rc<Self>, ids: Vec<PhotoId>) {
        *self.wanted.borrow_mut() = ids;
        self.work();
    }

    /// Lets go of a photo's picture.
    pub fn forget(&self, id: PhotoId) {
        self.shown.borrow_mut().retain(|(other, url)| {
            if *other == id {
                revoke(url);
            }
            *other != id
        });
    }

    fn work(self: &Rc<Self>) {
        while self.in_work.borrow().len() < AT_ONCE {
            let next = {
                let in_work = self.in_work.borrow();
                let mut wanted = self.wanted.borrow_mut();
                let at = wanted.iter().position(|id| !in_work.contains(id));
                at.map(|at| wanted.remove(at))
            };
            let Some(id) = next else { return };
            let Some(source) = self.files.borrow().source(id).cloned() else { continue };
            self.in_work.borrow_mut().insert(id);
            let this = self.clone();
            spawn_local(async move {
                let url = preview(&source).await;
                this.in_work.borrow_mut().remove(&id);
                this.show(id, url);
                this.work();
            });
        }
    }

    /// Makes a card's picture of what was decoded.
    pub fn draw(self: &Rc<Self>, id: PhotoId, picture: Picture) {
        let this = self.clone();
        spawn_local(async move {
            // Without a canvas the card keeps its placeholder.
            let Ok(small) = encode(&picture).await else { return };
            let Ok(url) = Url::create_object_url_with_blob(&small) else { return };
            let url: Rc<str> = url.into();
            if this.keep(id, &url) {
                this.on_event.emit(PreviewEvent::Drawn { id, url });
            }
        });
    }

    fn show(&self, id: PhotoId, url: Option<Rc<str>>) {
        if url.as_ref().is_none_or(|url| self.keep(id, url)) && self.files.borrow().source(id).is_some() {
            self.on_event.emit(PreviewEvent::Made { id, url });
        }
    }

    /// Keeps a picture, and lets go of the oldest where there are too many. False if its photo is gone.
    fn keep(&self, id: PhotoId, url: &Rc<str>) -> bool {
        // It may have been removed from the page meanwhile.
        if self.files.borrow().source(id).is_none() {
            revoke(url);
            return false;
        }
        let mut dropped = Vec::new();
        {
            let mut shown = self.shown.borrow_mut();
            shown.push_back((id, url.clone()));
            while shown.len() > KEPT {
                dropped.extend(shown.pop_front().map(|(id, url)| {
                    revoke(&url);
                    id
                }));
            }
        }
        if !dropped.is_empty() {
            self.on_event.emit(PreviewEvent::Dropped(dropped));
        }
        true
    }
}

async fn preview(source: &Source) -> Option<Rc<str>> {
    let small = shrink(&source.blob().await?).await.ok()?;
    Some(Url::create_object_url_with_blob(&small).ok()?.into())
}

/// Decoded and made smaller by the browser, off the page's own thread. It is turned upright when it is drawn:
/// handed over to a canvas undrawn, it would lie as its file stores it.
async fn shrink(photo: &Blob) -> Result<Blob, JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let whole: ImageBitmap =
        JsFuture::from(window.create_image_bitmap_with_blob(photo)?).await?.dyn_into()?;
    let (width, height) = (whole.width(), whole.height());
    let small = if width > WIDTH {
        let options = ImageBitmapOptions::new();
        options.set_resize_width(WIDTH);
        let scaled = u64::from(height) * u64::from(WIDTH) / u64::from(width);
        options.set_resize_height(u32::try_from(scaled).unwrap_or(u32::MAX).max(1));
        options.set_resize_quality(ResizeQuality::Medium);
        let small =
            window.create_image_bitmap_with_image_bitmap_and_image_bitmap_options(&whole, &options)?;
        let small = JsFuture::from(small).await?.dyn_into()?;
        whole.close();
        small
    } else {
        whole
    };
    let canvas = OffscreenCanvas::new(small.width(), small.height())?;
    context(&canvas)?.draw_image_with_image_bitmap(&small, 0.0, 0.0)?;
    small.close();
    encode_canvas(&canvas).await
}

/// A picture as a file that browsers show.
pub async fn encode(picture: &Picture) -> Result<Blob, JsValue> {
    let Picture { width, height, rgba } = picture;
    let canvas = OffscreenCanvas::new(*width, *height)?;
    let data = ImageData::new_with_u8_clamped_array(Clamped(rgba), *width)?;
    context(&canvas)?.put_image_data(&data, 0.0, 0.0)?;
    encode_canvas(&canvas).await
}

fn context(canvas: &OffscreenCanvas) -> Result<OffscreenCanvasRenderingContext2d, JsValue> {
    Ok(canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into::<OffscreenCanvasRenderingContext2d>()?)
}

async fn encode_canvas(canvas: &OffscreenCanvas) -> Result<Blob, JsValue> {
    let options = ImageEncodeOptions::new();
    options.set_type("image/webp");
    options.set_quality(0.82);
    JsFuture::from(canvas.convert_to_blob_with_options(&options)?).await?.dyn_into()
}

fn revoke(url: &str) {
    // Only a malformed URL is refused, and then nothing is held by it.
    Url::revoke_object_url(url).ok();
}

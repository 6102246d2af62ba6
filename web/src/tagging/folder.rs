//! A folder of the visitor's that the page may write into: the File System Access API.

use js_sys::{AsyncIterator, Function, Object, Promise, Reflect};
use std::collections::HashMap;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetFileOptions, FileSystemHandle,
    FileSystemHandleKind, FileSystemWritableFileStream,
};

/// Deeper folders are not looked into.
const DEEPEST: usize = 64;
/// Nor are more files.
const MOST_FILES: usize = 200_000;

/// A file and the folder that it lies in.
#[derive(Clone)]
pub struct Place {
    pub parent: FileSystemDirectoryHandle,
    pub handle: FileSystemFileHandle,
}

/// A chosen folder.
pub struct Folder {
    pub name: String,
    /// Its files and those of the folders below it, by their names without folders.
    files: HashMap<String, Vec<Place>>,
}

/// Whether this browser lets pages write into folders.
pub fn can_write() -> bool {
    web_sys::window().is_some_and(|window| picker(&window).is_some())
}

fn picker(window: &web_sys::Window) -> Option<Function> {
    Reflect::get(window, &"showDirectoryPicker".into()).ok()?.dyn_into().ok()
}

impl Folder {
    /// Lets the visitor choose a folder and allow the page to write into it. None if they don't.
    pub async fn choose() -> Result<Option<Self>, JsValue> {
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let Some(picker) = picker(&window) else { return Ok(None) };
        let options = Object::new();
        Reflect::set(&options, &"mode".into(), &"readwrite".into())?;
        let chosen: Promise = picker.call1(&window, &JsValue::from(options))?.dyn_into()?;
        // Chosen none, or not allowed: that is the visitor's to say.
        let Ok(handle) = JsFuture::from(chosen).await else { return Ok(None) };
        let root: FileSystemDirectoryHandle = handle.unchecked_into();
        let name = root.name();
        Ok(Some(Self { name, files: walk(root).await }))
    }

    /// The files of this name.
    pub fn named(&self, name: &str) -> Vec<Place> {
        self.files.get(name).cloned().unwrap_or_default()
    }
}

/// What is in a folder that can't be listed is not found.
async fn walk(root: FileSystemDirectoryHandle) -> HashMap<String, Vec<Place>> {
    let mut files: HashMap<String, Vec<Place>> = HashMap::new();
    let (mut left, mut count) = (vec![(root, 0)], 0);
    while let Some((parent, depth)) = left.pop() {
        let entries = parent.values();
        while let Ok(Some(entry)) = next(&entries).await {
            if entry.kind() == FileSystemHandleKind::Directory {
                if depth < DEEPEST {
                    left.push((entry.unchecked_into(), depth + 1));
                }
            } else if count < MOST_FILES {
                count += 1;
                let name = entry.name();
                let place = Place { parent: parent.clone(), handle: entry.unchecked_into() };
                files.entry(name).or_default().push(place);
            }
        }
    }
    files
}

async fn next(entries: &AsyncIterator) -> Result<Option<FileSystemHandle>, JsValue> {
    let step: Promise = entries.next()?;
    let step = JsFuture::from(step).await?;
    if Reflect::get(&step, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    Ok(Some(Reflect::get(&step, &"value".into())?.unchecked_into()))
}

impl Place {
    /// The file as it is now.
    pub async fn file(&self) -> Result<File, JsValue> {
        JsFuture::from(self.handle.get_file()).await?.dyn_into()
    }

    /// The file of this name beside it. None if there is none.
    pub async fn beside(&self, name: &str) -> Result<Option<Self>, JsValue> {
        match JsFuture::from(self.parent.get_file_handle(name)).await {
            Ok(handle) => Ok(Some(Self { parent: self.parent.clone(), handle: handle.unchecked_into() })),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An empty file of this name beside it, which is new.
    pub async fn create_beside(&self, name: &str) -> Result<Self, JsValue> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = JsFuture::from(self.parent.get_file_handle_with_options(name, &options)).await?;
        Ok(Self { parent: self.parent.clone(), handle: handle.unchecked_into() })
    }

    pub async fn remove(&self) -> Result<(), JsValue> {
        JsFuture::from(self.parent.remove_entry(&self.handle.name())).await.map(drop)
    }

    /// Replaces the file's content. The browser writes beside the file and puts the new content in the old one's place
    /// at the end, so that an interruption leaves the old one. False if the file has changed since it was `seen`:
    /// nothing is written then.
    pub async fn replace(&self, content: &Blob, seen: &File) -> Result<bool, JsValue> {
        let stream: FileSystemWritableFileStream =
            JsFuture::from(self.handle.create_writable()).await?.dyn_into()?;
        let written = async {
            JsFuture::from(stream.write_with_blob(content)?).await?;
            let now = self.file().await?;
            Ok::<bool, JsValue>(is_same(&now, seen))
        };
        match written.await {
            Ok(true) => JsFuture::from(stream.close()).await.map(|_| true),
            other => {
                // What was written beside the file goes; the file was not touched.
                JsFuture::from(stream.abort()).await.ok();
                other
            }
        }
    }
}

/// Whether a file has not changed between two looks at it.
pub fn is_same(now: &File, seen: &File) -> bool {
    now.size() == seen.size() && now.last_modified() == seen.last_modified()
}

fn is_not_found(error: &JsValue) -> bool {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    name.as_deref() == Some("NotFoundError")
}

//! The files below a dropped folder, however deep.

use archive::{Kind, LeftOut, Reason};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

/// Deeper folders are not looked into: a loop of links ends here.
const DEEPEST: usize = 64;

/// What is below a folder.
#[derive(Default)]
pub struct Found {
    /// Photos and archives, in the order of their names.
    pub files: Vec<File>,
    pub left_out: LeftOut,
    /// The names of folders that the browser did not list, or not to their end.
    pub unlisted: Vec<String>,
}

/// All files below a folder: at most so many, the rest is counted.
pub async fn walk(folder: FileSystemEntry, most: usize) -> Found {
    let mut left = vec![folder];
    let mut found = Found::default();
    while let Some(entry) = left.pop() {
        let path = entry.full_path();
        let path = path.trim_start_matches('/');
        if entry.is_directory() {
            if path.split('/').count() > DEEPEST {
                found.left_out.add(path, Reason::Folder);
                continue;
            }
            let (mut inside, whole) = list(entry.unchecked_ref()).await;
            if whole.is_err() {
                found.unlisted.push(entry.name());
            }
            // The last one is taken first.
            inside.sort_by_cached_key(|entry| std::cmp::Reverse(entry.name()));
            left.append(&mut inside);
        } else {
            take(&entry, path, most, &mut found).await;
        }
    }
    found
}

async fn take(entry: &FileSystemEntry, path: &str, most: usize, found: &mut Found) {
    let by_name = Kind::of(path, "");
    match by_name {
        // Its type may tell more than its name.
        Kind::Photo | Kind::Archive(_) | Kind::Other(Reason::Other) => {}
        Kind::Other(reason) => return found.left_out.add(path, reason),
    }
    if found.files.len() >= most {
        let reason = if let Kind::Other(reason) = by_name { reason } else { Reason::Beyond };
        return found.left_out.add(path, reason);
    }
    // It may have gone meanwhile, or may not be read.
    let Ok(file) = file(entry.unchecked_ref()).await else {
        return found.left_out.add(path, Reason::Unreadable);
    };
    match Kind::of(path, &file.type_()) {
        Kind::Other(reason) => found.left_out.add(path, reason),
        Kind::Photo | Kind::Archive(_) => found.files.push(file),
    }
}

/// What is right inside a folder, and whether that is all. Browsers list at most 100 entries at a time.
async fn list(folder: &FileSystemDirectoryEntry) -> (Vec<FileSystemEntry>, Result<(), JsValue>) {
    let reader = folder.create_reader();
    let mut entries = Vec::new();
    loop {
        let batch =
            promise(|resolve, reject| reader.read_entries_with_callback_and_callback(resolve, reject)).await;
        let batch = match batch {
            Ok(batch) => Array::from(&batch),
            Err(error) => return (entries, Err(error)),
        };
        if batch.length() == 0 {
            return (entries, Ok(()));
        }
        entries.extend(batch.iter().map(JsCast::unchecked_into::<FileSystemEntry>));
    }
}

async fn file(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    let file = promise(|resolve, reject| {
        entry.file_with_callback_and_callback(resolve, reject);
        Ok(())
    });
    file.await.map(JsCast::unchecked_into)
}

/// An old interface of two callbacks, as one that can be awaited.
async fn promise(
    mut ask: impl FnMut(&Function, &Function) -> Result<(), JsValue>,
) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        if let Err(error) = ask(&resolve, &reject) {
            // The promise is rejected either way.
            reject.call1(&JsValue::NULL, &error).ok();
        }
    });
    JsFuture::from(promise).await
}

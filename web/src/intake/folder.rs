//! The files below a dropped folder, however deep.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

/// More files than a visitor can mean; a loop of links ends here too.
const MAX_FILES: usize = 20_000;

/// All files below a folder, in the order of their names.
///
/// # Errors
/// When the browser refuses to list a folder.
pub async fn walk(folder: FileSystemEntry) -> Result<Vec<File>, JsValue> {
    let mut left = vec![folder];
    let mut files = Vec::new();
    while let Some(entry) = left.pop() {
        if entry.is_directory() {
            let mut inside = list(entry.unchecked_ref()).await?;
            // The last one is taken first.
            inside.sort_by_cached_key(|entry| std::cmp::Reverse(entry.name()));
            left.append(&mut inside);
        } else if files.len() < MAX_FILES {
            // A file that has gone meanwhile is not there.
            files.extend(file(entry.unchecked_ref()).await);
        }
    }
    Ok(files)
}

/// What is right inside a folder. Browsers list at most 100 entries at a time.
async fn list(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader = folder.create_reader();
    let mut entries = Vec::new();
    loop {
        let batch =
            promise(|resolve, reject| reader.read_entries_with_callback_and_callback(resolve, reject))
                .await?;
        let batch = Array::from(&batch);
        if batch.length() == 0 {
            return Ok(entries);
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

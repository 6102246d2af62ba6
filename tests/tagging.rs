//! Keywords that the page writes into photos: the same bytes as `beitscope tag`, in a zip file or in a folder.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::axe::violations;
use tests::browser::{Client, Setup, browse, devtools};
use tests::command_line::tag;
use tests::{page, site};

type Files = BTreeMap<String, Vec<u8>>;

/// Photos of each container, and one that gets a sidecar.
fn photos() -> Vec<PathBuf> {
    let mut photos = ["cat.jpg", "coffee.jpg", "mountain.jpg"].map(site::sample).to_vec();
    photos.extend(["lossless.webp", "transparent.png", "photo.tiff", "motion-photo.jpg"].map(site::photo));
    photos
}

fn read(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

/// Copies of the photos in a folder.
fn copies(photos: &[PathBuf], folder: &Path) -> Vec<PathBuf> {
    let copy = |photo: &PathBuf| {
        let to = folder.join(photo.file_name().unwrap());
        fs::copy(photo, &to).unwrap();
        to
    };
    photos.iter().map(copy).collect()
}

/// The files that differ, or are new.
fn changed(before: &Files, after: &Files) -> Files {
    after
        .iter()
        .filter(|(name, bytes)| before.get(*name) != Some(bytes))
        .map(|(n, b)| (n.clone(), b.clone()))
        .collect()
}

fn unpacked(zip: Vec<u8>) -> Files {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = Files::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    files
}

/// Waits until the file is saved whole.
async fn saved(folder: &Path) -> Vec<u8> {
    let begun = Instant::now();
    loop {
        match fs::read(folder.join("beitscope-keywords.zip")) {
            Ok(bytes) if !bytes.is_empty() => return bytes,
            _ if begun.elapsed() > Duration::from_secs(30) => panic!("the zip file was not saved"),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn open_dialog(client: &Client) {
    page::click(client, "[data-testid=export] summary").await;
    page::click(client, "[data-testid=export-keywords]").await;
    state(client, "planned").await;
}

async fn state(client: &Client, state: &str) {
    let script =
        format!("return document.querySelector('[data-testid=tagging]')?.dataset.state === '{state}'");
    page::until(client, &format!("the dialog is {state}"), &script).await;
}

async fn rules(client: &Client, threshold: &str, language: &str) {
    page::choose(client, "tag-threshold", threshold).await;
    state(client, "planned").await;
    page::choose(client, "tag-language", language).await;
    state(client, "planned").await;
}

/// What the list says, by file.
async fn rows(client: &Client) -> BTreeMap<String, String> {
    let script = "return [...document.querySelectorAll('[data-testid=tag-list] li')]
        .map((row) => [row.dataset.name, row.dataset.state])";
    let rows = client.execute(script, vec![]).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.as_array().unwrap().iter().map(|row| (text(&row[0]), text(&row[1]))).collect()
}

/// Puts files into a folder of the origin's private file system, which the page is then given for the visitor's choice.
async fn give_folder(client: &Client, files: &Files) {
    let script = "const [files, done] = arguments;
        (async () => {
            const root = await navigator.storage.getDirectory();
            const folder = await root.getDirectoryHandle('library', { create: true });
            const inside = await folder.getDirectoryHandle('2026', { create: true });
            for (const [name, bytes] of Object.entries(files)) {
                const handle = await inside.getFileHandle(name, { create: true });
                const writable = await handle.createWritable();
                await writable.write(Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)));
                await writable.close();
            }
            window.showDirectoryPicker = async (options) => {
                window.askedFor = options.mode;
                return folder;
            };
        })().then(() => done('ok'), (error) => done(String(error)));";
    use base64::{Engine, prelude::BASE64_STANDARD};
    let files: BTreeMap<_, _> =
        files.iter().map(|(name, bytes)| (name, BASE64_STANDARD.encode(bytes))).collect();
    assert_eq!(client.execute_async(script, vec![json!(files)]).await.unwrap(), "ok");
}

/// What is in that folder.
async fn folder(client: &Client) -> Files {
    let script = "const done = arguments[arguments.length - 1];
        (async () => {
            const root = await navigator.storage.getDirectory();
            const folder = await (await root.getDirectoryHandle('library')).getDirectoryHandle('2026');
            const files = {};
            for await (const [name, handle] of folder.entries()) {
                const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
                let text = '';
                for (const byte of bytes) text += String.fromCharCode(byte);
                files[name] = btoa(text);
            }
            return files;
        })().then(done, (error) => done({ error: String(error) }));";
    use base64::{Engine, prelude::BASE64_STANDARD};
    let files = client.execute_async(script, vec![]).await.unwrap();
    let decoded = |(name, bytes): (&String, &Value)| {
        (name.clone(), BASE64_STANDARD.decode(bytes.as_str().unwrap()).unwrap_or_else(|_| panic!("{bytes}")))
    };
    files.as_object().unwrap().iter().map(decoded).collect()
}

#[test]
fn a_zip_file_has_what_the_command_line_writes_and_once_more_changes_nothing() {
    let (before, library, downloads) =
        (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let originals = copies(&photos(), before.path());
    tag(&copies(&originals, library.path()), &["--threshold", "0.1", "--language", "both"]);
    let (old, expected) = (read(before.path()), read(library.path()));
    let expected = changed(&old, &expected);
    assert!(expected.keys().any(|name| name.ends_with(".tiff.xmp")), "{:?}", expected.keys());
    assert!(expected.contains_key("cat.jpg") && expected.len() >= 4, "{:?}", expected.keys());

    let server = site::serve();
    browse(Setup::default(), async |client| {
        client.save_into(downloads.path()).await.unwrap();
        page::open(client, &server.url()).await;
        page::pick(client, &originals).await;
        page::settled(client, originals.len()).await;
        open_dialog(client).await;
        rules(client, "10", "both").await;
        let rows = rows(client).await;
        for (name, state) in &rows {
            let has_sidecar = expected.contains_key(&format!("{name}.xmp"));
            assert_eq!(state == "photo", expected.contains_key(name), "{name}: {state}");
            assert_eq!(state == "sidecar", has_sidecar, "{name}: {state}");
        }
        page::click(client, "[data-testid=tag-start]").await;
        state(client, "finished").await;
        let found = unpacked(saved(downloads.path()).await);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, bytes) in &found {
            assert!(bytes == &expected[name], "{name} is not what the command line writes");
        }

        // The unpacked photos on the page of another visit.
        let again: Vec<PathBuf> = found
            .keys()
            .filter(|name| !name.ends_with(".xmp"))
            .map(|name| library.path().join(name))
            .collect();
        page::open(client, &server.url()).await;
        page::pick(client, &again).await;
        page::settled(client, again.len()).await;
        open_dialog(client).await;
        rules_and_nothing_to_write(client).await;
    });
}

async fn rules_and_nothing_to_write(client: &Client) {
    rules(client, "10", "both").await;
    let rows = rows(client).await;
    assert!(rows.values().all(|state| state == "unchanged"), "{rows:?}");
    assert!(client.find_all("[data-testid=tag-start]").await.unwrap().is_empty());
}

#[test]
fn own_keywords_are_those_of_the_command_line_and_a_wrong_file_is_told() {
    let (before, library, downloads) =
        (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let originals = copies(&["cat.jpg", "coffee.jpg"].map(site::sample), before.path());
    let vocabulary = before.path().join("own.txt");
    let wrong = before.path().join("wrong.txt");
    fs::write(&vocabulary, "# Ours.\ncat\tpets|Minka\thome\nespresso\t\nunicorn\tmyth\n").unwrap();
    fs::write(&wrong, "cat\tMinka\n\ndog").unwrap();
    let old = read(before.path());
    let arguments = ["--threshold", "0.1", "--vocabulary", vocabulary.to_str().unwrap()];
    tag(&copies(&originals, library.path()), &arguments);
    let mut expected = changed(&old, &read(library.path()));
    expected.retain(|name, _| name.ends_with(".jpg"));
    assert!(String::from_utf8_lossy(&expected["cat.jpg"]).contains("pets|Minka"));

    let server = site::serve();
    browse(Setup::default(), async |client| {
        client.save_into(downloads.path()).await.unwrap();
        page::open(client, &server.url()).await;
        page::pick(client, &originals).await;
        page::settled(client, originals.len()).await;
        open_dialog(client).await;
        page::choose(client, "tag-threshold", "10").await;
        state(client, "planned").await;
        let choose = async |file: &Path| {
            let input = page::element(client, "tag-vocabulary").await;
            input.send_keys(file.to_str().unwrap()).await.unwrap();
        };
        choose(&wrong).await;
        let refused = page::element(client, "tag-vocabulary-refused").await.text().await.unwrap();
        assert!(refused.contains("wrong.txt") && refused.contains("line 3"), "{refused}");
        choose(&vocabulary).await;
        let unknown = page::element(client, "tag-unknown").await.text().await.unwrap();
        assert!(unknown.contains("unicorn") && !unknown.contains("espresso"), "{unknown}");
        state(client, "planned").await;
        let found = violations(client, "own keywords").await;
        assert!(found.is_empty(), "{}", found.join("\n"));
        page::picture(client, "keywords-own").await;
        page::click(client, "[data-testid=tag-start]").await;
        state(client, "finished").await;
        let found = unpacked(saved(downloads.path()).await);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(found == expected, "not what the command line writes");

        page::click(client, "[data-testid=tag-drop-vocabulary]").await;
        state(client, "planned").await;
        let words = page::element(client, "tag-list").await.text().await.unwrap();
        assert!(!words.contains("Minka"), "{words}");
    });
}

#[test]
fn a_folder_gets_what_the_command_line_writes_and_gets_its_bytes_back() {
    let (before, library) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let originals = copies(&photos(), before.path());
    // A sidecar of somebody else's, to be merged.
    let theirs = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    fs::write(before.path().join("coffee.jpg.xmp"), theirs).unwrap();
    fs::write(library.path().join("coffee.jpg.xmp"), theirs).unwrap();
    let copies = copies(&originals, library.path());
    let mut old = read(before.path());
    // One is another photo in the folder.
    let other = [&old["mountain.jpg"][..], b"x"].concat();
    tag(&copies, &["--threshold", "0.1"]);
    let mut expected = read(library.path());
    for files in [&mut old, &mut expected] {
        files.insert("mountain.jpg".into(), other.clone());
    }

    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &originals).await;
        page::settled(client, originals.len()).await;
        give_folder(client, &old).await;
        open_dialog(client).await;
        page::click(client, "[data-testid=tag-folder]").await;
        page::until(
            client,
            "the folder's files are listed",
            "return document.querySelector('[data-testid=tag-start]')?.textContent.includes('library')",
        )
        .await;
        assert_eq!(client.execute("return window.askedFor", vec![]).await.unwrap(), "readwrite");
        page::choose(client, "tag-threshold", "10").await;
        state(client, "planned").await;
        let rows = rows(client).await;
        assert_eq!((rows["mountain.jpg"].as_str(), rows["coffee.jpg"].as_str()), ("refused", "sidecar"));
        assert!(folder(client).await == old, "nothing is written before it is agreed to");

        page::click(client, "[data-testid=tag-start]").await;
        state(client, "finished").await;
        let written = folder(client).await;
        assert_eq!(written.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, bytes) in &written {
            assert!(bytes == &expected[name], "{name} is not what the command line writes");
        }
        assert!(String::from_utf8_lossy(&written["coffee.jpg.xmp"]).contains("holiday"));

        // Closed and opened again, it can still be undone; what was changed meanwhile is left alone.
        page::click(client, "[data-testid=tag-close]").await;
        let changed = [&written["photo.tiff.xmp"][..], b" "].concat();
        give_folder(client, &Files::from([("photo.tiff.xmp".into(), changed.clone())])).await;
        page::click(client, "[data-testid=export-keywords]").await;
        state(client, "planned").await;
        page::click(client, "[data-testid=tag-undo]").await;
        state(client, "finished").await;
        let status = page::element(client, "tag-status").await.text().await.unwrap();
        assert!(status.contains("photo.tiff"), "{status}");
        let mut restored = old.clone();
        restored.insert("photo.tiff.xmp".into(), changed);
        assert!(folder(client).await == restored, "not every byte is restored");
    });
}

#[test]
fn the_dialog_is_for_everybody_at_any_width_and_by_keyboard() {
    let server = site::serve();
    for (width, dark, language) in
        [(1280, false, "en"), (390, true, "zh"), (1280, true, "zh"), (390, false, "en")]
    {
        browse(Setup { dark, ..Setup::default() }, async |client| {
            let scheme = if dark { "dark" } else { "light" };
            let features = json!([
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]);
            devtools(client, "Emulation.setEmulatedMedia", json!({ "features": features })).await;
            let metrics =
                json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600 });
            devtools(client, "Emulation.setDeviceMetricsOverride", metrics).await;
            page::open(client, &format!("{}?lang={language}", server.url())).await;
            let photos = photos();
            page::pick(client, &photos).await;
            page::settled(client, photos.len()).await;
            // By keyboard alone from the menu on.
            client.execute("document.querySelector('#export-menu').focus()", vec![]).await.unwrap();
            client.press("\u{e007}").await.unwrap();
            for _ in 0..3 {
                client.press("\u{e004}").await.unwrap();
            }
            client.press("\u{e007}").await.unwrap();
            state(client, "planned").await;
            give_folder(client, &Files::new()).await;
            let mut found = violations(client, &format!("{scheme} {width}")).await;
            page::picture(client, &format!("keywords-{scheme}-{width}-{language}")).await;
            let fits = "const dialog = document.querySelector('[data-testid=tagging]');
                const box = dialog.getBoundingClientRect();
                return box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight
                    && dialog.scrollWidth <= dialog.clientWidth";
            assert_eq!(client.execute(fits, vec![]).await.unwrap(), true, "{width}");
            // On to the button that starts, which is the last one.
            let start = "document.querySelector('[data-testid=tag-start]')";
            for _ in 0..12 {
                client.press("\u{e004}").await.unwrap();
                let there =
                    client.execute(&format!("return document.activeElement === {start}"), vec![]).await;
                if there.unwrap() == true {
                    break;
                }
            }
            let downloads = TempDir::new().unwrap();
            client.save_into(downloads.path()).await.unwrap();
            client.press("\u{e007}").await.unwrap();
            state(client, "finished").await;
            let focused = client.execute("return document.activeElement.id", vec![]).await.unwrap();
            assert_eq!(focused, "tagging-status");
            found.extend(violations(client, &format!("{scheme} {width}, finished")).await);
            assert!(!saved(downloads.path()).await.is_empty());
            client.press("\u{e00c}").await.unwrap();
            page::until(client, "it is closed", "return !document.querySelector('[data-testid=tagging]')")
                .await;
            let focused = client.execute("return document.activeElement.id", vec![]).await.unwrap();
            assert_eq!(focused, "export-menu");
            assert!(found.is_empty(), "{}", found.join("\n"));
        });
    }
}

//! Drops and pastes lose nothing: what another page or a program gives instead of a file, and folders that are not
//! whole.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use server::{Disturbance, Options, Server};
use tempfile::TempDir;
use tests::browser::{Client, Setup, browse};
use tests::{page, site};

/// A drop or a paste of these forms.
async fn give(client: &Client, event: &str, forms: &[(&str, &str)]) {
    let script = "const [kind, forms] = arguments;
        const transfer = new DataTransfer();
        for (const [form, text] of forms) transfer.setData(form, text);
        const options = { bubbles: true, cancelable: true };
        const event = kind === 'drop' ? new DragEvent('drop', options) : new ClipboardEvent('paste', options);
        // Firefox takes no clipboard from a script in the ordinary way.
        Object.defineProperty(event, kind === 'drop' ? 'dataTransfer' : 'clipboardData', { value: transfer });
        document.body.dispatchEvent(event);";
    client.execute(script, vec![json!(event), json!(forms)]).await.expect("the page takes it");
}

/// One host that lets other pages read its pictures, and one that does not.
fn hosts() -> (Server, Server) {
    let open = site::serve_with(Options { cross_origin: true, ..Options::new(site::dist()) });
    let closed = site::serve_with(Options {
        isolation: false,
        disturb: Some(Box::new(|_| Disturbance::None)),
        ..Options::new(site::dist())
    });
    (open, closed)
}

#[test]
fn pictures_of_another_page_or_a_document_are_taken_where_they_may_be_read() {
    let (open, closed) = hosts();
    let server = site::serve();
    let picture = STANDARD.encode(std::fs::read(site::photo("baseline.jpg")).unwrap());
    let html = format!(
        "<script>window.ran = true</script><p onclick=\"window.ran = true\">
         <a href='https://host.invalid/page'><img src='{}samples/coffee.jpg'></a>
         <img src='{}samples/cat.jpg'><img src='data:image/jpeg;base64,{picture}'>
         <img src='file:///C:/Users/me/clip_image001.png'><img src=x onerror='window.ran = true'></p>",
        open.url(),
        closed.url()
    );
    browse(Setup::default(), async |client| {
        for event in ["drop", "paste"] {
            page::open(client, &server.url()).await;
            let forms = [("text/html", html.as_str()), ("text/uri-list", "https://host.invalid/page")];
            give(client, event, &forms).await;
            let cards = page::settled(client, 4).await;
            let states: Vec<_> = cards.iter().map(|card| (card.name.as_str(), card.state.as_str())).collect();
            let expected = [
                ("coffee.jpg", "done"),
                ("cat.jpg", "error"),
                ("picture.jpg", "done"),
                ("clip_image001.png", "error"),
            ];
            assert_eq!(states, expected, "{event}: {cards:?}");
            let sentence = |at: usize| cards[at].error.clone().unwrap_or_default();
            assert!(sentence(1).contains("does not let"), "{event}: {cards:?}");
            assert!(sentence(3).contains("file:"), "{event}: {cards:?}");
            let ran = client.execute("return window.ran === undefined", vec![]).await.unwrap();
            assert_eq!(ran, json!(true), "{event}: nothing of the document runs");
        }
    });
}

#[test]
fn an_address_in_any_form_is_fetched_and_nothing_said_by_mistake() {
    let (open, _) = hosts();
    let server = site::serve();
    let address = format!("{}samples/coffee.jpg", open.url());
    let picture = STANDARD.encode(std::fs::read(site::photo("baseline.jpg")).unwrap());
    let data = format!("data:image/jpeg;base64,{picture}");
    browse(Setup::default(), async |client| {
        for (event, form, text) in [
            ("drop", "text/uri-list", format!("# a comment\r\n{address}\r\n")),
            ("drop", "text/plain", address.clone()),
            ("paste", "text/plain", data),
        ] {
            page::open(client, &server.url()).await;
            give(client, event, &[(form, &text)]).await;
            let cards = page::settled(client, 1).await;
            assert_eq!(cards[0].state, "done", "{event} {form}: {cards:?}");
        }
        page::open(client, &server.url()).await;
        give(client, "drop", &[("text/plain", "just words"), ("text/html", "<b>just words</b>")]).await;
        let cards = page::settled(client, 1).await;
        assert!(cards[0].error.as_deref().unwrap_or_default().contains("no file"), "{cards:?}");
    });
}

#[test]
fn a_shortcut_is_the_address_in_it() {
    let (open, closed) = hosts();
    let server = site::serve();
    let folder = TempDir::new().unwrap();
    let files = [
        ("cat.url", format!("[InternetShortcut]\r\nURL={}samples/cat.jpg\r\n", open.url())),
        (
            "coffee.webloc",
            format!(
                "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>URL</key><string>{}samples/coffee.jpg</string></dict></plist>",
                closed.url()
            ),
        ),
    ]
    .map(|(name, content)| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    });
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &files).await;
        let cards = page::settled(client, 2).await;
        assert_eq!((cards[0].name.as_str(), cards[0].state.as_str()), ("cat.jpg", "done"), "{cards:?}");
        assert!(cards[1].error.as_deref().unwrap_or_default().contains("does not let"), "{cards:?}");
    });
}

/// No test can make a browser fail to list a folder, so the folder is one of the test's own making.
#[test]
fn a_folder_with_parts_that_cannot_be_read_gives_the_others() {
    let drop = "const bytes = await (await fetch('samples/cat.jpg')).blob();
        const file = (fullPath, give) => ({ isDirectory: false, name: fullPath.split('/').pop(), fullPath,
            file: (resolve, reject) => give ? resolve(new File([bytes], fullPath.split('/').pop())) : reject(new DOMException('gone')) });
        const folder = (fullPath, inside) => ({ isDirectory: true, name: fullPath.split('/').pop(), fullPath,
            createReader: () => ({ readEntries: (resolve, reject) =>
                inside ? resolve(inside.splice(0)) : reject(new DOMException('locked')) }) });
        const tree = folder('/holiday', [folder('/holiday/locked', null), folder('/holiday/open', [file('/holiday/open/cat.jpg', true)]),
            file('/holiday/clip.mp4', true), file('/holiday/gone.jpg', false), file('/holiday/last.jpg', true)]);
        DataTransferItem.prototype.webkitGetAsEntry = () => tree;
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['x'], 'holiday'));
        const event = new DragEvent('drop', { bubbles: true, cancelable: true });
        Object.defineProperty(event, 'dataTransfer', { value: dataTransfer });
        document.body.dispatchEvent(event);";
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        client.execute(&format!("return (async () => {{ {drop} }})()"), vec![]).await.unwrap();
        let cards = page::settled(client, 3).await;
        let states: Vec<_> = cards.iter().map(|card| (card.name.as_str(), card.state.as_str())).collect();
        assert_eq!(states, [("locked", "error"), ("last.jpg", "done"), ("cat.jpg", "done")], "{cards:?}");
        assert!(cards[0].error.as_deref().unwrap_or_default().contains("could not list"), "{cards:?}");
        page::element(client, "left-out").await;
        // Not the list's text: WebKit tells also of what is folded in.
        let summary = "return document.querySelector('[data-testid=left-out] summary').textContent.trim()";
        let tally = client.execute(summary, vec![]).await.unwrap();
        assert_eq!(tally, "3 files left out: 1 video, 1 unreadable, 1 folder that can’t be listed");
    });
}

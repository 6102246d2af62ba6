//! Other pages' ways in, in a real Chromium: the function `pipeline` and the element `<photo-classifier>` on the example
//! page, whose content security policy is as strict as they allow.

#[path = "embed/worker_scripts.rs"]
mod worker_scripts;

use serde_json::{Value, json};
use server::{Disturbance, Options};
use tests::axe::violations;
use tests::browser::{Client, Setup, browse, console_errors, devtools};
use tests::command_line::{assert_same, labels, labels_of};
use tests::{page, site};

const EXAMPLE: &str = "embed/example.html";

/// Runs the body of an async function on the page, with `pipeline` at hand, and gives what it returns; what it throws
/// as `{ threw, name }`.
async fn run(client: &Client, body: &str) -> Value {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         const threw = (error) => ({{ threw: error.message, isError: error instanceof Error }});
         (async () => {{ const {{ pipeline }} = await import('./index.js'); {body} }})().then(done, (e) => done(threw(e)));"
    );
    client.execute_async(&script, vec![]).await.unwrap()
}

async fn open(client: &Client, url: &str) {
    client.goto(&format!("{url}{EXAMPLE}")).await.unwrap();
}

/// The command line's labels and scores.
fn expected(photo: &str) -> Vec<(String, f64)> {
    labels(&site::sample(photo))
}

fn same(got: &Value, expected: &[(String, f64)], what: &str) {
    assert_same(got, expected, 1e-3, what);
}

/// Workers that run in the browser.
async fn workers(client: &Client) -> usize {
    let targets = devtools(client, "Target.getTargets", json!({})).await;
    targets["targetInfos"].as_array().unwrap().iter().filter(|target| target["type"] == "worker").count()
}

async fn no_worker_is_left(client: &Client) {
    for _ in 0..100 {
        if workers(client).await == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the worker still runs");
}

#[test]
fn the_function_answers_what_the_command_line_answers() {
    let (cat, coffee) = (expected("cat.jpg"), expected("coffee.jpg"));
    let server = site::serve();
    browse(Setup::default(), async |client| {
        open(client, &server.url()).await;
        let loaded = "window.events = [];
            window.classify = await pipeline('image-classification', '../models/demo', { progress_callback: (e) => events.push(e) });
            return { task: classify.task, model: classify.model, backend: classify.backend, build: classify.build, events };";
        let loaded = run(client, loaded).await;
        assert_eq!(
            (&loaded["task"], &loaded["model"]["classes"]),
            (&json!("image-classification"), &json!(200))
        );
        let events = loaded["events"].as_array().unwrap();
        let states: Vec<_> = events.iter().map(|event| event["status"].as_str().unwrap()).collect();
        assert_eq!((states[0], states[1]), ("initiate", "progress"), "{states:?}");
        assert_eq!(states[states.len() - 2..], ["done", "ready"], "{states:?}");
        let last = &events[events.len() - 3];
        assert_eq!((&last["progress"], &last["loaded"]), (&json!(100), &last["total"]), "{last}");
        assert!(workers(client).await > 0);

        same(&run(client, "return classify('../samples/cat.jpg')").await, &cat, "an address");
        let blob = "return classify(await (await fetch('../samples/cat.jpg')).blob(), { top_k: 2 })";
        same(&run(client, blob).await, &cat[..2], "a blob");
        same(&run(client, "return classify(document.querySelector('#coffee'))").await, &coffee, "an <img>");
        let both = run(
            client,
            "return classify(['../samples/cat.jpg', new URL('../samples/coffee.jpg', location.href)])",
        )
        .await;
        same(&both[0], &cat, "the first of two");
        same(&both[1], &coffee, "the second of two");
        assert_eq!(
            run(client, "return (await classify('../samples/cat.jpg', { top_k: null })).length").await,
            200
        );
        // The browser decodes these, each channel within a step or two of the worker's own decoder.
        let drawn =
            "const image = document.querySelector('#coffee'), canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
            const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
            return classify([canvas, pixels, await createImageBitmap(image)]);";
        let drawn = run(client, drawn).await;
        for (i, what) in ["a canvas", "pixels", "a bitmap"].into_iter().enumerate() {
            let got = labels_of(&drawn[i]);
            assert!(got[0].0 == coffee[0].0 && (got[0].1 - coffee[0].1).abs() < 0.03, "{what}: {got:?}");
        }
        let chinese = run(client, "return classify('../samples/cat.jpg', { lang: 'zh' })").await;
        assert!(chinese[0]["label"].as_str().unwrap().chars().all(|c| c as u32 > 0x2e80), "{chinese}");

        // The page picks the same program for its worker.
        page::open(client, &server.url()).await;
        page::ready(client).await;
        let said = page::element(client, "backend").await.text().await.unwrap();
        let detail = page::instructions(client).await;
        let backend = &loaded["backend"];
        let threads = backend["threads"].as_u64().unwrap();
        // Which of a program's forms of the products is faster each of them measures for itself.
        let forms =
            backend["reasons"].as_array().unwrap().iter().find(|reason| reason["kind"] == "fastest").unwrap();
        let is_known =
            forms["chosen"] == json!(detail) || forms["slower"].as_array().unwrap().contains(&json!(detail));
        assert!(is_known && said.contains(&format!("{threads} thread")), "{said}, {detail:?}: {backend}");
        let programs = "return performance.getEntriesByType('resource').map(e => e.name).filter(n => n.endsWith('worker.js'))";
        let programs = client.execute(programs, vec![]).await.unwrap();
        assert!(programs.to_string().contains(loaded["build"].as_str().unwrap()), "{programs} {loaded}");
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

#[test]
fn what_goes_wrong_is_an_error_with_a_sentence() {
    let server = site::serve();
    let elsewhere = site::serve();
    browse(Setup::default(), async |client| {
        open(client, &server.url()).await;
        let far = format!(
            "await pipeline('image-classification', null, {{ workerUrl: '{}workers/' }})",
            elsewhere.url()
        );
        let cases = [
            ("await pipeline('text-generation')".to_owned(), "The one task is"),
            (
                "await pipeline('image-classification', 'javascript:alert(1)')".to_owned(),
                "model is an address",
            ),
            ("await pipeline('image-classification', '../nowhere')".to_owned(), "manifest.json answered 404"),
            (
                "await pipeline('image-classification', null, { threads: 65 })".to_owned(),
                "threads goes from 0",
            ),
            (
                "await pipeline('image-classification', null, { backend: 'abacus' })".to_owned(),
                "backend is one of",
            ),
            (
                "await pipeline('image-classification', null, { workerUrl: '/nowhere' })".to_owned(),
                "could not be fetched or started",
            ),
            (far, "from the page's own origin alone"),
            (
                "window.classify = await pipeline('image-classification'); await classify(7)".to_owned(),
                "A photo is a File",
            ),
            ("await classify('../nowhere.jpg')".to_owned(), "answered 404"),
            ("await classify(new Blob(['no photo']))".to_owned(), "."),
            ("await classify(['../samples/cat.jpg', new Blob([])])".to_owned(), "."),
            ("await classify('../samples/cat.jpg', { top_k: 0 })".to_owned(), "top_k is a number"),
            ("await classify(new Image())".to_owned(), "shows nothing"),
        ];
        for (body, named) in cases {
            let outcome = run(client, &format!("{body}; return 'it went well'")).await;
            let sentence = outcome["threw"].as_str().unwrap_or_else(|| panic!("{body}: {outcome}"));
            assert!(
                sentence.contains(named) && sentence.ends_with('.') && sentence.contains(' '),
                "{body}: {sentence}"
            );
            assert_eq!(outcome["isError"], true, "{body}");
        }
        // After all that the classifier still answers, until it is disposed of; what it had in hand is told so.
        assert!(run(client, "return classify('../samples/cat.jpg')").await.is_array());
        let disposed = run(
            client,
            "const asked = classify('../samples/cat.jpg').catch((e) => e.message);
            await new Promise((r) => setTimeout(r)); await classify.dispose(); await classify.dispose();
            return [await asked, await classify('../samples/cat.jpg').catch((e) => e.message)]",
        )
        .await;
        for sentence in disposed.as_array().unwrap() {
            assert!(sentence.as_str().unwrap().contains("was disposed of"), "{disposed}");
        }
        no_worker_is_left(client).await;
    });
}

/// What the element shows: its rows, what it says, and the events so far.
const SHOWN: &str = "const root = document.querySelector('photo-classifier').shadowRoot;
    const text = (part, row = root) => row.querySelector(`[part=${part}]`).textContent;
    return { rows: [...root.querySelectorAll('[part=result]')].map((row) => [text('label', row), text('score', row), row.querySelector('rect').getAttribute('width')]),
        said: text('status'), button: text('button'), drawn: !root.querySelector('[part=photo]').hidden, events }";

/// Collects the element's events.
async fn listen(client: &Client) {
    let listen = "window.events = []; await customElements.whenDefined('photo-classifier');
        const element = document.querySelector('photo-classifier');
        for (const type of ['result', 'progress', 'error']) element.addEventListener(type, ({ detail }) =>
            events.push([type, detail.error?.message ?? detail.results ?? detail.status]));";
    run(client, listen).await;
}

/// Hands the element a file in an event, as a drop or a paste brings it.
async fn bring(client: &Client, how: &str, address: &str, name: &str) {
    let transfer = format!(
        "const bytes = await (await fetch('{address}')).blob(), transfer = new DataTransfer();
         transfer.items.add(new File([bytes], '{name}', {{ type: 'image/jpeg' }}));
         const options = {{ bubbles: true, composed: true, cancelable: true }};
         const inside = document.querySelector('photo-classifier').shadowRoot.querySelector('[part=zone]');"
    );
    let event = match how {
        "drop" => "inside.dispatchEvent(new DragEvent('drop', { ...options, dataTransfer: transfer }))",
        _ => "inside.dispatchEvent(new ClipboardEvent('paste', { ...options, clipboardData: transfer }))",
    };
    run(client, &format!("{transfer} {event}; return null")).await;
}

async fn rows(client: &Client, best: &str) -> Value {
    let script = format!(
        "return document.querySelector('photo-classifier').shadowRoot.querySelector('[part=result] [part=label]')?.textContent === {}",
        json!(best)
    );
    page::until(client, best, &script).await;
    client.execute(SHOWN, vec![]).await.unwrap()
}

#[test]
fn the_element_takes_photos_and_shows_what_the_command_line_answers() {
    let (cat, coffee) = (expected("cat.jpg"), expected("coffee.jpg"));
    let server = site::serve();
    browse(Setup::default(), async |client| {
        open(client, &server.url()).await;
        listen(client).await;
        assert_eq!(workers(client).await, 0, "nothing is loaded before the first photo");
        bring(client, "drop", "../samples/cat.jpg", "cat.jpg").await;
        let shown = rows(client, &cat[0].0).await;
        let listed = shown["rows"].as_array().unwrap();
        assert_eq!(listed.len(), 3, "top-k=3: {shown}");
        for (row, (label, score)) in listed.iter().zip(&cat) {
            let width: f64 = row[2].as_str().unwrap().trim_end_matches('%').parse().unwrap();
            assert!(row[0] == label.as_str() && (width - 100.0 * score).abs() < 0.1, "{row}: {score}");
            assert!(row[1].as_str().unwrap().ends_with('%'), "{row}");
        }
        let events = shown["events"].as_array().unwrap();
        let progress = events.iter().filter(|event| event[0] == "progress").count();
        let result = events.iter().find(|event| event[0] == "result").unwrap_or_else(|| panic!("{shown}"));
        same(&result[1], &cat[..3], "the event");
        assert!(progress > 2 && shown["drawn"] == true && shown["said"] == "", "{shown}");

        bring(client, "paste", "../samples/coffee.jpg", "coffee.jpg").await;
        rows(client, &coffee[0].0).await;
        let attribute = |name: &str, value: &str| {
            format!("document.querySelector('photo-classifier').setAttribute('{name}', '{value}')")
        };
        client.execute(&attribute("top-k", "2"), vec![]).await.unwrap();
        let two = "return document.querySelector('photo-classifier').shadowRoot.querySelectorAll('[part=result]').length === 2";
        page::until(client, "two classes", two).await;
        client.execute(&attribute("lang", "zh"), vec![]).await.unwrap();
        page::until(client, "Chinese", "return document.querySelector('photo-classifier').shadowRoot.querySelector('[part=button]').textContent === '换一张照片'").await;

        // A bad file is told on the element and in an event, and the next photo is answered.
        client.execute(&attribute("lang", "en"), vec![]).await.unwrap();
        bring(client, "drop", "example.css", "not-a-photo.jpg").await;
        page::until(client, "the fault is told", "return events.at(-1)[0] === 'error'").await;
        let shown = client.execute(SHOWN, vec![]).await.unwrap();
        let said = shown["said"].as_str().unwrap();
        assert!(
            said.ends_with('.') && shown["events"].as_array().unwrap().last().unwrap()[1] == said,
            "{shown}"
        );
        assert_eq!((&shown["rows"], &shown["drawn"]), (&json!([]), &json!(false)));
        bring(client, "drop", "../samples/cat.jpg", "cat.jpg").await;
        rows(client, &cat[0].0).await;

        // Taken off the page, it takes its worker along; moved on the page, it does not.
        let element = "document.querySelector('photo-classifier')";
        client.execute(&format!("document.body.append({element})"), vec![]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(workers(client).await > 0, "it was only moved");
        client.execute(&format!("{element}.remove()"), vec![]).await.unwrap();
        no_worker_is_left(client).await;
        assert_eq!(
            console_errors(client).await,
            Vec::<String>::new(),
            "and the policy had nothing to refuse"
        );
    });
}

/// The example page's own button, keyboard and screen reader, both themes, a phone; and a page without isolation.
#[test]
fn the_example_page_is_for_everybody() {
    let cat = expected("cat.jpg");
    for (dark, isolation, width) in [(false, true, 1280), (true, false, 390)] {
        let server = site::serve_with(Options { isolation, ..Options::new(site::dist()) });
        browse(Setup { dark, ..Setup::default() }, async |client| {
            let metrics = json!({ "width": width, "height": 920, "deviceScaleFactor": 1, "mobile": false });
            devtools(client, "Emulation.setDeviceMetricsOverride", metrics).await;
            let scheme = if dark { "dark" } else { "light" };
            let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
            devtools(client, "Emulation.setEmulatedMedia", json!({ "features": features })).await;
            open(client, &server.url()).await;
            listen(client).await;
            let mut found = violations(client, &format!("{scheme}, empty")).await;
            bring(client, "drop", "../samples/cat.jpg", "cat.jpg").await;
            rows(client, &cat[0].0).await;
            page::click(client, "#ask").await;
            page::until(
                client,
                "the function has answered",
                "return document.querySelector('#answer').textContent.startsWith('[')",
            )
            .await;
            found.extend(violations(client, &format!("{scheme}, answered")).await);
            assert!(found.is_empty(), "{}", found.join("\n"));
            let wider = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
            assert_eq!(
                client.execute(wider, vec![]).await.unwrap(),
                false,
                "{width} px: it scrolls sideways"
            );
            if !dark {
                page::picture(client, "embed-light").await;
            }
            assert_eq!(console_errors(client).await, Vec::<String>::new());
        });
    }
}

/// A worker that breaks down leaves no promise hanging.
#[test]
fn a_worker_that_never_comes_is_told() {
    let disturb = |request: &server::Request| match request.path().contains("glue_bg.wasm") {
        true => Disturbance::Answer {
            status: 200,
            content_type: "application/wasm",
            headers: vec![],
            body: vec![0; 9],
        },
        false => Disturbance::None,
    };
    let server = site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(site::dist()) });
    browse(Setup::default(), async |client| {
        open(client, &server.url()).await;
        let outcome = run(client, "await pipeline('image-classification')").await;
        assert!(outcome["threw"].as_str().unwrap().contains("could not be started"), "{outcome}");
        no_worker_is_left(client).await;
    });
}

/// Before the worker's own code: ends it without a word, as a browser ends what takes too much memory, over a photo of
/// this name or when the page says so.
const MORTAL: &str = "new BroadcastChannel('end').addEventListener('message', () => self.close());
self.addEventListener('message', (event) => {
  if (event.data[1]?.name !== 'deadly.jpg') return;
  event.stopImmediatePropagation();
  self.close();
});
";

#[test]
fn a_worker_that_ends_without_a_word_is_told_and_replaced() {
    let (cat, coffee) = (expected("cat.jpg"), expected("coffee.jpg"));
    let disturb = |request: &server::Request| match request.path().strip_suffix("/worker.js") {
        Some(folder) => {
            let path = site::dist().join(folder.trim_start_matches('/')).join("worker.js");
            let body = [MORTAL.as_bytes(), &std::fs::read(path).unwrap()].concat();
            Disturbance::Answer { status: 200, content_type: "text/javascript", headers: vec![], body }
        }
        None => Disturbance::None,
    };
    let server = site::serve_with(Options { disturb: Some(Box::new(disturb)), ..Options::new(site::dist()) });
    browse(Setup::default(), async |client| {
        open(client, &server.url()).await;
        let outcome = run(
            client,
            "const classify = await pipeline('image-classification');
            const deadly = new File([await (await fetch('../samples/cat.jpg')).blob()], 'deadly.jpg');
            const late = new Promise((resolve) => setTimeout(resolve, 10_000, 'nothing'));
            const told = await Promise.race([classify(deadly), late]).catch((e) => e.message);
            if (told === 'nothing') return { told };
            const next = await pipeline('image-classification');
            const results = await next('../samples/cat.jpg');
            await next.dispose();
            return { told, ended: classify.ended, again: await classify(deadly).catch((e) => e.message), results }",
        )
        .await;
        let told = outcome["told"].as_str().unwrap_or_else(|| panic!("{outcome}"));
        assert!(told.contains("ended without a word") && told.ends_with('.'), "{outcome}");
        assert_eq!((&outcome["ended"], &outcome["again"]), (&json!(true), &outcome["told"]));
        same(&outcome["results"], &cat, "another pipeline");

        // The element says the same, and looks at the next photo with another worker.
        listen(client).await;
        bring(client, "drop", "../samples/cat.jpg", "deadly.jpg").await;
        page::until(client, "the end is told", "return events.at(-1)?.[0] === 'error'").await;
        let shown = client.execute(SHOWN, vec![]).await.unwrap();
        assert_eq!((&shown["said"], &shown["rows"]), (&json!(told), &json!([])));
        bring(client, "drop", "../samples/cat.jpg", "cat.jpg").await;
        rows(client, &cat[0].0).await;
        // So it does where the worker ended while it had nothing to do.
        let end = "window.channel = new BroadcastChannel('end'); window.channel.postMessage(null)";
        client.execute(end, vec![]).await.unwrap();
        no_worker_is_left(client).await;
        bring(client, "drop", "../samples/coffee.jpg", "coffee.jpg").await;
        let shown = rows(client, &coffee[0].0).await;
        let errors = shown["events"].as_array().unwrap().iter().filter(|event| event[0] == "error");
        assert_eq!(errors.count(), 1, "{shown}");
    });
}

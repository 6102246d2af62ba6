//! Photos stay where they are: every request that the browser makes is recorded, and none goes elsewhere
//! or carries anything.

use serde_json::{Value, json};
use tests::browser::{Setup, browse};
use tests::{page, site};

/// A script that gets into the page all the same can do nothing.
#[test]
fn the_content_security_policy_refuses_what_is_not_the_sites() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        let attempts = "const done = arguments[arguments.length - 1];
            const refused = [];
            document.addEventListener('securitypolicyviolation', e => refused.push(e.effectiveDirective));
            const element = (name, set) => { const e = document.createElement(name); set(e); document.body.append(e); };
            element('script', e => e.textContent = 'window.ran = true');
            element('div', e => e.innerHTML = '<img src=x onerror=\"window.ran = true\"><p style=\"color:red\">');
            element('img', e => e.src = 'https://example.invalid/x.png');
            element('iframe', e => e.src = 'https://example.invalid/');
            try { new Worker(URL.createObjectURL(new Blob(['1']))); } catch {}
            setTimeout(() => done([window.ran ?? false, [...new Set(refused)].sort()]), 1000);";
        let outcome = client.execute_async(attempts, vec![]).await.unwrap();
        assert_eq!(outcome[0], json!(false), "a foreign script ran");
        for directive in
            ["script-src-elem", "script-src-attr", "style-src-attr", "img-src", "frame-src", "worker-src"]
        {
            assert!(
                outcome[1].as_array().unwrap().contains(&json!(directive)),
                "{directive} let it pass: {outcome}"
            );
        }
    });
}

/// A page is told in its HTML, on any host; its workers only by the server's header.
#[test]
fn html_and_header_say_the_same() {
    let html = std::fs::read_to_string(site::dist().join("index.html")).unwrap();
    assert!(html.contains(server::PAGE_POLICY), "{html}");
    assert!(!html.contains("<script>") && !html.contains("style="), "nothing in it needs more");
}

/// Names and labels are text, whatever is in them.
#[test]
fn a_hostile_file_name_stays_text() {
    let folder = tempfile::TempDir::new().unwrap();
    let name = "<img src=x onerror=alert(1)>.jpg";
    let photo = folder.path().join(name);
    std::fs::copy(site::sample("cat.jpg"), &photo).unwrap();
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[photo]).await;
        let cards = page::settled(client, 1).await;
        assert_eq!(cards[0].name, name);
        let images: Value =
            client.execute("return document.querySelectorAll('img[src=x]').length", vec![]).await.unwrap();
        assert_eq!(images, 0);
    });
}

/// WebKit's driver tells no requests.
mod chromium_and_firefox {
    use server::Options;
    use tests::browser::{Setup, browse, console_errors, requests};
    use tests::{page, site};

    #[test]
    fn no_request_leaves_the_site_and_none_carries_a_photo() {
        let server = site::serve_with(Options { record: true, ..Options::new(site::dist()) });
        let origin = server.url();
        browse(Setup::default(), async |client| {
            // What the browser's own first page did is not ours.
            requests(client).await;
            page::open(client, &origin).await;
            page::drop_files(client, &["cat.jpg", "coffee.jpg"].map(site::sample)).await;
            page::settled(client, 2).await;
            page::click(client, "[data-testid=prediction] button").await;
            page::element(client, "heatmap").await;
            let mut requests = requests(client).await;
            // Those stay inside the browser.
            let leaves = |url: &str| !["chrome:", "data:"].iter().any(|scheme| url.starts_with(scheme));
            requests.retain(|request| leaves(&request.url));
            assert!(requests.len() > 10, "the log is kept: {requests:?}");
            for request in &requests {
                let url = &request.url;
                // A blob is in the browser itself.
                assert!(
                    url.starts_with(&origin) || url.starts_with(&format!("blob:{origin}")),
                    "a request to {url}"
                );
                assert_eq!(request.method, "GET", "{url}");
                assert!(!request.carries, "{url} carries something");
            }
            assert_eq!(console_errors(client).await, Vec::<String>::new());
        });
        for record in server.requests() {
            assert!(["GET", "HEAD"].contains(&record.method.as_str()), "{record:?}");
        }
    }
}

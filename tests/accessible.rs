//! For everybody: axe-core finds nothing in any state of the page, in both themes and languages; it fits
//! narrow and wide windows, and shows where the keyboard's focus is.

use serde_json::json;
use tests::axe::violations;
use tests::browser::{Client, Setup, browse, devtools};
use tests::{page, site};

#[test]
fn axe_finds_nothing_in_any_state_of_the_page() {
    let server = site::serve();
    for (dark, language) in [(false, "en"), (true, "zh")] {
        browse(Setup { dark, ..Setup::default() }, async |client| {
            let scheme = if dark { "dark" } else { "light" };
            let features = json!([
                { "name": "prefers-color-scheme", "value": scheme },
                // Nothing is judged half faded in.
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]);
            devtools(client, "Emulation.setEmulatedMedia", json!({ "features": features })).await;
            page::open(client, &format!("{}?lang={language}", server.url())).await;
            page::ready(client).await;
            let mut found = violations(client, &format!("{scheme}, empty")).await;
            let mut photos = ["cat.jpg", "coffee.jpg", "mountain.jpg"].map(site::sample).to_vec();
            photos.push(site::photo("not-a-photo.jpg"));
            page::pick(client, &photos).await;
            page::settled(client, photos.len()).await;
            page::until(
                client,
                "previews are drawn",
                "return document.querySelectorAll('.card.shown').length === 3",
            )
            .await;
            found.extend(violations(client, &format!("{scheme}, answers")).await);
            teach(client).await;
            found.extend(violations(client, &format!("{scheme}, own classes")).await);
            page::click(client, "[data-testid=prediction] button").await;
            page::element(client, "heatmap").await;
            page::click(client, "[data-testid=show-input]").await;
            page::element(client, "input").await;
            found.extend(violations(client, &format!("{scheme}, large view")).await);
            assert!(found.is_empty(), "{}", found.join("\n"));
        });
    }
}

/// Teaches two classes, so that all of the panel is there.
async fn teach(client: &Client) {
    page::open_teach(client).await;
    let cups_and_mountains = ["coffee.jpg", "mountain.jpg"].map(site::sample).to_vec();
    let classes = [("cat", vec![site::sample("cat.jpg")]), ("other", cups_and_mountains)];
    page::fill_classes(client, &classes).await;
    page::click(client, "[data-testid=teach-train]:not([disabled])").await;
    page::element(client, "teach-confusion").await;
}

#[test]
fn nothing_is_cut_off_from_the_narrowest_window_to_the_widest() {
    let server = site::serve();
    for (width, height) in [(320, 640), (768, 1024), (1280, 900), (3840, 2160)] {
        browse(Setup::default(), async |client| {
            let metrics =
                json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            devtools(client, "Emulation.setDeviceMetricsOverride", metrics).await;
            page::open(client, &server.url()).await;
            page::ready(client).await;
            let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(
                client.execute(wider, vec![]).await.unwrap(),
                0,
                "{width} px, empty: it scrolls sideways"
            );
            page::pick(client, &["cat.jpg", "coffee.jpg"].map(site::sample)).await;
            page::settled(client, 2).await;
            assert_eq!(client.execute(wider, vec![]).await.unwrap(), 0, "{width} px: it scrolls sideways");
            page::click(client, "[data-testid=prediction] button").await;
            page::element(client, "heatmap").await;
            let outside = "const inside = r => r.left >= -1 && r.right <= innerWidth + 1;
                return [...document.querySelectorAll('[data-testid=viewer] :is(button, p, dl, input, .stage)')]
                    .filter(e => e.getClientRects().length && !inside(e.getBoundingClientRect())).map(e => e.outerHTML.slice(0, 80))";
            assert_eq!(
                client.execute(outside, vec![]).await.unwrap(),
                json!([]),
                "{width} px: cut off in the large view"
            );
        });
    }
}

#[test]
fn every_control_is_reached_by_tab_and_shows_the_focus() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("cat.jpg")]).await;
        page::settled(client, 1).await;
        let controls = "return [...document.querySelectorAll('button, a[href], input, select, summary')]
            .filter(e => !e.disabled && e.checkVisibility()).length";
        let controls = client.execute(controls, vec![]).await.unwrap().as_u64().unwrap();
        client
            .execute("document.activeElement.blur(); window.reached = new Set(); window.unseen = []", vec![])
            .await
            .unwrap();
        for _ in 0..controls + 3 {
            let key = json!({ "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
            for kind in ["rawKeyDown", "keyUp"] {
                let mut event = key.clone();
                event["type"] = kind.into();
                devtools(client, "Input.dispatchKeyEvent", event).await;
            }
            let note = "const e = document.activeElement;
                if (e && e !== document.body && !window.reached.has(e)) {
                    window.reached.add(e);
                    // A hidden file input shows its focus on its label, around it or behind it.
                    const shown = e.type === 'file' ? e.closest('label') ?? e.nextElementSibling : e;
                    const style = getComputedStyle(shown);
                    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) window.unseen.push(shown.outerHTML.slice(0, 120));
                }";
            client.execute(note, vec![]).await.unwrap();
        }
        let reached = client.execute("return window.reached.size", vec![]).await.unwrap();
        assert_eq!(reached, controls, "controls reached by Tab");
        assert_eq!(
            client.execute("return window.unseen", vec![]).await.unwrap(),
            json!([]),
            "no visible focus"
        );
    });
}

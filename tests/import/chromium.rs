//! What only Chromium's DevTools can set up: themes, small windows, little room.

use crate::visit::{HUGGING_FACE, SLOW, Visit};
use serde_json::json;
use tests::axe::violations;
use tests::browser::{Client, Setup, browse, devtools};
use tests::hub_stand_in::status;
use tests::import;
use tests::page;

/// Offer, progress, pause and fault are for everybody, in both themes and languages, and fit a phone.
#[test]
fn an_import_is_accessible_and_fits_a_phone() {
    for (dark, language) in [(false, "en"), (true, "zh")] {
        let visit = Visit::new();
        visit.hub.set(|behaviour| behaviour.every_transfer = SLOW);
        browse(Setup { dark, ..Setup::THREADS }, async |client| {
            let scheme = if dark { "dark" } else { "light" };
            let features = json!([
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]);
            devtools(client, "Emulation.setEmulatedMedia", json!({ "features": features })).await;
            page::open(client, &format!("{}?lang={language}", visit.site.url())).await;
            page::ready(client).await;
            let mut found = Vec::new();
            let mut look = async |client: &Client, state: &str| {
                for width in [1280, 390, 320] {
                    let metrics =
                        json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
                    devtools(client, "Emulation.setDeviceMetricsOverride", metrics).await;
                    found.extend(violations(client, &format!("{scheme}, {state}, {width} px")).await);
                    let wide = "return document.documentElement.scrollWidth > innerWidth";
                    assert_eq!(
                        client.execute(wide, vec![]).await.unwrap(),
                        false,
                        "{state}, {width} px: it is cut off"
                    );
                    if width > 320 && !dark {
                        page::picture(client, &format!("import-{state}-{width}")).await;
                    }
                }
            };
            client
                .execute("document.querySelector('[data-testid=models]').open = true", vec![])
                .await
                .unwrap();
            look(client, "menu").await;
            import::ask(client, HUGGING_FACE).await;
            let focused = "return document.activeElement.closest('[data-testid=import]') !== null";
            page::until(client, "the offer has the focus", focused).await;
            look(client, "offer").await;
            import::start(client).await;
            import::some_is_kept(client).await;
            look(client, "progress").await;
            page::click(client, "[data-testid=import-pause]").await;
            page::element(client, "import-resume").await;
            look(client, "paused").await;
            visit.hub.set(|behaviour| behaviour.instead_of_redirect = Some(status(404, &[])));
            page::click(client, "[data-testid=import-resume]").await;
            import::fault(client).await;
            look(client, "fault").await;
            assert!(found.is_empty(), "{}", found.join("\n"));
        });
    }
}

#[test]
fn missing_room_is_told_before_anything_is_fetched() {
    let visit = Visit::new();
    browse(Setup::THREADS, async |client| {
        let origin = visit.site.url().trim_end_matches('/').to_owned();
        // The page's own files and its model take 42 MB of it.
        let quota = json!({ "origin": origin, "quotaSize": 50_000_000 });
        devtools(client, "Storage.overrideQuotaForOrigin", quota).await;
        visit.open(client).await;
        page::until(client, "the shell is kept", page::SHELL_IS_KEPT).await;
        println!("{}", client.execute("return navigator.storage.estimate()", vec![]).await.unwrap());
        let offer = import::ask(client, HUGGING_FACE).await;
        let start = page::element(client, "import-start").await;
        assert!(start.attr("disabled").await.unwrap().is_some(), "{offer}");
        assert!(offer.contains("lacks") && offer.contains("MB"), "{offer}");
    });
}

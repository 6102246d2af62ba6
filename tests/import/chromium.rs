//! What only Chromium's DevTools can set up: themes, small windows, little room.

use crate::visit::{self, HUGGING_FACE, Visit};
use serde_json::json;
use server::Disturbance;
use tests::axe::violations;
use tests::browser::{Client, Setup, browse, devtools};
use tests::hub_stand_in::status;
use tests::import;
use tests::{page, site};

/// The checkpoint takes half a minute: looks at the progress in three widths take several seconds, and more on a busy
/// machine.
const LEISURELY: Disturbance = Disturbance::Throttle(1_500_000);

/// Offer, progress, pause, fault and end are for everybody, in both themes and languages, and fit a phone.
#[test]
fn an_import_is_accessible_and_fits_a_phone() {
    let mut looks = vec![(false, "en"), (true, "zh")];
    if page::wants_pictures() {
        looks.extend([(true, "en"), (false, "zh")]);
    }
    for (dark, language) in looks {
        let visit = Visit::new();
        visit.hub.set(|behaviour| behaviour.every_transfer = LEISURELY);
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
                    if width > 320 {
                        page::picture(client, &format!("import-{scheme}-{language}-{state}-{width}")).await;
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
            visit.hub.set(|behaviour| {
                behaviour.instead_of_redirect = None;
                behaviour.every_transfer = Disturbance::None;
            });
            page::click(client, "[data-testid=import-cancel]").await;
            import::ask(client, HUGGING_FACE).await;
            import::start(client).await;
            import::finished(client, HUGGING_FACE).await;
            page::element(client, "import-done").await;
            page::ready(client).await;
            look(client, "done").await;
            assert!(found.is_empty(), "{}", found.join("\n"));
        });
    }
}

/// Before the workers' own code: the browser tells of little room. (Chromium tells of 10 GB whatever its quota is.)
const LITTLE_ROOM: &str = "navigator.storage.estimate = async () => ({ quota: 50e6, usage: 45e6 });\n";

#[test]
fn missing_room_is_told_before_anything_is_fetched() {
    let visit = Visit::with_script_in_workers(LITTLE_ROOM);
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        let offer = import::ask(client, HUGGING_FACE).await;
        let start = page::element(client, "import-start").await;
        assert!(start.attr("disabled").await.unwrap().is_some(), "{offer}");
        assert!(offer.contains("lacks 8 MB"), "{offer}");
    });
}

/// Where the browser tells of more room than it gives.
#[test]
fn a_browser_that_takes_no_more_is_told_and_the_old_model_answers() {
    let visit = Visit::new();
    browse(Setup::THREADS, async |client| {
        visit.open(client).await;
        page::ready(client).await;
        let origin = visit.site.url().trim_end_matches('/').to_owned();
        // Less than the model takes, even where nothing else is kept.
        let quota = json!({ "origin": origin, "quotaSize": 10_000_000 });
        devtools(client, "Storage.overrideQuotaForOrigin", quota).await;
        import::ask(client, HUGGING_FACE).await;
        import::start(client).await;
        let sentence = import::fault(client).await;
        assert!(sentence.contains("storage lacks"), "{sentence}");
        let kept = import::kept(client).await;
        assert!(kept.keys().any(|key| key.starts_with("manifest")) && kept.len() > 1, "{kept:?}");
        page::pick(client, &[site::sample("cat.jpg")]).await;
        visit::demo_answers(client, 1).await;
    });
}

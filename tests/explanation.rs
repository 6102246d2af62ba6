//! The large view: why a class, and what the network saw.

use serde_json::json;
use tests::browser::{Setup, browse, console_errors};
use tests::{page, site};

#[test]
fn each_class_of_an_answer_is_explained_by_parts_that_sum_to_its_logit() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("cat.jpg")]).await;
        let cards = page::settled(client, 1).await;
        let mut logits = Vec::new();
        for (rank, prediction) in cards[0].predictions.iter().enumerate() {
            // The first click is on the card, the others are in the large view.
            let inside = if rank == 0 { "[data-testid=photo-card]" } else { "[data-testid=viewer]" };
            page::click(client, &format!("{inside} [data-index='{}'] button", prediction.index)).await;
            let class = &prediction.text;
            let shown = "return document.querySelector('[data-testid=heatmap]')?.dataset ?? null";
            page::until(client, "the class is explained", &format!(
                "return document.querySelector('[data-testid=viewer] [data-index=\"{}\"] button[aria-pressed=true]')
                    && !!document.querySelector('[data-testid=heatmap]')", prediction.index)).await;
            let map = client.execute(shown, vec![]).await.unwrap();
            let number = |name: &str| map[name].as_str().unwrap().parse::<f64>().unwrap();
            // The demo model's head takes 8-bit inputs, whose rounding is told on a line of its own.
            assert!((number("sum") - number("logit")).abs() < 0.05, "{class}: {map}");
            assert_eq!(number("patches"), 64.0, "{class}: {map}");
            logits.push(number("logit"));
        }
        assert!(logits.is_sorted_by(|a, b| a >= b), "logits go down with the probability: {logits:?}");
        let sum = page::element(client, "sum").await.text().await.unwrap();
        assert!(sum.contains("Logit"), "{sum}");
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

#[test]
fn the_heat_map_lies_where_the_network_looked_and_its_strength_is_adjustable() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("coffee.jpg")]).await;
        page::settled(client, 1).await;
        page::click(client, "[data-testid=prediction] button").await;
        page::element(client, "heatmap").await;
        // 600 × 400 pixels, short side 128, crop 112: the square is 350 px and in the middle.
        let seen = "const s = document.querySelector('[data-testid=heatmap] .seen');
            return ['x', 'y', 'width', 'height'].map(n => Number(s.getAttribute(n)))";
        assert_eq!(client.execute(seen, vec![]).await.unwrap(), json!([125, 25, 350, 350]));
        let opacity = "return document.querySelector('[data-testid=heatmap]').getAttribute('opacity')";
        assert_eq!(client.execute(opacity, vec![]).await.unwrap(), json!("0.70"));
        let slide = "const s = document.querySelector('[data-testid=strength]'); s.value = 25;
            s.dispatchEvent(new InputEvent('input', { bubbles: true }));";
        client.execute(slide, vec![]).await.unwrap();
        page::until(client, "the map is weaker", &format!("{opacity} === '0.25'")).await;
    });
}

#[test]
fn what_the_network_saw_is_shown_pixel_by_pixel() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::sample("mountain.jpg")]).await;
        page::settled(client, 1).await;
        page::click(client, "[data-testid=photo-card] .open").await;
        page::click(client, "[data-testid=show-input]").await;
        page::element(client, "input").await;
        let script = "const c = document.querySelector('[data-testid=input]');
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let opaque = true, colours = new Set();
            for (let i = 0; i < d.length; i += 4) { opaque &&= d[i + 3] === 255; colours.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); }
            return [c.width, c.height, opaque, colours.size > 500]";
        page::until(client, "the square is drawn", &format!("return (() => {{ {script} }})()[3]")).await;
        assert_eq!(client.execute(script, vec![]).await.unwrap(), json!([112, 112, true, true]));
    });
}

/// In a headless Firefox no window has the focus, and keys don't click its buttons.
mod chromium {
    use tests::browser::{Client, Setup, browse};
    use tests::{page, site};

    #[test]
    fn the_large_view_is_used_by_keyboard_alone() {
        let server = site::serve();
        browse(Setup::default(), async |client| {
            page::open(client, &server.url()).await;
            page::pick(client, &["cat.jpg", "coffee.jpg", "mountain.jpg"].map(site::sample)).await;
            page::settled(client, 3).await;
            client
                .execute("document.querySelector('[data-testid=photo-card] .open').focus()", vec![])
                .await
                .unwrap();
            press(client, "\u{e007}").await; // Enter
            assert_eq!(name(client).await, "cat.jpg");
            press(client, "\u{e014}").await; // →
            assert_eq!(name(client).await, "coffee.jpg");
            press(client, "\u{e014}").await;
            press(client, "\u{e014}").await;
            assert_eq!(name(client).await, "mountain.jpg", "the last one stays");
            press(client, "\u{e012}").await; // ←
            assert_eq!(name(client).await, "coffee.jpg");
            press(client, "\u{e00c}").await; // Escape
            page::until(
                client,
                "the large view is closed",
                "return !document.querySelector('[data-testid=viewer]')",
            )
            .await;
            let focused = "return document.activeElement.closest('[data-testid=photo-card]')?.dataset.name";
            page::until(client, "the focus is on its photo", &format!("{focused} === 'coffee.jpg'")).await;
        });
    }

    async fn name(client: &Client) -> String {
        page::element(client, "viewer").await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        client.find_all("[data-testid=viewer] .name").await.unwrap()[0].text().await.unwrap()
    }

    /// Presses a key where the focus is.
    async fn press(client: &Client, key: &str) {
        client.press(key).await.unwrap();
    }
}

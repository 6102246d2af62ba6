//! A thousand photos. Alone in its file, since it measures memory.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tests::browser::{Setup, browse, console_errors};
use tests::{memory, page, site};

/// As many photos as a phone holds: few cards in the document, no memory that grows with the photos, and a
/// queue that can be stopped.
#[test]
fn a_thousand_photos_are_answered_in_flat_memory() {
    const PHOTOS: usize = 1000;
    let folder = TempDir::new().unwrap();
    let photos: Vec<PathBuf> = (0..PHOTOS)
        .map(|at| {
            let sample = ["cat.jpg", "coffee.jpg", "mountain.jpg"][at % 3];
            let path = folder.path().join(format!("{at:04}.jpg"));
            fs::copy(site::sample(sample), &path).unwrap();
            path
        })
        .collect();
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::ready(client).await;
        let watch = "window.longest = 0;
            new PerformanceObserver(list => { for (const t of list.getEntries()) window.longest = Math.max(window.longest, t.duration) })
                .observe({ entryTypes: ['longtask'] });";
        client.execute(watch, vec![]).await.unwrap();
        page::pick(client, &photos).await;
        page::until(
            client,
            "all photos are in",
            "return !!document.querySelector('[data-testid=tally]')?.textContent.includes('1,000')",
        )
        .await;

        page::click(client, "[data-testid=stop]").await;
        let left = "return Number(document.querySelector('[data-testid=queue]')?.dataset.left ?? 0)";
        tokio::time::sleep(Duration::from_secs(1)).await;
        let stopped = client.execute(left, vec![]).await.unwrap().as_u64().unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(client.execute(left, vec![]).await.unwrap(), stopped, "the queue stands still");
        assert!(stopped > 0);
        page::click(client, "[data-testid=stop]").await;

        let mut taken = Vec::new();
        let mut scroll = 0;
        for mark in [PHOTOS * 9 / 10, PHOTOS / 2, 0] {
            let what = format!("{mark} photos are left");
            page::until_within(client, &what, &format!("{left} <= {mark}"), Duration::from_secs(600)).await;
            // From top to bottom and back while the queue runs.
            scroll += 1;
            client
                .execute(&format!("scrollTo(0, document.body.scrollHeight * {scroll} / 3)"), vec![])
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            let cards = page::cards(client).await.len();
            assert!((3..=60).contains(&cards), "{cards} cards are drawn");
            client.execute("window.gc?.()", vec![]).await.unwrap();
            taken.push(memory::of_page());
        }
        let longest = client.execute("return window.longest", vec![]).await.unwrap().as_f64().unwrap();
        let megabytes: Vec<_> = taken.iter().map(|bytes| bytes >> 20).collect();
        println!("memory at the start, middle and end: {megabytes:?} MB; longest task: {longest:.0} ms");
        assert!(taken[2] < taken[0] + (60 << 20), "memory grows: {megabytes:?} MB");
        // 50 ms on a quiet machine; a busy one counts the time of others too.
        assert!(longest < 2000.0, "the page stood still for {longest} ms");
        client.execute("scrollTo(0, document.body.scrollHeight)", vec![]).await.unwrap();
        page::until(client, "the last photo is in sight",
            "return [...document.querySelectorAll('[data-testid=photo-card]')].some(c => c.dataset.name === '0999.jpg' && c.dataset.state === 'done')").await;
        assert_eq!(console_errors(client).await, Vec::<String>::new());
    });
}

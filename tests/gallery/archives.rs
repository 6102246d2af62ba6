//! Archives lose nothing: what is in one is a card, or counted and named.

use tests::browser::{Client, Setup, browse};
use tests::page::{self, Card};
use tests::site;

/// Cards by name: without a sentence, an answer.
fn told(cards: &[Card]) -> Vec<(&str, &str)> {
    cards.iter().map(|card| (card.name.as_str(), card.error.as_deref().unwrap_or_default())).collect()
}

/// What is said of the files that were left out, and their names.
async fn left_out(client: &Client) -> (String, Vec<String>) {
    page::click(client, "[data-testid=left-out] summary").await;
    let script = "const list = document.querySelector('[data-testid=left-out]');
        return [list.open, list.querySelector('summary').textContent, ...[...list.querySelectorAll('bdi')].map(name => name.textContent)]";
    let told = client.execute(script, vec![]).await.unwrap();
    assert_eq!(told[0], true, "the list unfolds");
    let text = |at: usize| told[at].as_str().unwrap().to_owned();
    (text(1), (2..told.as_array().unwrap().len()).map(text).collect())
}

#[test]
fn a_japanese_archive_gives_all_its_photos_under_their_names() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::archive("japanese.zip")]).await;
        let cards = page::settled(client, 4).await;
        assert_eq!(told(&cards), ["表.webp", "ソ.webp", "能.webp", "猫.webp"].map(|name| (name, "")));
    });
}

#[test]
fn what_cannot_be_taken_out_is_a_card_and_all_that_is_left_out_is_listed() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        page::open(client, &server.url()).await;
        page::pick(client, &[site::archive("odd.zip")]).await;
        let cards = page::settled(client, 7).await;
        let cards = told(&cards);
        let expected = [
            ("first.webp", ""),
            ("locked.webp", "encrypted"),
            ("deflate64.webp", "Deflate64"),
            ("second.webp", ""),
            ("third.webp", ""),
            ("deepest.zip", "deeper"),
            ("old.rar", "RAR"),
        ];
        for ((name, sentence), (wanted, said)) in cards.iter().zip(expected) {
            assert_eq!(*name, wanted, "{cards:?}");
            assert!(sentence.contains(said) && sentence.is_empty() == said.is_empty(), "{cards:?}");
        }
        let (summary, names) = left_out(client).await;
        assert_eq!(
            summary,
            "6 files left out: 2 videos, 1 encrypted, 1 packed in an unknown way, 2 nested archives"
        );
        let expected = ["locked.webp", "deflate64.webp", "deepest.zip", "clip.mp4", "clip.mp4", "old.rar"];
        assert_eq!(names, expected);
    });
}

#[test]
fn tar_files_are_opened_packed_or_not() {
    let server = site::serve();
    browse(Setup::default(), async |client| {
        for name in ["album.tar", "album.tar.gz"] {
            page::open(client, &server.url()).await;
            page::pick(client, &[site::archive(name)]).await;
            let cards = page::settled(client, 3).await;
            assert_eq!(
                told(&cards),
                ["猫.webp", "long.webp", "zipped.webp"].map(|name| (name, "")),
                "{name}"
            );
            let (summary, names) = left_out(client).await;
            assert_eq!(summary, "2 files left out: 1 document, 1 link or special file", "{name}");
            assert_eq!(names, ["holiday/notes.txt", "link.webp"], "{name}");
        }
        page::open(client, &server.url()).await;
        page::pick(client, &[site::archive("cut.tar")]).await;
        let cards = page::settled(client, 3).await;
        let cards = told(&cards);
        assert_eq!(cards[0], ("猫.webp", ""));
        assert!(cards[1].0 == "long.webp" && cards[1].1.contains("unpacked"), "{cards:?}");
        assert!(cards[2].0 == "cut.tar" && cards[2].1.contains("cut short"), "{cards:?}");
    });
}

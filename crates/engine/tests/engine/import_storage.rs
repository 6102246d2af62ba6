//! Imports and the storage that they share with models and other tabs.

use crate::support::COPIED;
use crate::support::checkpoint::{
    ADDRESS, checkpoint, converted, import, import_and_close, parts_asked_for, serve, served, tab,
    usual_source,
};
use crate::support::network::Way;
use engine::platform::Clock;
use futures_util::future::{join, select};
use protocol::Device;
use protocol::import::{ImportFault, ImportPhase};
use protocol::storage::Key;
use std::pin::pin;

#[test]
fn room_is_told_before_and_found_where_pieces_were() {
    let (world, checkpoint) = served();
    let mut tab = tab(&world);
    let all = converted(&checkpoint, "q8_0");
    let model: u64 = all.values().map(|file| file.len() as u64).sum();
    world.clock.run(async {
        world.storage.room.set(model / 2);
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        assert!(offer.missing_bytes > 0 && offer.missing_bytes < offer.kept_bytes);
        let outcome = tab.import(&offer, None).await;
        assert!(matches!(outcome, Err(ImportFault::NoRoom { missing }) if missing > 0), "{outcome:?}");
        // Not for both the pieces and the shards.
        world.storage.room.set(model + model / 2);
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        assert!(offer.resumed_bytes > 0, "what came is kept");
        tab.import(&offer, None).await.unwrap();
    });
    assert!(world.model_in_storage(&usual_source().address()).unwrap() == all);
    world.storage.is_private.set(true);
    assert_eq!(world.clock.run(import(&mut tab)), Err(ImportFault::NoStorage));
}

/// Chromium tells of 10 GB whatever it gives: the lack of room is noticed by a write that is refused.
#[test]
fn a_model_in_use_makes_no_room_for_an_import() {
    let (world, checkpoint) = served();
    let (tiny, day) = (crate::support::model::model(1), 24.0 * 3_600_000.0);
    tiny.serve(&world.network, crate::support::model::URL);
    let (mut user, mut importer) = (tab(&world), tab(&world));
    world.clock.run(user.load(crate::support::model::URL, Device::Cpu));
    let all = converted(&checkpoint, "q8_0");
    let model: u64 = all.values().map(|file| file.len() as u64).sum();
    world.storage.told_room.set(Some(10_000_000_000));
    // The page may have been open for long.
    world.clock.advance(3.0 * day);
    let before = world.model_in_storage(crate::support::model::URL);
    for share in [0.3, 0.7, 1.2] {
        // From no room for some of the pieces to none for the last shards, were the pieces not given up for them.
        world.storage.room.set(tiny.bytes() + (model as f64 * share) as u64);
        let outcome = world.clock.run(async {
            let offer = importer.inspect(&usual_source(), None).await?;
            assert_eq!(offer.missing_bytes, 0);
            importer.import(&offer, None).await.map(|_| offer.kept_bytes)
        });
        match outcome {
            Err(ImportFault::NoRoom { missing }) => assert!((1..=model).contains(&missing), "{missing}"),
            Ok(_) => assert!(world.model_in_storage(&usual_source().address()).is_some()),
            other => panic!("{share}: {other:?}"),
        }
        assert!(before.is_some() && world.model_in_storage(crate::support::model::URL) == before, "{share}");
    }
    assert!(world.model_in_storage(&usual_source().address()).unwrap() == all, "there was room at last");
    // Once another one is used that many days later, it may go.
    let other = "https://site.example/models/other/manifest.json";
    crate::support::model::model(2).serve(&world.network, other);
    world.storage.room.set(u64::MAX);
    world.clock.run(user.load(other, Device::Cpu));
    serve(&world.network, &crate::support::checkpoint::checkpoint(2), true);
    world.storage.room.set(world.storage.used() + model - tiny.bytes() / 2);
    world.clock.run(import(&mut importer)).unwrap();
    assert_eq!(world.model_in_storage(crate::support::model::URL), None);
    assert!(world.model_in_storage(other).is_some());
}

#[test]
fn a_second_tab_waits_and_finds_the_model_or_goes_on() {
    for closed in [false, true] {
        let (world, checkpoint) = served();
        let (mut first, mut second) = (tab(&world), tab(&world));
        world.clock.run(async {
            let offer = first.inspect(&usual_source(), None).await.unwrap();
            world.network.then(ADDRESS, &[Way::StallsAfter(80_000)]);
            let one = async {
                let import = pin!(first.import(&offer, None));
                let limit = if closed { 10_000 } else { 100_000 };
                select(import, pin!(world.clock.sleep(limit))).await;
            };
            let other = async {
                world.clock.sleep(50).await;
                second.import(&offer, None).await.unwrap();
            };
            join(one, other).await;
        });
        assert_eq!(second.import_progress().first().unwrap().phase, ImportPhase::Waiting);
        assert_eq!(second.import_progress().len() > 1, closed, "closed: {closed}");
        let stored = world.model_in_storage(&usual_source().address()).unwrap();
        assert!(stored == converted(&checkpoint, "q8_0"), "closed: {closed}");
        assert!(!world.storage.locks.is_any_held());
    }
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let (world, _) = served();
    let mut tab = tab(&world);
    world.clock.run(async {
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        tab.import(&offer, None).await.unwrap();
        let sent = *world.network.sent.borrow();
        tab.import(&offer, None).await.unwrap();
        assert_eq!(*world.network.sent.borrow(), sent);
        // Another version takes its place.
        serve(&world.network, &checkpoint(2), true);
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        tab.import(&offer, None).await.unwrap();
    });
    let stored = world.model_in_storage(&usual_source().address()).unwrap();
    assert!(stored == converted(&checkpoint(2), "q8_0"));
}

#[test]
fn a_model_that_is_loaded_leaves_an_import_under_way_alone_for_a_month() {
    let (world, _) = served();
    let tiny = crate::support::model::model(1);
    tiny.serve(&world.network, crate::support::model::URL);
    import_and_close(&world, 80_000);
    let entries = world.import_entries();
    assert!(entries.len() > 3, "{entries:?}");
    let stray = Key::Piece("import:hf:other/one#q8_0".into(), 3).path();
    world.storage.entries.borrow_mut().insert(stray.clone(), (vec![1], None));
    let load = || world.clock.run(tab(&world).load(crate::support::model::URL, Device::Cpu));
    load();
    assert_eq!(world.import_entries(), entries);
    world.clock.advance(29.0 * 24.0 * 3_600_000.0);
    load();
    assert_eq!(world.import_entries(), entries);
    world.clock.advance(2.0 * 24.0 * 3_600_000.0);
    load();
    assert_eq!(world.import_entries(), [""; 0]);
}

#[test]
fn a_damaged_piece_costs_only_what_follows_it() {
    let (world, checkpoint) = served();
    import_and_close(&world, 80_000);
    let damaged = Key::Piece(usual_source().address(), 2).path();
    world.storage.entries.borrow_mut().get_mut(&damaged).unwrap().0[50] ^= 1;
    let mut tab = tab(&world);
    world.clock.run(import(&mut tab)).unwrap();
    let parts = parts_asked_for(&world);
    assert!(parts.len() == 1 && parts[0] < 60_000, "{parts:?}");
    assert!(world.model_in_storage(&usual_source().address()).unwrap() == converted(&checkpoint, "q8_0"));
}

#[test]
fn each_byte_is_copied_into_the_programs_memory_once() {
    let (world, checkpoint) = served();
    let mut tab = tab(&world);
    world.clock.run(async {
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        COPIED.set(0);
        tab.import(&offer, None).await.unwrap();
        // Beside the checkpoint only checksums of what is kept: pieces, shards, and the import's entry after each piece.
        let most = checkpoint.len() as u64 + 2 * offer.kept_bytes + 40_000;
        assert!((checkpoint.len() as u64..most).contains(&COPIED.get()), "{} {most}", COPIED.get());
    });
}

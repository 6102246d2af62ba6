//! Checkpoints that are fetched in parts, so that no more of them waits in memory than a part has.

use crate::support::World;
use crate::support::checkpoint::{
    ADDRESS, STORAGE, checkpoint, converted, import, redirect, serve_both, tab, usual_source,
};
use crate::support::network::Way;
use engine::platform::Clock;
use futures_util::future::{join, select};
use protocol::import::ImportFault;
use std::pin::pin;
use std::rc::Rc;

const PART: u64 = 20_000;

/// A world whose hub redirects to a storage server, and whose machine holds [`PART`] bytes at most.
fn redirected() -> (Rc<World>, Vec<u8>) {
    let (world, checkpoint) = (World::new(), checkpoint(1));
    serve_both(&world.network, &checkpoint, true);
    world.network.redirect.replace(Some(redirect()));
    world.network.part_bytes.set(PART);
    (world, checkpoint)
}

/// Of each request for the checkpoint: the signature in its address, the first byte, and how many at the most.
fn requests(world: &World) -> Vec<(Option<u64>, u64, Option<u64>)> {
    let (asked, lengths) = (world.network.asked.borrow(), world.network.lengths.borrow());
    let requests = asked.iter().zip(lengths.iter()).filter_map(|((url, from, _), length)| {
        let signature = match url.strip_prefix(STORAGE) {
            Some(signed) => Some(signed.strip_prefix("?signature=")?.parse().ok()?),
            None if url == ADDRESS => None,
            None => return None,
        };
        Some((signature, *from, *length))
    });
    requests.collect()
}

/// The model is the command line's, and nothing of its import is left.
fn is_right(world: &World, checkpoint: &[u8]) {
    let stored = world.model_in_storage(&usual_source().address());
    assert!(stored.unwrap() == converted(checkpoint, "q8_0"));
    assert_eq!(world.import_entries(), [""; 0]);
}

#[test]
fn a_long_file_comes_in_parts_from_where_the_hub_led() {
    let (world, checkpoint) = redirected();
    let mut tab = tab(&world);
    world.clock.run(import(&mut tab)).unwrap();
    let requests = requests(&world);
    // The first looks at the header. The next is given up once the first part has come.
    assert_eq!(requests[..2], [(None, 0, None), (None, 0, None)]);
    let mut at = requests[2].1;
    assert!(at > 0 && at < PART, "{requests:?}");
    let total = checkpoint.len() as u64;
    for &(signature, from, length) in &requests[2..] {
        assert_eq!((signature, from), (Some(2), at), "{requests:?}");
        assert_eq!(length, Some(PART).filter(|part| total - at > *part), "{requests:?}");
        at += length.unwrap_or(total - at);
    }
    assert_eq!(at, total);
    assert!(tab.import_progress().iter().all(|progress| !progress.restarted));
    is_right(&world, &checkpoint);
}

#[test]
fn a_file_of_one_part_comes_in_one_response() {
    let (world, checkpoint) = redirected();
    world.network.part_bytes.set(checkpoint.len() as u64);
    world.clock.run(import(&mut tab(&world))).unwrap();
    assert_eq!(requests(&world), [(None, 0, None), (None, 0, None)]);
    is_right(&world, &checkpoint);
}

#[test]
fn where_no_part_comes_the_first_response_is_read_on() {
    for way in [
        Way::WithoutRanges,
        Way::RefusesRange,
        Way::Cut,
        Way::Stalled,
        Way::Status(403),
        Way::Status(500),
        Way::WebPage,
    ] {
        let (world, checkpoint) = redirected();
        let mut tab = tab(&world);
        world.clock.run(async {
            let offer = tab.inspect(&usual_source(), None).await.unwrap();
            world.network.always(STORAGE, way);
            world.network.then(ADDRESS, &[Way::Fine, way, way]);
            tab.import(&offer, None).await.unwrap();
        });
        let whole = requests(&world).into_iter().filter(|(_, from, _)| *from == 0).count();
        assert_eq!(whole, 2, "{way:?}: {:?}", requests(&world));
        assert!(tab.import_progress().iter().all(|progress| !progress.restarted), "{way:?}");
        is_right(&world, &checkpoint);
    }
}

#[test]
fn an_address_that_expires_is_asked_for_again() {
    let (world, checkpoint) = redirected();
    let mut tab = tab(&world);
    world.clock.run(async {
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        // One response and two parts of it are sent, then each address lasts for one part.
        world.network.then(STORAGE, &[Way::Fine, Way::Fine, Way::Status(403), Way::Status(403)]);
        tab.import(&offer, None).await.unwrap();
    });
    let requests = requests(&world);
    let of_hub: Vec<u64> =
        requests[2..].iter().filter(|(signature, ..)| signature.is_none()).map(|request| request.1).collect();
    assert_eq!(of_hub.len(), 2, "{requests:?}");
    assert!(of_hub.iter().all(|from| *from > 0), "{requests:?}");
    assert!(requests.iter().any(|(signature, ..)| *signature == Some(4)), "{requests:?}");
    assert!(tab.import_progress().iter().all(|progress| !progress.restarted));
    is_right(&world, &checkpoint);
}

/// Where the machine drops `Range` on its way to another origin, the address that it was led to is asked.
#[test]
fn a_resumed_import_finds_the_rest_where_the_hub_led() {
    for part_bytes in [PART, u64::MAX] {
        let (world, checkpoint) = redirected();
        world.network.part_bytes.set(part_bytes);
        world.network.redirect.borrow_mut().as_mut().unwrap().drops_range = true;
        world.clock.run(async {
            let mut tab = tab(&world);
            let offer = tab.inspect(&usual_source(), None).await.unwrap();
            world.network.then(ADDRESS, &[Way::StallsAfter(90_000)]);
            world.network.then(STORAGE, &[Way::Fine, Way::Fine, Way::Fine, Way::Stalled]);
            select(pin!(tab.import(&offer, None)), pin!(world.clock.sleep(10_000))).await;
        });
        world.network.heal();
        let mut tab = tab(&world);
        let before = requests(&world).len();
        world.clock.run(async {
            let offer = tab.inspect(&usual_source(), None).await.unwrap();
            assert!(offer.resumed_bytes > 0);
            tab.import(&offer, None).await.unwrap();
            let asked = requests(&world).split_off(before);
            assert!(asked[0].1 == offer.resumed_bytes || asked[0].1 == 0, "{asked:?}");
            let parts = asked.iter().filter(|(signature, ..)| signature.is_some());
            assert_eq!(parts.clone().next().unwrap().1, offer.resumed_bytes, "{asked:?}");
            // The header is looked at once more; only what is left comes.
            assert!(asked.iter().filter(|(_, from, _)| *from == 0).count() <= 1, "{asked:?}");
        });
        assert!(tab.import_progress().iter().all(|progress| !progress.restarted));
        is_right(&world, &checkpoint);
    }
}

#[test]
fn a_part_that_breaks_is_gone_on_with_where_it_was() {
    for way in [Way::BreaksAfter(8_000), Way::StallsAfter(8_000), Way::Truncated] {
        let (world, checkpoint) = redirected();
        let mut tab = tab(&world);
        world.clock.run(async {
            let offer = tab.inspect(&usual_source(), None).await.unwrap();
            world.network.then(STORAGE, &[Way::Fine, Way::Fine, way]);
            tab.import(&offer, None).await.unwrap();
        });
        let requests = requests(&world);
        assert_eq!(requests.iter().filter(|(_, from, _)| *from == 0).count(), 2, "{way:?}: {requests:?}");
        assert!(tab.import_progress().iter().all(|progress| !progress.restarted), "{way:?}");
        is_right(&world, &checkpoint);
    }
}

#[test]
fn parts_of_two_files_are_never_mixed() {
    for with_hash in [true, false] {
        for way in [Way::Fine, Way::WithoutTag] {
            let (world, first) = redirected();
            serve_both(&world.network, &first, with_hash);
            let mut tab = tab(&world);
            let outcome = world.clock.run(async {
                let offer = tab.inspect(&usual_source(), None).await.unwrap();
                world.network.then(STORAGE, &[Way::Fine, Way::StallsAfter(8_000)]);
                world.network.always("", way);
                let changes = async {
                    world.clock.sleep(100).await;
                    serve_both(&world.network, &checkpoint(2), with_hash);
                };
                join(tab.import(&offer, None), changes).await.0
            });
            let stored = world.model_in_storage(&usual_source().address());
            let version = |version| stored.as_ref() == Some(&converted(&checkpoint(version), "q8_0"));
            match outcome {
                Ok(_) => assert!(version(1) || version(2), "{with_hash} {way:?}"),
                Err(ImportFault::Damaged { .. }) => assert!(with_hash && stored.is_none(), "{way:?}"),
                Err(fault) => panic!("{with_hash} {way:?}: {fault:?}"),
            }
        }
    }
}

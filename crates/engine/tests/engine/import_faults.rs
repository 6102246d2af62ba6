//! Whatever happens during an import, one after another: in the end it is the command line's model, or a fault after which
//! it can be gone on with.

use crate::support::World;
use crate::support::checkpoint::{FILE, checkpoint, converted, redirect, serve_both, tab, usual_source};
use crate::support::network::{Redirect, Way};
use engine::platform::Clock;
use futures_util::future::{Either, select};
use proptest::prelude::*;
use protocol::import::ImportFault;
use std::pin::pin;

/// A visit, during which requests for the checkpoint go like this; perhaps the page is closed after so many milliseconds.
#[derive(Clone, Debug)]
struct Visit {
    ways: Vec<Way>,
    closed_after: Option<u32>,
    /// Another file is there from now on.
    changes: bool,
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        Just(Way::Fine),
        Just(Way::Cut),
        Just(Way::Stalled),
        (0usize..140_000).prop_map(Way::StallsAfter),
        (0usize..140_000).prop_map(Way::BreaksAfter),
        Just(Way::Status(503)),
        Just(Way::WebPage),
        Just(Way::Truncated),
        Just(Way::Altered),
        Just(Way::Longer),
        Just(Way::WithoutRanges),
        Just(Way::RefusesRange),
        Just(Way::WithoutTag),
        Just(Way::ExpiredAddress),
    ]
}

fn visit() -> impl Strategy<Value = Visit> {
    let ways = prop::collection::vec(way(), 0..6);
    let closed_after = prop::option::of(100u32..60_000);
    let changes = prop::bool::weighted(0.1);
    (ways, closed_after, changes).prop_map(|(ways, closed_after, changes)| Visit {
        ways,
        closed_after,
        changes,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn an_import_ends_right_or_can_be_gone_on_with(
        visits in prop::collection::vec(visit(), 1..5),
        part_bytes in prop_oneof![Just(u64::MAX), 3_000u64..60_000],
        drops_range in prop::option::of(any::<bool>()),
    ) {
        let world = World::new();
        world.network.part_bytes.set(part_bytes);
        // Some hubs redirect, and some machines drop `Range` on the way.
        let redirect = |drops_range| Redirect { drops_range, ..redirect() };
        world.network.redirect.replace(drops_range.map(redirect));
        let address = usual_source().address();
        let mut version = 1;
        serve_both(&world.network, &checkpoint(version), true);
        let is_right = |version| match world.model_in_storage(&address) {
            Some(files) => (1..=version).any(|version| files == converted(&checkpoint(version), "q8_0")),
            None => true,
        };
        for Visit { ways, closed_after, changes } in visits {
            if changes && version == 1 {
                version = 2;
                serve_both(&world.network, &checkpoint(version), true);
            }
            let mut tab = tab(&world);
            world.clock.run(async {
                let Ok(offer) = tab.inspect(&usual_source(), None).await else { return };
                world.network.then(FILE, &ways);
                let limit = closed_after.unwrap_or(u32::MAX);
                if let Either::Left((Err(fault), _)) =
                    select(pin!(tab.import(&offer, None)), pin!(world.clock.sleep(limit))).await
                {
                    assert!(!matches!(fault, ImportFault::NoRoom { .. } | ImportFault::NoStorage), "{fault:?}");
                }
            });
            world.network.heal();
            prop_assert!(is_right(version));
            prop_assert!(!world.storage.locks.is_any_held());
        }
        // At last nothing is in the way.
        let mut tab = tab(&world);
        let outcome = world.clock.run(async {
            let offer = tab.inspect(&usual_source(), None).await?;
            tab.import(&offer, None).await
        });
        let files = world.model_in_storage(&address);
        match outcome {
            Ok(_) => prop_assert!(files.unwrap() == converted(&checkpoint(version), "q8_0")),
            // What came altered in an earlier visit is noticed at the end, and thrown away.
            Err(ImportFault::Damaged { .. } | ImportFault::Refused { .. } | ImportFault::Format { .. }) => {
                prop_assert!(world.import_entries().is_empty());
            }
            Err(fault) => prop_assert!(false, "{fault:?}"),
        }
    }
}

//! Every combination of what can go wrong: a table, a row a case, and what must hold in each of them.

use crate::support::devices::{FakeDevices, GpuIs};
use crate::support::model::{URL, model};
use crate::support::network::Way;
use crate::support::{Tab, World};
use futures_util::future::join;
use protocol::{Device, Kept};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What becomes of the GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
enum GpuCase {
    Absent,
    Slower,
    Wrong,
    /// Its answers are no numbers.
    NotANumber,
    Fine,
    LostInMidPhoto,
    LostAndNeverBack,
    LostWithoutNetwork,
}
use GpuCase::*;

const GPUS: [GpuCase; 8] =
    [Absent, Slower, Wrong, NotANumber, Fine, LostInMidPhoto, LostAndNeverBack, LostWithoutNetwork];

/// What of the weights is in storage when the visit begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum KeptCase {
    Whole,
    Part,
    None,
}

const KEPT: [KeptCase; 3] = [KeptCase::Whole, KeptCase::Part, KeptCase::None];

/// The network for shards and manifest.
const WAYS: [Way; 8] = [
    Way::Fine,
    Way::Cut,
    Way::Stalled,
    Way::Status(503),
    Way::Status(404),
    Way::WebPage,
    Way::Truncated,
    Way::Altered,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum RoomCase {
    Enough,
    /// Half a model.
    Little,
    Private,
    /// Somebody clears it once the model is loaded.
    Cleared,
}

const ROOMS: [RoomCase; 4] = [RoomCase::Enough, RoomCase::Little, RoomCase::Private, RoomCase::Cleared];

#[derive(Clone, Copy, Debug)]
struct Case {
    gpu: GpuCase,
    kept: KeptCase,
    way: Way,
    room: RoomCase,
    tabs: usize,
}

fn table() -> impl Iterator<Item = Case> {
    let of_gpu = |gpu| KEPT.into_iter().map(move |kept| (gpu, kept));
    let of_way = |(gpu, kept)| WAYS.into_iter().map(move |way| (gpu, kept, way));
    let of_room = |(gpu, kept, way)| ROOMS.into_iter().map(move |room| (gpu, kept, way, room));
    let of_tabs = |(gpu, kept, way, room)| [1, 2].map(|tabs| Case { gpu, kept, way, room, tabs });
    GPUS.into_iter().flat_map(of_gpu).flat_map(of_way).flat_map(of_room).flat_map(of_tabs)
}

const PHOTOS: [u64; 4] = [1, 2, 3, 4];

/// Rows of the head, best first, for each photo: what the processor says.
fn right_answers() -> BTreeMap<u64, Vec<usize>> {
    let world = World::new();
    model(1).serve(&world.network, URL);
    let mut tab = Tab::new(&world, FakeDevices::new(&world.clock, GpuIs::Absent));
    world.clock.run(async {
        tab.load(URL, Device::Cpu).await;
        tab.classify(&PHOTOS).await;
    });
    tab.answers().into_iter().map(|(id, answer)| (id, answer.expect("an answer"))).collect()
}

/// A visit before this one left the weights in storage, or a part of them.
fn prepare(world: &Rc<World>, kept: KeptCase) {
    if kept == KeptCase::None {
        return;
    }
    if kept == KeptCase::Part {
        world.network.always("tiny-1-2", Way::Status(404));
    }
    let mut tab = Tab::new(world, FakeDevices::new(&world.clock, GpuIs::Absent));
    world.clock.run(tab.load(URL, Device::Cpu));
    world.network.heal();
}

async fn use_it(tab: &mut Tab, case: Case) {
    let (world, devices) = (tab.machine.world.clone(), tab.machine.devices.0.clone());
    tab.load(URL, Device::Auto).await;
    if case.room == RoomCase::Cleared {
        world.storage.clear();
    }
    tab.classify(&PHOTOS[..1]).await;
    match case.gpu {
        LostInMidPhoto => devices.lost_after.set(Some(0)),
        LostAndNeverBack | LostWithoutNetwork => {
            devices.lost_after.set(Some(0));
            devices.after_loss.set(GpuIs::Absent);
        }
        _ => {}
    }
    if case.gpu == LostWithoutNetwork {
        world.network.always("", Way::Cut);
    }
    tab.classify(&PHOTOS[1..3]).await;
    tab.classify(&PHOTOS[3..]).await;
}

fn play(case: Case) -> (Rc<World>, Vec<Tab>) {
    let world = World::new();
    let model = model(1);
    model.serve(&world.network, URL);
    world.storage.is_private.set(case.room == RoomCase::Private);
    if case.room == RoomCase::Little {
        world.storage.room.set(model.bytes() / 2);
    }
    prepare(&world, case.kept);
    world.network.always("", case.way);
    let gpu = match case.gpu {
        Absent => GpuIs::Absent,
        Slower => GpuIs::Fine(5_000.0),
        Wrong => GpuIs::Wrong,
        NotANumber => GpuIs::NotANumber,
        _ => GpuIs::Fine(60.0),
    };
    let mut tabs: Vec<_> =
        (0..case.tabs).map(|_| Tab::new(&world, FakeDevices::new(&world.clock, gpu))).collect();
    match &mut tabs[..] {
        [one] => world.clock.run(use_it(one, case)),
        [one, two] => drop(world.clock.run(join(use_it(one, case), use_it(two, case)))),
        _ => unreachable!(),
    }
    (world, tabs)
}

/// What README promises, in whatever case.
fn check(case: &impl std::fmt::Debug, world: &World, tabs: &[Tab], right: &BTreeMap<u64, Vec<usize>>) {
    for tab in tabs {
        let said = tab.milestones();
        // A photo is never lost: each gets its answer or its sentence, once.
        let mut answers = tab.answers();
        answers.sort();
        assert_eq!(answers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), PHOTOS, "{case:?}: {said:?}");
        // No byte is used before its hash was checked, and no device that computes wrongly: answers are right.
        for (id, answer) in answers {
            assert!(
                answer.as_ref().is_none_or(|answer| *answer == right[&id]),
                "{case:?}: photo {id}, {said:?}"
            );
        }
        // Nobody waits for what never comes.
        assert!(!tab.is_left_loading(), "{case:?}: {said:?}");
        assert!(said[0].starts_with("ready") || said[0] == "load failed", "{case:?}: {said:?}");
        // Never in memory twice.
        let devices = &tab.machine.devices.0;
        assert!(
            devices.cpu_alive.most() <= 1,
            "{case:?}: {} networks on the processor",
            devices.cpu_alive.most()
        );
        assert!(devices.gpu_alive.most() <= 1, "{case:?}: {} networks on the GPU", devices.gpu_alive.most());
    }
    // Everything that waits has a bound.
    use engine::platform::Clock;
    assert!(world.clock.now() < 15.0 * 60_000.0, "{case:?} took {} s", world.clock.now() / 1_000.0);
    assert!(!world.storage.locks.is_any_held(), "{case:?}");
    // What is stored is what it is called by, and a manifest is only there with all of its shards.
    let entries = world.storage.entries.borrow();
    for (key, (bytes, _)) in entries.iter() {
        match protocol::storage::Key::of(key) {
            Some(protocol::storage::Key::Shard(sha256)) => {
                assert_eq!(beit::weights::sha256(bytes), sha256, "{case:?}");
            }
            Some(protocol::storage::Key::Manifest(_)) => {
                let manifest = beit::weights::Manifest::parse(bytes).unwrap();
                let whole = manifest.shards.iter().all(|shard| {
                    entries.contains_key(&protocol::storage::Key::Shard(shard.sha256.clone()).path())
                });
                assert!(whole, "{case:?}: a manifest without its shards");
            }
            _ => {}
        }
    }
}

#[test]
fn the_whole_table() {
    let right = right_answers();
    let mut cases = 0;
    for case in table() {
        let (world, tabs) = play(case);
        check(&case, &world, &tabs, &right);
        let whole = case.kept == KeptCase::Whole && matches!(case.room, RoomCase::Enough | RoomCase::Cleared);
        let loads = case.way == Way::Fine || whole;
        // The weights may be needed once more.
        let again = match case.gpu {
            LostInMidPhoto | LostAndNeverBack => {
                case.way == Way::Fine || (whole && case.room != RoomCase::Cleared)
            }
            LostWithoutNetwork => case.room == RoomCase::Enough,
            _ => true,
        };
        for tab in &tabs {
            let said = tab.milestones();
            // The other tab may clear the storage while this one loads.
            if case.tabs == 1 || case.room != RoomCase::Cleared {
                assert_eq!(said[0] != "load failed", loads, "{case:?}: {said:?}");
            }
            let answered = tab.answers().iter().filter(|(_, answer)| answer.is_some()).count();
            let expected = match (loads, again) {
                (false, _) => 0,
                (true, false) => 1,
                (true, true) => PHOTOS.len(),
            };
            // Two tabs that share a network and a storage may help one another.
            if case.tabs == 1 {
                assert_eq!(answered, expected, "{case:?}: {said:?}");
            }
            if let Some((_, backend, kept)) = tab.ready() {
                // Where the weights could not be had once more, the GPU was the last to be ready.
                let on_gpu = matches!(case.gpu, Fine | LostInMidPhoto) || !again;
                if case.tabs == 1 {
                    assert_eq!(backend.kind == "webgpu", on_gpu, "{case:?}: {said:?}");
                }
                let expected = match case.room {
                    RoomCase::Enough | RoomCase::Cleared => Kept::Yes,
                    RoomCase::Little => Kept::NoRoom,
                    RoomCase::Private => Kept::NoStorage,
                };
                assert_eq!(kept, expected, "{case:?}");
            }
        }
        cases += 1;
    }
    assert_eq!(cases, 8 * 3 * 8 * 4 * 2);
}

mod sequences {
    use super::*;
    use crate::support::FakePhoto;
    use proptest::prelude::*;

    /// What may happen in a visit, in any order.
    #[derive(Clone, Debug)]
    enum Event {
        Network(Way),
        Photos(u8),
        LoseGpu {
            comes_back: bool,
        },
        GpuHangs,
        GpuGivesNan,
        ClearStorage,
        Room(bool),
        /// Another version of the model is deployed, and the page is opened anew.
        Update,
        OpenAnew,
        /// A photo whose file is gone.
        GonePhoto,
    }

    fn event() -> impl Strategy<Value = Event> {
        let ways = prop::sample::select(
            WAYS.into_iter()
                .chain([Way::StallsAfter(3_000), Way::BreaksAfter(3_000), Way::Longer, Way::WithoutRanges])
                .collect::<Vec<_>>(),
        );
        prop_oneof![
            1 => ways.prop_map(Event::Network),
            3 => Just(Event::Network(Way::Fine)),
            4 => (1u8..4).prop_map(Event::Photos),
            1 => any::<bool>().prop_map(|comes_back| Event::LoseGpu { comes_back }),
            1 => Just(Event::GpuHangs),
            1 => Just(Event::GpuGivesNan),
            1 => Just(Event::ClearStorage),
            1 => any::<bool>().prop_map(Event::Room),
            1 => Just(Event::Update),
            2 => Just(Event::OpenAnew),
            1 => Just(Event::GonePhoto),
        ]
    }

    /// What each version of the model says of each photo.
    fn right(version: u64, ids: std::ops::Range<u64>) -> BTreeMap<u64, Vec<usize>> {
        let world = World::new();
        model(version).serve(&world.network, URL);
        let mut tab = Tab::new(&world, FakeDevices::new(&world.clock, GpuIs::Absent));
        world.clock.run(async {
            tab.load(URL, Device::Cpu).await;
            for id in ids {
                tab.classify(&[id]).await;
            }
        });
        tab.answers().into_iter().map(|(id, answer)| (id, answer.expect("an answer"))).collect()
    }

    const MOST_PHOTOS: u64 = 60;
    const MOST_VERSIONS: u64 = 4;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_happens_no_photo_is_lost_and_no_answer_wrong(events in prop::collection::vec(event(), 1..20)) {
            thread_local! {
                static RIGHT: Vec<BTreeMap<u64, Vec<usize>>> =
                    (1..=MOST_VERSIONS).map(|version| right(version, 0..MOST_PHOTOS)).collect();
            }
            let world = World::new();
            let mut version = 1;
            model(version).serve(&world.network, URL);
            let devices = FakeDevices::new(&world.clock, GpuIs::Fine(60.0));
            let open = |world: &Rc<World>| {
                let mut tab = Tab::new(world, devices.clone());
                world.clock.run(tab.load(URL, Device::Auto));
                tab
            };
            let mut tab = open(&world);
            let (mut next, mut gone) = (0, Vec::new());
            // The page drops a worker that could not load, and starts another when the visitor tries again.
            let mut closed = Vec::new();
            for event in events {
                match event {
                    Event::Network(way) => world.network.always("", way),
                    Event::Photos(photos) => {
                        let ids: Vec<u64> = (next..(next + u64::from(photos)).min(MOST_PHOTOS)).collect();
                        next += ids.len() as u64;
                        world.clock.run(tab.classify(&ids));
                    }
                    Event::LoseGpu { comes_back } => {
                        devices.0.lost_after.set(Some(0));
                        devices.0.after_loss.set(if comes_back { GpuIs::Fine(60.0) } else { GpuIs::Absent });
                    }
                    Event::GpuHangs => devices.0.hangs_after.set(Some(0)),
                    Event::GpuGivesNan => devices.0.nan_after.set(Some(0)),
                    Event::ClearStorage => world.storage.clear(),
                    Event::Room(room) => {
                        world.storage.room.set(if room { u64::MAX } else { model(1).bytes() * 5 / 4 });
                    }
                    Event::Update => {
                        version = (version + 1).min(MOST_VERSIONS);
                        model(version).serve(&world.network, URL);
                        closed.push(std::mem::replace(&mut tab, open(&world)));
                    }
                    Event::OpenAnew => closed.push(std::mem::replace(&mut tab, open(&world))),
                    Event::GonePhoto => {
                        gone.push(1_000 + next);
                        let id = 1_000 + next;
                        let request = protocol::Request::Classify { ids: vec![id], top_k: 3 };
                        world.clock.run(tab.send(request, vec![FakePhoto(None)]));
                    }
                }
                prop_assert!(!tab.is_left_loading(), "{:?}", tab.milestones());
                prop_assert!(!world.storage.locks.is_any_held());
            }
            closed.push(tab);
            let mut answered = Vec::new();
            for tab in &closed {
                for (id, answer) in tab.answers() {
                    if let Some(answer) = &answer {
                        // By the version that the tab had loaded.
                        let right = RIGHT.with(|right| right.iter().any(|right| right.get(&id) == Some(answer)));
                        prop_assert!(right, "photo {}: {:?}", id, tab.milestones());
                    }
                    if id < 1_000 {
                        answered.push(id);
                    }
                }
            }
            prop_assert_eq!(answered, (0..next).collect::<Vec<_>>());
            // No page was open twice, so no device had two networks.
            prop_assert!(devices.0.cpu_alive.most() <= closed.len());
        }
    }
}

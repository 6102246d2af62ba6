//! What once went wrong on visitors' machines, each as it happened.

use crate::support::devices::{FakeDevices, GpuIs};
use crate::support::model::{Model, URL, model};
use crate::support::network::Way;
use crate::support::{FakePhoto, Tab, World};
use engine::platform::Clock;
use futures_util::future::join;
use protocol::fault::{LoadFault, Reason};
use protocol::storage::Key;
use protocol::teach::{TeachReply, TeachRequest};
use protocol::{Device, Kept, Reply, Request};

use std::rc::Rc;

fn world() -> (Rc<World>, Model) {
    let (world, model) = (World::new(), model(1));
    model.serve(&world.network, URL);
    (world, model)
}

fn tab(world: &Rc<World>, gpu: GpuIs) -> Tab {
    Tab::new(world, FakeDevices::new(&world.clock, gpu))
}

/// A visit that leaves the model in storage.
fn visit(world: &Rc<World>) {
    let mut tab = tab(world, GpuIs::Absent);
    world.clock.run(tab.load(URL, Device::Auto));
    assert_eq!(tab.milestones(), ["ready on cpu"]);
}

/// What the processor answers of these photos.
fn answers(version: u64, ids: &[u64]) -> Vec<(u64, Option<Vec<usize>>)> {
    let world = World::new();
    model(version).serve(&world.network, URL);
    let mut tab = tab(&world, GpuIs::Absent);
    world.clock.run(async {
        tab.load(URL, Device::Cpu).await;
        tab.classify(ids).await;
    });
    tab.answers()
}

#[test]
fn the_gpu_is_taken_where_it_is_faster_and_says_why() {
    let (world, _) = world();
    let mut first = tab(&world, GpuIs::Fine(60.0));
    world.clock.run(first.load(URL, Device::Auto));
    let (_, backend, _) = first.ready().unwrap();
    assert_eq!(backend.kind, "webgpu");
    let [Reason::Compared { gpu_ms, cpu_ms, .. }] = &backend.reasons[..] else {
        panic!("{:?}", backend.reasons)
    };
    assert!((59.0..61.0).contains(gpu_ms) && (999.0..1001.0).contains(cpu_ms), "{gpu_ms} {cpu_ms}");

    let kernels = |tab: &Tab| (tab.machine.devices.0.tunings.get(), tab.machine.devices.0.recalls.get());
    assert_eq!(kernels(&first), (1, 0));

    // It was checked once, and its kernels were timed once: it is known from then on, until the browser is another.
    let mut second = tab(&world, GpuIs::Fine(60.0));
    world.clock.run(second.load(URL, Device::Auto));
    assert_eq!(
        (second.milestones(), second.machine.devices.0.checks.get()),
        (vec!["ready on webgpu".into()], 0)
    );
    assert_eq!(kernels(&second), (0, 1));
    let mut updated = tab(&world, GpuIs::Fine(60.0));
    *updated.machine.devices.0.driver.borrow_mut() = "Browser 2".into();
    world.clock.run(updated.load(URL, Device::Auto));
    assert!(updated.machine.devices.0.checks.get() > 0);
    assert_eq!(kernels(&updated), (1, 0));
}

#[test]
fn a_wrong_choice_heals_by_itself() {
    let (world, _) = world();
    // The processor is rated 43 times too fast, as it once was.
    let devices = FakeDevices::new(&world.clock, GpuIs::Fine(60.0));
    devices.0.cpu_predicted_ms.set(28.0);
    devices.0.cpu_ms.set(1_200.0);
    let mut tab = Tab::new(&world, devices.clone());
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        for id in 0..6 {
            tab.classify(&[id]).await;
        }
    });
    let said = tab.milestones();
    assert_eq!(said[0], "ready on cpu");
    assert_eq!(said[6..8], ["ready on webgpu", "done 5"], "{said:?}");
    assert_eq!(tab.answers(), answers(1, &[0, 1, 2, 3, 4, 5]));
    let (_, backend, _) = tab.ready().unwrap();
    assert!(matches!(backend.reasons[..], [Reason::WrongForecast { .. }]), "{:?}", backend.reasons);
    // The next visit goes there at once.
    let mut next = Tab::new(&world, devices);
    world.clock.run(next.load(URL, Device::Auto));
    assert_eq!(next.milestones(), ["ready on webgpu"]);
}

#[test]
fn a_choice_that_photos_confirm_is_left_alone() {
    let (world, _) = world();
    let mut tab = tab(&world, GpuIs::Fine(60.0));
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        for id in 0..20 {
            tab.classify(&[id]).await;
        }
    });
    assert_eq!(tab.milestones().iter().filter(|said| said.starts_with("ready")).count(), 1);
}

#[test]
fn a_gpu_that_stays_away_makes_no_second_network() {
    let (world, _) = world();
    let mut tab = tab(&world, GpuIs::Fine(60.0));
    let devices = tab.machine.devices.0.clone();
    devices.after_loss.set(GpuIs::Absent);
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        devices.lost_after.set(Some(0));
        tab.classify(&[1, 2]).await;
        tab.classify(&[3]).await;
    });
    assert_eq!(tab.answers(), answers(1, &[1, 2, 3]));
    assert_eq!(devices.cpu_alive.most(), 1, "networks on the processor at once");
    assert!(!tab.is_left_loading());
    assert!(devices.asked_for_gpu.get() <= 2);
}

#[test]
fn a_gpu_that_comes_back_is_used_again() {
    let (world, _) = world();
    let mut tab = tab(&world, GpuIs::Fine(60.0));
    let devices = tab.machine.devices.0.clone();
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        devices.lost_after.set(Some(0));
        tab.classify(&[1]).await;
        tab.classify(&[2]).await;
    });
    assert_eq!(tab.milestones(), ["ready on webgpu", "ready on cpu", "done 1", "ready on webgpu", "done 2"]);
    assert_eq!((devices.cpu_alive.most(), devices.cpu_alive.now()), (1, 0));
}

#[test]
fn a_gpu_lost_without_weights_to_be_had_leaves_nobody_waiting() {
    let (world, _) = world();
    world.storage.is_private.set(true);
    let mut tab = tab(&world, GpuIs::Fine(60.0));
    let devices = tab.machine.devices.0.clone();
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        world.network.always("", Way::Cut);
        devices.lost_after.set(Some(0));
        tab.classify(&[1]).await;
        tab.classify(&[2]).await;
    });
    assert_eq!(tab.milestones(), ["ready on webgpu", "load failed", "failed 1", "failed 2"]);
    assert!(!tab.is_left_loading());
    assert!(matches!(tab.load_fault(), Some(LoadFault::Unreachable { .. })));
}

#[test]
fn a_gpu_that_hangs_or_gives_no_number_costs_no_photo() {
    for hangs in [true, false] {
        let (world, _) = world();
        let mut tab = tab(&world, GpuIs::Fine(60.0));
        let devices = tab.machine.devices.0.clone();
        devices.after_loss.set(GpuIs::Absent);
        world.clock.run(async {
            tab.load(URL, Device::Auto).await;
            let due = if hangs { &devices.hangs_after } else { &devices.nan_after };
            due.set(Some(0));
            tab.classify(&[1, 2, 3]).await;
        });
        assert_eq!(tab.answers(), answers(1, &[1, 2, 3]), "hangs: {hangs}");
    }
}

#[test]
fn a_browser_that_never_says_whether_it_has_a_gpu_is_not_waited_for() {
    let (world, _) = world();
    let mut tab = tab(&world, GpuIs::Silent);
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        tab.classify(&[1]).await;
    });
    assert_eq!(tab.ready().unwrap().1.kind, "cpu");
    assert_eq!(tab.answers(), answers(1, &[1]));
}

#[test]
fn what_was_taught_goes_along_when_the_gpu_is_lost() {
    let (world, _) = world();
    let mut tab = tab(&world, GpuIs::Fine(60.0));
    let devices = tab.machine.devices.0.clone();
    devices.after_loss.set(GpuIs::Absent);
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        devices.lost_after.set(Some(1));
        for id in 0..4 {
            let extract = Request::Teach(TeachRequest::ExtractFeatures { photo: id });
            tab.send(extract, vec![FakePhoto(Some(crate::support::model::photo(id)))]).await;
        }
        let class = |name: &str, photos: [u64; 2]| protocol::teach::TaughtClass {
            name: name.into(),
            photos: photos.into(),
        };
        let classes = vec![class("a", [0, 1]), class("b", [2, 3])];
        tab.send(Request::Teach(TeachRequest::Train { classes }), vec![]).await;
    });
    let said = tab.posted();
    let count = |wanted: fn(&Reply) -> bool| said.iter().filter(|reply| wanted(reply)).count();
    assert_eq!(count(|reply| matches!(reply, Reply::Teach(TeachReply::FeaturesReady { .. }))), 4);
    assert_eq!(count(|reply| matches!(reply, Reply::Teach(TeachReply::OwnClasses { .. }))), 1);
    assert_eq!(tab.ready().unwrap().1.kind, "cpu");
}

#[test]
fn another_sites_model_and_an_old_version_do_not_fill_the_storage() {
    let (world, old) = world();
    visit(&world);
    // A new version every month.
    for version in 2..6 {
        model(version).serve(&world.network, URL);
        visit(&world);
    }
    let kept = world.storage.used();
    assert!(kept < old.bytes() * 3 / 2, "{kept} bytes are kept of a model of {}", old.bytes());

    // Another model beside it stays as long as there is room, and is the first to go when there is none.
    let other = "https://site.example/models/other/manifest.json";
    model(20).serve(&world.network, other);
    world.clock.advance(1_000.0);
    let mut second = tab(&world, GpuIs::Absent);
    world.clock.run(second.load(other, Device::Auto));
    assert_eq!(world.storage.keys_with("manifest?").len(), 2);
    world.clock.advance(1_000.0);
    world.storage.room.set(old.bytes() * 5 / 2);
    let third = "https://site.example/models/third/manifest.json";
    model(21).serve(&world.network, third);
    let mut tab = tab(&world, GpuIs::Absent);
    world.clock.run(tab.load(third, Device::Auto));
    assert_eq!(tab.ready().unwrap().2, Kept::Yes);
    let manifests = world.storage.keys_with("manifest?");
    assert_eq!(manifests, [Key::Manifest(other.into()).path(), Key::Manifest(third.into()).path()]);
}

#[test]
fn an_interrupted_download_goes_on_and_is_not_swept_by_another_tab() {
    let (world, tiny) = world();
    // The third shard never comes.
    world.network.always("tiny-1-2", Way::Status(503));
    let mut first = tab(&world, GpuIs::Absent);
    world.clock.run(first.load(URL, Device::Auto));
    assert_eq!(first.milestones(), ["load failed"]);
    let kept = world.storage.used();
    assert!(kept > tiny.bytes() / 4, "what came is kept: {kept}");
    // Another model is loaded meanwhile.
    let other = "https://site.example/models/other/manifest.json";
    model(20).serve(&world.network, other);
    let mut second = tab(&world, GpuIs::Absent);
    world.clock.run(second.load(other, Device::Auto));
    world.network.heal();
    world.network.asked.borrow_mut().clear();
    visit(&world);
    assert_eq!(world.network.requests("tiny-1-0"), 0, "the first shard was there");
    assert_eq!(world.storage.keys_with("coming?").len(), 0);
}

#[test]
fn a_stalled_shard_is_given_up_and_goes_on_where_it_stood() {
    let (world, tiny) = world();
    world.network.then("tiny-1-1", &[Way::StallsAfter(4_000), Way::BreaksAfter(2_000), Way::Stalled]);
    let mut tab = tab(&world, GpuIs::Absent);
    let begun = world.clock.now();
    world.clock.run(tab.load(URL, Device::Auto));
    // The budget of one file: three tries more than the first, where nothing of weight came in between.
    assert_eq!(tab.milestones(), ["load failed"]);
    assert!(world.clock.now() - begun < 70_000.0);

    world.network.heal();
    world.network.then("tiny-1-1", &[Way::StallsAfter(4_000), Way::BreaksAfter(2_000)]);
    world.network.asked.borrow_mut().clear();
    *world.network.sent.borrow_mut() = 0;
    world.clock.run(tab.load(URL, Device::Auto));
    assert_eq!(tab.ready().unwrap().2, Kept::Yes);
    let asked = world.network.asked.borrow();
    let from: Vec<u64> =
        asked.iter().filter(|(url, ..)| url.contains("tiny-1-1")).map(|(_, from, _)| *from).collect();
    assert_eq!(from, [0, 4_000, 6_000]);
    assert!(*world.network.sent.borrow() < tiny.bytes() + 10_000, "nothing comes twice");
}

#[test]
fn a_silent_or_failing_server_does_not_come_before_a_complete_model() {
    for way in [
        Way::Status(503),
        Way::Status(404),
        Way::WebPage,
        Way::Cut,
        Way::Stalled,
        Way::StallsAfter(10),
        Way::Truncated,
        Way::Longer,
    ] {
        let (world, _) = world();
        visit(&world);
        world.network.always("", way);
        let begun = world.clock.now();
        let mut tab = tab(&world, GpuIs::Absent);
        world.clock.run(tab.load(URL, Device::Auto));
        assert_eq!(tab.milestones(), ["ready on cpu"], "{way:?}");
        assert!(world.clock.now() - begun < 10_000.0, "{way:?} took {} ms", world.clock.now() - begun);
        // And without one there is a sentence.
        world.storage.clear();
        world.clock.run(tab.load(URL, Device::Auto));
        assert_eq!(tab.milestones().last().unwrap(), "load failed", "{way:?}");
    }
}

#[test]
fn a_half_deployed_update_leaves_the_last_good_model() {
    for way in [Way::Status(404), Way::Altered, Way::Truncated, Way::Stalled, Way::WebPage] {
        let (world, _) = world();
        visit(&world);
        model(2).serve(&world.network, URL);
        world.network.always("tiny-2-3", way);
        let mut tab = tab(&world, GpuIs::Absent);
        world.clock.run(async {
            tab.load(URL, Device::Auto).await;
            tab.classify(&[1]).await;
        });
        assert_eq!(tab.answers(), answers(1, &[1]), "{way:?}");
        // Without a network too, on the next visit.
        world.network.always("", Way::Cut);
        visit(&world);
        // Once it is whole, it is the model.
        world.network.heal();
        let mut later = self::tab(&world, GpuIs::Absent);
        world.clock.run(async {
            later.load(URL, Device::Auto).await;
            later.classify(&[1]).await;
        });
        assert_eq!(later.answers(), answers(2, &[1]), "{way:?}");
    }
}

#[test]
fn a_manifest_that_claims_anothers_hash_poisons_nothing() {
    let (world, tiny) = world();
    // The same claim over other weights, on which the GPU is found wrong.
    let mut hostile = model(66);
    hostile.manifest.sha256 = tiny.manifest.sha256.clone();
    hostile.manifest.name = tiny.manifest.name.clone();
    hostile.json = serde_json::to_vec(&hostile.manifest).unwrap();
    let elsewhere = "https://elsewhere.example/manifest.json";
    hostile.serve(&world.network, elsewhere);
    let mut poisoned = tab(&world, GpuIs::NotANumber);
    world.clock.run(poisoned.load(elsewhere, Device::Auto));
    assert_eq!(poisoned.milestones(), ["ready on cpu"]);
    let mut tab = tab(&world, GpuIs::Fine(60.0));
    world.clock.run(tab.load(URL, Device::Auto));
    assert_eq!(tab.milestones(), ["ready on webgpu"]);
    assert_ne!(poisoned.ready().unwrap().0.sha256, tab.ready().unwrap().0.sha256);
}

#[test]
fn a_model_from_elsewhere_is_asked_about_before_a_byte_of_it_comes() {
    let (world, tiny) = world();
    let load = |agreed| Request::Load { manifest: URL.into(), device: Device::Auto, threads: 1, agreed };
    let mut tab = tab(&world, GpuIs::Absent);
    world.clock.run(tab.send(load(false), vec![]));
    let Some(Reply::AskFirst { offer }) = tab.posted().pop() else { panic!("{:?}", tab.posted()) };
    assert_eq!(
        (offer.host.as_str(), offer.name.as_str(), offer.bytes),
        ("site.example", "tiny", tiny.bytes())
    );
    assert_eq!((world.network.requests("gguf"), world.storage.used()), (0, 0));
    world.clock.run(tab.send(load(true), vec![]));
    assert_eq!(tab.milestones(), ["ask first", "ready on cpu"]);
    // It is known from then on, but another one from the same address is not.
    world.clock.run(tab.send(load(false), vec![]));
    assert_eq!(tab.milestones().last().unwrap(), "ready on cpu");
    model(2).serve(&world.network, URL);
    world.clock.run(tab.send(load(false), vec![]));
    assert_eq!(tab.milestones().last().unwrap(), "ask first");
}

#[test]
fn a_shard_that_storage_has_damaged_is_fetched_again_alone() {
    // An earlier version kept no checksums: the SHA-256 is taken then.
    for with_checksum in [true, false] {
        let (world, tiny) = world();
        visit(&world);
        let key = Key::Shard(tiny.manifest.shards[2].sha256.clone()).path();
        {
            let mut entries = world.storage.entries.borrow_mut();
            let (bytes, checksum) = entries.get_mut(&key).unwrap();
            bytes[1_234] ^= 1;
            *checksum = checksum.take().filter(|_| with_checksum);
        }
        world.network.asked.borrow_mut().clear();
        visit(&world);
        assert_eq!((world.network.requests("gguf"), world.network.requests("tiny-1-2")), (1, 1));
    }
}

#[test]
fn two_tabs_fetch_each_shard_once() {
    let (world, _) = world();
    let (mut one, mut two) = (tab(&world, GpuIs::Absent), tab(&world, GpuIs::Absent));
    world.clock.run(join(one.load(URL, Device::Auto), two.load(URL, Device::Auto)));
    assert_eq!(
        (one.milestones(), two.milestones()),
        (vec!["ready on cpu".into()], vec!["ready on cpu".into()])
    );
    assert_eq!(world.network.requests("gguf"), crate::support::model::SHARDS);
    assert!(!world.storage.locks.is_any_held());
}

#[test]
fn storage_that_never_answers_is_not_waited_for() {
    let (world, _) = world();
    world.storage.hangs.set(true);
    let mut tab = tab(&world, GpuIs::Absent);
    world.clock.run(tab.load(URL, Device::Auto));
    assert_eq!(tab.ready().unwrap().2, Kept::NoStorage);
}

#[test]
fn notes_of_earlier_versions_are_dropped() {
    let (world, _) = world();
    let old = Key::Note("verdict-2 0.1.0 ab GPU Browser".into()).path();
    world.storage.entries.borrow_mut().insert(old.clone(), (b"{}".to_vec(), None));
    let mut tab = tab(&world, GpuIs::Fine(60.0));
    world.clock.run(tab.load(URL, Device::Auto));
    let notes = world.storage.keys_with("note?");
    assert!(notes.len() == 1 && notes[0] != old, "{notes:?}");
}

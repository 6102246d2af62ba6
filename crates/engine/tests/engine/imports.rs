//! Imports of a checkpoint: what they keep is what the command line makes of it, whatever happens on the way.

use crate::support::checkpoint::{
    ADDRESS, FILE, LISTING, checkpoint, converted, import, import_and_close, parts_asked_for, serve,
    serve_on_modelscope, served, source, tab, usual_source,
};
use crate::support::network::Way;
use crate::support::{FakePhoto, World};
use engine::platform::Clock;
use futures_util::future::join;
use protocol::Device;
use protocol::fault::LoadFault;
use protocol::import::{ImportFault, ImportPhase};
use protocol::storage::Key;

#[test]
fn the_model_is_the_command_lines() {
    for quantization in ["q8_0", "q4_0", "f32"] {
        let (world, checkpoint) = served();
        serve_on_modelscope(&world.network, &checkpoint);
        for hub in ["hf", "modelscope"] {
            let source = source(&format!("{hub}:timm/tiny"), quantization);
            let mut tab = tab(&world);
            world.clock.run(async {
                let offer = tab.inspect(&source, None).await.unwrap();
                assert_eq!((offer.name.as_str(), offer.license.as_deref()), ("tiny", Some("MIT")));
                assert_eq!(offer.download_bytes, checkpoint.len() as u64);
                assert_eq!(offer.preprocessing.from.as_deref(), Some("config.json"));
                assert_eq!((offer.resumed_bytes, offer.missing_bytes), (0, 0));
                assert_eq!(tab.import(&offer, None).await.unwrap(), source.address());
            });
            let stored = world.model_in_storage(&source.address()).unwrap();
            assert!(stored == converted(&checkpoint, quantization), "{hub} {quantization}");
            assert_eq!(world.import_entries(), [""; 0]);
            let progress = tab.import_progress();
            let (first, last) = (progress.first().unwrap(), progress.last().unwrap());
            assert_eq!((first.phase, last.phase), (ImportPhase::Download, ImportPhase::Store));
            assert!(progress.iter().all(|progress| !progress.restarted));
        }
        assert!(world.network.asked.borrow().iter().all(|(_, from, _)| *from == 0), "no part is asked for");
    }
}

#[test]
fn a_file_of_the_visitors_is_imported_in_parts() {
    let (world, checkpoint) = (World::new(), checkpoint(1));
    let source = source(&format!("file:{FILE}"), "f32");
    let mut tab = tab(&world);
    world.clock.run(async {
        let file = Some(FakePhoto(Some(checkpoint.clone())));
        let offer = tab.inspect(&source, file.clone()).await.unwrap();
        assert_eq!((offer.host.as_str(), offer.sha256.as_deref()), ("", None));
        tab.import(&offer, file).await.unwrap();
        let gone = tab.import(&offer, Some(FakePhoto(None))).await;
        assert_eq!(gone, Err(ImportFault::Unreadable { file: FILE.into() }));
    });
    let stored = world.model_in_storage(&source.address()).unwrap();
    // Nobody told how photos are prepared, nor a licence; the weights are the same.
    assert_eq!(stored.len(), converted(&checkpoint, "f32").len());
    assert!(world.network.asked.borrow().is_empty());
}

#[test]
fn an_imported_model_is_loaded_without_any_network() {
    let (world, _) = served();
    let source = source("hf:timm/tiny", "f32");
    let mut tab = tab(&world);
    world.clock.run(async {
        let offer = tab.inspect(&source, None).await.unwrap();
        tab.import(&offer, None).await.unwrap();
        world.network.always("", Way::Cut);
        let asked = world.network.asked.borrow().len();
        let before = world.model_in_storage(&source.address());
        tab.load(&source.address(), Device::Cpu).await;
        assert_eq!(tab.milestones(), ["ready on cpu"]);
        assert_eq!(world.network.asked.borrow().len(), asked);
        assert!(before == world.model_in_storage(&source.address()));
    });
}

#[test]
fn an_imported_model_that_is_not_whole_is_not_imported() {
    let source = source("hf:timm/tiny", "f32");
    let fault = Some(LoadFault::NotImported { address: source.address() });
    for damage in ["never there", "lost", "altered"] {
        let (world, _) = served();
        let mut tab = tab(&world);
        world.clock.run(async {
            if damage != "never there" {
                let offer = tab.inspect(&source, None).await.unwrap();
                tab.import(&offer, None).await.unwrap();
            }
            for (key, (bytes, _)) in world.storage.entries.borrow_mut().iter_mut() {
                if damage == "altered" && matches!(Key::of(key), Some(Key::Shard(_))) {
                    bytes[100] ^= 1;
                }
            }
            if damage == "lost" {
                let is_shard = |key: &String| matches!(Key::of(key), Some(Key::Shard(_)));
                world.storage.entries.borrow_mut().retain(|key, _| !is_shard(key));
            }
            tab.load(&source.address(), Device::Cpu).await;
        });
        assert_eq!(tab.load_fault(), fault, "{damage}");
        assert_eq!(world.network.requests("import"), 0);
        if damage == "altered" {
            assert_eq!(world.storage.keys_with("manifest"), [""; 0]);
        }
    }
}

#[test]
fn a_closed_page_goes_on_where_it_was() {
    let checkpoint = checkpoint(1);
    let mut resumed = Vec::new();
    for bytes in (4_000..checkpoint.len()).step_by(4_000) {
        let (world, _) = served();
        import_and_close(&world, bytes);
        let mut tab = tab(&world);
        world.clock.run(async {
            let offer = tab.inspect(&usual_source(), None).await.unwrap();
            resumed.push(offer.resumed_bytes);
            assert!(offer.resumed_bytes <= bytes as u64);
            tab.import(&offer, None).await.unwrap();
            let parts = parts_asked_for(&world);
            assert_eq!(parts, if offer.resumed_bytes > 0 { vec![offer.resumed_bytes] } else { vec![] });
        });
        let stored = world.model_in_storage(&usual_source().address()).unwrap();
        assert!(stored == converted(&checkpoint, "q8_0"), "{bytes}");
        assert_eq!(world.import_entries(), [""; 0]);
    }
    assert!(resumed.iter().filter(|resumed| **resumed > 0).count() > resumed.len() / 2, "{resumed:?}");
    resumed.dedup();
    assert!(resumed.len() > 5, "{resumed:?}");
}

#[test]
fn a_stall_and_a_break_are_gone_on_after() {
    for way in [Way::StallsAfter(40_000), Way::BreaksAfter(40_000)] {
        let (world, checkpoint) = served();
        let mut tab = tab(&world);
        world.clock.run(async {
            let offer = tab.inspect(&usual_source(), None).await.unwrap();
            world
                .network
                .then(ADDRESS, &[way, Way::Cut, Way::Cut, Way::ExpiredAddress, Way::TooManyRequests(7)]);
            tab.import(&offer, None).await.unwrap();
        });
        assert!(parts_asked_for(&world).iter().all(|from| *from == 40_000));
        assert!(tab.import_progress().iter().any(|progress| progress.phase == ImportPhase::Reconnecting));
        assert!(tab.import_progress().iter().all(|progress| !progress.restarted));
        let stored = world.model_in_storage(&usual_source().address()).unwrap();
        assert!(stored == converted(&checkpoint, "q8_0"), "{way:?}");
    }
}

#[test]
fn a_host_that_can_not_send_a_part_sends_all_of_it() {
    for (way, restarted) in [(Way::WithoutRanges, true), (Way::RefusesRange, true), (Way::WithoutTag, false)]
    {
        let (world, checkpoint) = served();
        let mut tab = tab(&world);
        world.clock.run(async {
            let offer = tab.inspect(&usual_source(), None).await.unwrap();
            world.network.then(ADDRESS, &[Way::BreaksAfter(40_000)]);
            world.network.always("resolve", way);
            tab.import(&offer, None).await.unwrap();
        });
        assert_eq!(tab.import_progress().last().unwrap().restarted, restarted, "{way:?}");
        let stored = world.model_in_storage(&usual_source().address()).unwrap();
        assert!(stored == converted(&checkpoint, "q8_0"), "{way:?}");
    }
}

#[test]
fn a_file_that_changed_meanwhile_is_never_mixed() {
    for with_hash in [true, false] {
        for way in [Way::Fine, Way::WithoutRanges, Way::WithoutTag] {
            let world = World::new();
            serve(&world.network, &checkpoint(1), with_hash);
            let mut tab = tab(&world);
            let outcome = world.clock.run(async {
                let offer = tab.inspect(&usual_source(), None).await.unwrap();
                world.network.then(ADDRESS, &[Way::BreaksAfter(40_000)]);
                let half = async {
                    world.clock.sleep(100).await;
                    serve(&world.network, &checkpoint(2), with_hash);
                };
                world.network.always("resolve", way);
                join(tab.import(&offer, None), half).await.0
            });
            let stored = world.model_in_storage(&usual_source().address());
            if with_hash {
                assert!(matches!(outcome, Err(ImportFault::Damaged { .. })), "{way:?}: {outcome:?}");
                assert_eq!((stored, world.import_entries()), (None, vec![]), "{way:?}");
            } else {
                assert!(outcome.is_ok(), "{way:?}: {outcome:?}");
                assert!(stored.unwrap() == converted(&checkpoint(2), "q8_0"), "{way:?}");
            }
        }
    }
}

#[test]
fn an_altered_byte_is_noticed_and_nothing_is_kept() {
    let (world, _) = served();
    let mut tab = tab(&world);
    let outcome = world.clock.run(async {
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        world.network.always(ADDRESS, Way::Altered);
        tab.import(&offer, None).await
    });
    assert!(matches!(outcome, Err(ImportFault::Damaged { .. })), "{outcome:?}");
    assert_eq!(world.model_in_storage(&usual_source().address()), None);
    assert_eq!(world.import_entries(), [""; 0]);
    world.network.heal();
    assert_eq!(world.clock.run(import(&mut tab)), Ok(usual_source().address()));
}

#[test]
fn offline_for_long_keeps_what_came() {
    let (world, checkpoint) = served();
    let mut tab = tab(&world);
    let total = checkpoint.len() as u64;
    world.clock.run(async {
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        world.network.then(ADDRESS, &[Way::BreaksAfter(60_000)]);
        world.network.always("resolve", Way::Cut);
        match tab.import(&offer, None).await {
            Err(ImportFault::Interrupted { received: 60_000, total: all, .. }) if all == total => {}
            other => panic!("{other:?}"),
        }
        world.network.heal();
        let offer = tab.inspect(&usual_source(), None).await.unwrap();
        assert!(offer.resumed_bytes > 50_000, "{}", offer.resumed_bytes);
        tab.import(&offer, None).await.unwrap();
    });
    assert!(world.model_in_storage(&usual_source().address()).unwrap() == converted(&checkpoint, "q8_0"));
}

#[test]
fn each_answer_of_a_hub_is_a_fault_of_its_own() {
    let host = || "huggingface.co".to_owned();
    let page = || "https://huggingface.co/timm/tiny".to_owned();
    let asked = || "hf:timm/tiny".to_owned();
    for at in [LISTING, ADDRESS] {
        for (way, expected) in [
            (Way::Status(401), ImportFault::NoAccess { page: page(), host: host(), status: 401 }),
            (Way::Status(403), ImportFault::NoAccess { page: page(), host: host(), status: 403 }),
            (Way::Status(404), ImportFault::NotFound { checkpoint: asked(), host: host() }),
            (Way::Status(429), ImportFault::TooManyRequests { host: host(), seconds: None }),
            (Way::TooManyRequests(900), ImportFault::TooManyRequests { host: host(), seconds: Some(900) }),
            (Way::Status(503), ImportFault::Status { host: host(), status: 503 }),
            (Way::ExpiredAddress, ImportFault::Status { host: "cdn.example".into(), status: 403 }),
            (Way::Cut, ImportFault::Unreachable { host: host(), reason: "Failed to fetch".into() }),
            (
                Way::WebPage,
                ImportFault::Answer { host: host(), reason: "it sent a web page and not the file".into() },
            ),
        ] {
            let (world, _) = served();
            world.network.always(at, way);
            let outcome = world.clock.run(import(&mut tab(&world)));
            assert_eq!(outcome, Err(expected), "{at} {way:?}");
        }
    }
}

#[test]
fn what_is_no_checkpoint_is_refused_before_anything_is_kept() {
    let (world, checkpoint) = served();
    for (checkpoint, kind) in [
        (b"GGUF and so on".to_vec(), "format"),
        (checkpoint[..checkpoint.len() / 90].to_vec(), "format"),
        (b"\x0c\0\0\0\0\0\0\0{\"a\":\"b\"}   ".to_vec(), "format"),
    ] {
        let source = source(&format!("file:{FILE}"), "q8_0");
        let file = Some(FakePhoto(Some(checkpoint)));
        let fault = world.clock.run(tab(&world).inspect(&source, file)).unwrap_err();
        assert_eq!(serde_json::to_value(&fault).unwrap()["kind"], kind, "{fault:?}");
    }
    for (checkpoint, kind) in [("hf:timm", "not_a_reference"), ("hf:timm/tiny/x.pth", "not_found")] {
        let fault = world.clock.run(tab(&world).inspect(&source(checkpoint, "q8_0"), None)).unwrap_err();
        assert_eq!(serde_json::to_value(&fault).unwrap()["kind"], kind, "{fault:?}");
    }
    assert!(world.storage.entries.borrow().is_empty());
}

//! Photos of formats whose decoder is fetched with the first of them.

use crate::support::codecs::{DAMAGED, FINE, HEIC, PROGRAM, VARIANT, heic};
use crate::support::devices::{FakeDevices, GpuIs};
use crate::support::model::{URL, model, photo};
use crate::support::network::Way;
use crate::support::{FakePhoto, KNOWN_TO_THE_MACHINE, Tab, World};
use engine::platform::Clock;
use protocol::fault::{Foreign, PhotoFault};
use protocol::{Device, Reply, Request};

use std::fs;
use std::path::Path;
use std::rc::Rc;

/// What came of photos that were dropped one after another, the site having the decoder if `is_served`.
fn outcomes(is_served: bool, ways: &[Way], photos: &[Vec<u8>]) -> (Vec<Result<u32, PhotoFault>>, Rc<World>) {
    let world = World::new();
    model(1).serve(&world.network, URL);
    if is_served {
        world.network.serve(HEIC, PROGRAM);
    }
    world.network.then(HEIC, ways);
    let mut tab = Tab::new(&world, FakeDevices::new(&world.clock, GpuIs::Absent));
    world.clock.run(async {
        tab.load(URL, Device::Cpu).await;
        for (id, photo) in (0..).zip(photos) {
            let files = vec![FakePhoto(Some(photo.clone()))];
            tab.send(Request::Classify { ids: vec![id], top_k: 1 }, files).await;
        }
    });
    let outcome = |reply| match reply {
        Reply::Done { answer, .. } => Some(Ok(answer.width)),
        Reply::Failed { fault, .. } => Some(Err(fault)),
        _ => None,
    };
    (tab.posted().into_iter().filter_map(outcome).collect(), world)
}

/// Pixels across of a photo that the fetched program has decoded, and of one that the machine has.
const BY_PROGRAM: Result<u32, PhotoFault> = Ok(8);
const BY_MACHINE: Result<u32, PhotoFault> = Ok(4);

/// A photo that the machine's own decoders know too.
fn known_to_the_machine(photo: Vec<u8>) -> Vec<u8> {
    let (last, rest) = photo.split_last().unwrap();
    [rest, KNOWN_TO_THE_MACHINE, &[*last]].concat()
}

#[test]
fn the_decoder_is_fetched_once_and_only_for_whom_it_is() {
    let (answers, world) = outcomes(true, &[], &[photo(1)]);
    assert_eq!((answers, world.network.requests(HEIC)), (vec![Ok(16)], 0));
    let (answers, world) = outcomes(true, &[], &[heic(FINE), photo(1), heic(FINE)]);
    assert_eq!((answers, world.network.requests(HEIC)), (vec![BY_PROGRAM, Ok(16), BY_PROGRAM], 1));
}

#[test]
fn the_same_photo_gets_the_same_answer_where_the_machine_knows_the_format() {
    assert_eq!(outcomes(true, &[], &[known_to_the_machine(heic(FINE))]).0, [BY_PROGRAM]);
}

/// The machine gets the picture as it is stored: not every browser turns it as the file says.
#[test]
fn an_avif_is_turned_here() {
    let photo = |name: &str| {
        let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/modern-photos");
        [&fs::read(photos.join(name)).unwrap(), KNOWN_TO_THE_MACHINE].concat()
    };
    let photos = [photo("avif-q20-420-b8.avif"), photo("avif-turn1-mirror0.avif")];
    assert_eq!(outcomes(true, &[], &photos).0, [BY_MACHINE, Ok(2)]);
    assert_eq!(outcomes(true, &[], &[photo("avif-turn1-mirror0.avif")[..400].to_vec()]).0.len(), 1);
}

#[test]
fn a_way_that_fails_is_tried_again_and_then_told() {
    let broken = [Way::Cut, Way::Status(503)];
    let (answers, world) = outcomes(true, &broken, &[heic(FINE)]);
    assert_eq!((answers, world.network.requests(HEIC)), (vec![BY_PROGRAM], 3));

    // Three times for the first photo; the second asks again.
    let (answers, world) = outcomes(true, &[Way::Cut; 3], &[heic(FINE), heic(FINE)]);
    let Err(PhotoFault::NoDecoder { format: Foreign::Heic, reason }) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert!(reason.contains("heic.wasm could not be reached"), "{reason}");
    assert_eq!((&answers[1], world.network.requests(HEIC)), (&BY_PROGRAM, 4));

    let (answers, world) = outcomes(true, &[Way::Stalled; 3], &[heic(FINE)]);
    assert!(matches!(&answers[..], [Err(PhotoFault::NoDecoder { .. })]), "{answers:?}");
    // It was waited for, but not for ever: three times the patience, and the waits between.
    assert!(world.clock.now() < 90_000.0);
}

#[test]
fn what_is_not_the_decoder_is_not_run() {
    for way in [Way::Altered, Way::Truncated] {
        let (answers, _) = outcomes(true, &[way; 3], &[heic(FINE), heic(FINE)]);
        assert!(matches!(&answers[0], Err(PhotoFault::NoDecoder { .. })), "{way:?}: {answers:?}");
    }
}

#[test]
fn a_site_without_the_decoder_leaves_it_to_the_machine() {
    let unsupported = || Err(PhotoFault::Unsupported { format: Foreign::Heic });
    for (is_served, ways) in
        [(false, vec![]), (true, vec![Way::Status(404); 2]), (true, vec![Way::WebPage; 2])]
    {
        let photos = [heic(FINE), known_to_the_machine(heic(FINE))];
        assert_eq!(outcomes(is_served, &ways, &photos).0, [unsupported(), BY_MACHINE], "{ways:?}");
    }
    // So does one that can't be reached.
    let (answers, _) = outcomes(true, &[Way::Cut; 3], &[known_to_the_machine(heic(FINE))]);
    assert_eq!(answers, [BY_MACHINE]);
}

#[test]
fn the_machine_is_asked_about_variants_and_not_about_damage() {
    let variant = || Err(PhotoFault::Variant { format: "HEIC".into() });
    let damaged = || Err(PhotoFault::Damaged { format: "HEIC".into() });
    let photos = [
        heic(VARIANT),
        known_to_the_machine(heic(VARIANT)),
        heic(DAMAGED),
        known_to_the_machine(heic(DAMAGED)),
    ];
    assert_eq!(outcomes(true, &[], &photos).0, [variant(), BY_MACHINE, damaged(), damaged()]);
}

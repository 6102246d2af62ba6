//! What was measured of a model's confidence counts for the model's own head, on every device, and for no other head.

use crate::support::devices::{FakeDevices, GpuIs};
use crate::support::model::{Model, URL, model, photo};
use crate::support::network::Way;
use crate::support::{FakePhoto, Tab, World};
use beit::calibration::{Calibration, NoneOfThese, Score};
use protocol::teach::{TaughtClass, TeachRequest};
use protocol::{Answer, Device, Reply, Request};
use std::rc::Rc;

const TEMPERATURE: f64 = 4.0;

/// The model with a calibration in its manifest. Every photo is none of its classes if `below` is high.
fn calibrated(below: f64) -> Model {
    let mut model = model(1);
    model.manifest.calibration = Some(Calibration {
        identity: model.manifest.identity(),
        temperature: TEMPERATURE,
        none_of_these: Some(NoneOfThese { score: Score::Energy, below }),
    });
    model.json = serde_json::to_vec(&model.manifest).unwrap();
    model
}

fn tab(world: &Rc<World>, gpu: GpuIs) -> Tab {
    Tab::new(world, FakeDevices::new(&world.clock, gpu))
}

fn last_answer(tab: &Tab) -> Answer {
    let done = tab.posted().into_iter().rev().find_map(|reply| match reply {
        Reply::Done { answer, .. } => Some(answer),
        _ => None,
    });
    done.expect("an answer")
}

/// The answer to photo 9 of the model that is served.
fn answer(served: &Model) -> Answer {
    let world = World::new();
    served.serve(&world.network, URL);
    let mut tab = tab(&world, GpuIs::Absent);
    world.clock.run(async {
        tab.load(URL, Device::Cpu).await;
        tab.classify(&[9]).await;
    });
    last_answer(&tab)
}

#[test]
fn a_temperature_makes_answers_less_sure_and_a_threshold_makes_them_none() {
    let (plain, some, none) = (answer(&model(1)), answer(&calibrated(-1e3)), answer(&calibrated(1e3)));
    assert_eq!((plain.none_of, some.none_of, none.none_of), (None, None, Some(5)));
    let classes = |answer: &Answer| answer.predictions.iter().map(|p| p.index).collect::<Vec<_>>();
    assert_eq!(classes(&plain), classes(&some));
    assert_eq!(some.predictions, none.predictions);
    // Ratios of probabilities are exp((a − b) / T).
    let ratio = |answer: &Answer| (answer.predictions[0].score / answer.predictions[1].score).ln();
    let expected = ratio(&plain) / TEMPERATURE as f32;
    assert!((ratio(&some) - expected).abs() < 1e-4, "{} {expected}", ratio(&some));
    assert_eq!(none.kind, None);
}

#[test]
fn it_survives_a_lost_gpu_and_counts_for_no_other_head() {
    let world = World::new();
    calibrated(1e3).serve(&world.network, URL);
    let mut tab = tab(&world, GpuIs::Fine(60.0));
    let devices = tab.machine.devices.0.clone();
    devices.after_loss.set(GpuIs::Absent);
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        devices.lost_after.set(Some(0));
        tab.classify(&[9]).await;
        assert_eq!(tab.ready().unwrap().1.kind, "cpu");
        assert_eq!(last_answer(&tab).none_of, Some(5));
        for id in 0..4 {
            let extract = TeachRequest::ExtractFeatures { photo: id };
            tab.send(Request::Teach(extract), vec![FakePhoto(Some(photo(id)))]).await;
        }
        let class = |name: &str, photos| TaughtClass { name: name.into(), photos };
        let classes = vec![class("a", vec![0, 1]), class("b", vec![2, 3])];
        tab.send(Request::Teach(TeachRequest::Train { classes }), vec![]).await;
        tab.classify(&[9]).await;
        let own = last_answer(&tab);
        assert_eq!((own.predictions.len(), own.none_of), (2, None));
        tab.send(Request::Teach(TeachRequest::UseModels), vec![]).await;
        tab.classify(&[9]).await;
        assert_eq!(last_answer(&tab).none_of, Some(5));
    });
}

#[test]
fn a_new_calibration_of_stored_weights_is_used_and_kept() {
    let world = World::new();
    model(1).serve(&world.network, URL);
    world.clock.run(async {
        let mut tab = tab(&world, GpuIs::Absent);
        tab.load(URL, Device::Cpu).await;
        tab.classify(&[9]).await;
        assert_eq!(last_answer(&tab).none_of, None);
        calibrated(1e3).serve(&world.network, URL);
        for offline in [false, true] {
            if offline {
                world.network.always("", Way::Cut);
            }
            let mut tab = self::tab(&world, GpuIs::Absent);
            tab.load(URL, Device::Cpu).await;
            tab.classify(&[9]).await;
            assert_eq!(last_answer(&tab).none_of, Some(5), "offline: {offline}");
        }
    });
}

//! A visitor's own classes stay when the device changes.

use crate::support::devices::{FakeDevices, GpuIs};
use crate::support::model::{URL, model, photo};
use crate::support::{FakePhoto, Tab, World};
use protocol::teach::{TaughtClass, TeachReply, TeachRequest};
use protocol::{Device, Reply, Request};

#[test]
fn a_trained_head_answers_after_the_gpu_is_lost() {
    let world = World::new();
    model(1).serve(&world.network, URL);
    let mut tab = Tab::new(&world, FakeDevices::new(&world.clock, GpuIs::Fine(60.0)));
    let devices = tab.machine.devices.0.clone();
    devices.after_loss.set(GpuIs::Absent);
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        for id in 0..4 {
            let extract = TeachRequest::ExtractFeatures { photo: id };
            tab.send(Request::Teach(extract), vec![FakePhoto(Some(photo(id)))]).await;
        }
        let class = |name: &str, photos| TaughtClass { name: name.into(), photos };
        let classes = vec![class("a", vec![0, 1]), class("b", vec![2, 3])];
        tab.send(Request::Teach(TeachRequest::Train { classes }), vec![]).await;
        devices.lost_after.set(Some(0));
        tab.classify(&[9]).await;
    });
    assert_eq!(tab.ready().unwrap().1.kind, "cpu");
    let posted = tab.posted();
    assert!(!posted.contains(&Reply::Teach(TeachReply::ModelsClasses)), "the head was carried over");
    let answer = posted.iter().find_map(|reply| match reply {
        Reply::Done { id: 9, answer } => Some(answer),
        _ => None,
    });
    let answer = answer.expect("an answer");
    let mut labels: Vec<_> = answer.predictions.iter().map(|prediction| &prediction.label[..]).collect();
    labels.sort();
    assert_eq!(labels, ["a", "b"]);
    assert_eq!(answer.sha256, beit::weights::sha256(&photo(9)));

    // Loaded anew, the model has its own classes.
    world.clock.run(async {
        tab.load(URL, Device::Auto).await;
        tab.classify(&[10]).await;
    });
    let last = tab.posted().pop();
    assert!(
        matches!(last, Some(Reply::Done { id: 10, answer }) if answer.predictions[0].label.starts_with("class"))
    );
}

//! A page that is closed, or a download that is paused, while the model is on its way.

use crate::support::devices::{FakeDevices, GpuIs};
use crate::support::model::{URL, model};
use crate::support::network::Way;
use crate::support::{Tab, World};
use engine::platform::Clock;
use futures_util::future::select;
use protocol::Device;
use std::pin::pin;

#[test]
fn a_shard_that_has_come_is_kept_though_one_before_it_has_not() {
    let world = World::new();
    model(1).serve(&world.network, URL);
    let (first, second) = ("tiny-1-0.gguf", "tiny-1-1.gguf");
    world.network.then(first, &[Way::Stalled]);
    let open = || Tab::new(&world, FakeDevices::new(&world.clock, GpuIs::Absent));
    let mut closed = open();
    world.clock.run(async {
        let load = pin!(closed.load(URL, Device::Cpu));
        select(load, pin!(world.clock.sleep(10_000))).await;
    });
    assert!(closed.ready().is_none());
    let mut tab = open();
    world.clock.run(tab.load(URL, Device::Cpu));
    assert_eq!(tab.milestones(), ["ready on cpu"]);
    assert_eq!((world.network.requests(first), world.network.requests(second)), (2, 1));
}

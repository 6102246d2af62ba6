//! How often bytes are copied into the program's memory, which in WebAssembly never shrinks.

mod support;

use protocol::Device;
use std::rc::Rc;
use support::devices::{FakeDevices, GpuIs};
use support::model::{URL, model};
use support::{COPIED, Tab, World};

fn copied_by_a_visit(world: &Rc<World>) -> u64 {
    let mut tab = Tab::new(world, FakeDevices::new(&world.clock, GpuIs::Absent));
    COPIED.set(0);
    world.clock.run(tab.load(URL, Device::Auto));
    assert_eq!(tab.milestones(), ["ready on cpu"]);
    COPIED.get()
}

#[test]
fn a_fetched_shard_is_copied_once_and_a_stored_one_twice() {
    let world = World::new();
    let tiny = model(1);
    tiny.serve(&world.network, URL);
    let weights = tiny.bytes();
    // Beside the weights there are manifests.
    let most = weights / 2;
    let fetched = copied_by_a_visit(&world);
    assert!((weights..weights + most).contains(&fetched), "{fetched} of {weights}");
    // A stored one is checked before its first byte is used.
    let stored = copied_by_a_visit(&world);
    assert!((2 * weights..2 * weights + most).contains(&stored), "{stored} of {weights}");
}

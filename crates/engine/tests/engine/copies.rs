//! How often bytes are copied into the program's memory, which in WebAssembly never shrinks.

use crate::support::devices::{FakeDevices, GpuIs};
use crate::support::model::{URL, model};
use crate::support::{COPIED, Tab, World};
use protocol::Device;
use std::rc::Rc;

fn copied_by_a_visit(world: &Rc<World>) -> u64 {
    let mut tab = Tab::new(world, FakeDevices::new(&world.clock, GpuIs::Absent));
    COPIED.set(0);
    world.clock.run(tab.load(URL, Device::Auto));
    assert_eq!(tab.milestones(), ["ready on cpu"]);
    COPIED.get()
}

/// For its checksum, which has to be there before it is used or kept, and into the model.
#[test]
fn a_shard_is_copied_twice() {
    let world = World::new();
    let tiny = model(1);
    tiny.serve(&world.network, URL);
    let weights = tiny.bytes();
    // Beside the weights there are manifests.
    let most = 2 * weights + weights / 2;
    for visit in ["fetched", "stored"] {
        let copied = copied_by_a_visit(&world);
        assert!((2 * weights..most).contains(&copied), "{visit}: {copied} of {weights}");
    }
}

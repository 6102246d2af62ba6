//! Every kernel of every instruction set that this build and this machine have, against the scalar
//! reference. The same tests run natively and, as WebAssembly, in a browser.

mod common;
mod floats;
mod fused;
mod packing;
mod products;
mod same_bits;

use common::FORMATS;
use kernels::Isa;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[test]
fn scalar_and_best_are_available() {
    let all = Isa::available();
    assert!(all.contains(&Isa::Scalar) && all.contains(&Isa::best()), "{all:?}");
    #[cfg(target_feature = "relaxed-simd")]
    assert!(all.contains(&Isa::RelaxedPairs) && all.contains(&Isa::RelaxedQuads), "{all:?}");
    #[cfg(target_feature = "simd128")]
    assert!(all.contains(&Isa::Simd128) && all.contains(&Isa::Simd128Extmul), "{all:?}");
}

/// A clock that only counts: every candidate takes one tick, so the choice is any, but it ends.
#[test]
fn the_fastest_is_an_available_one() {
    for format in FORMATS {
        let ticks = std::cell::Cell::new(0.0);
        let clock = || {
            ticks.set(ticks.get() + 1.0);
            ticks.get()
        };
        let (fastest, lead) = Isa::fastest(format, clock);
        assert!(lead >= 1.0, "{format:?}: {lead}");
        assert!(Isa::available().contains(&fastest) && fastest != Isa::Scalar || Isa::available().len() == 1);
    }
}

//! The forward pass against timm's, on the two tiny networks: every block's output and the logits,
//! element by element.

use crate::tiny::{NETWORKS, config, expected, inputs, model, values};
use beit::backend::CpuTokens;
use kernels::Isa;
use safetensors::SafeTensors;

/// F32 against F32, summed in another order.
const TOLERANCE: f32 = 1e-4;

#[test]
fn every_block_and_the_logits_are_timms() {
    NETWORKS.into_iter().for_each(check);
}

fn check(name: &str) {
    let bytes = expected(name);
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let logits = values(&expected, "logits");
    let blocks: Vec<_> = (0..config(name).depth).map(|i| values(&expected, &format!("block.{i}"))).collect();
    let photos = inputs(name);
    assert_eq!(photos.len(), 2);
    for isa in Isa::available() {
        let model = model(name, isa);
        let both = pollster::block_on(model.batch_logits(&photos)).unwrap();
        close(&format!("{name}, {}, both inputs in one pass", isa.name()), &both.concat(), &logits);
        for (input, pixels) in photos.iter().enumerate() {
            let part = |all: &[f32]| {
                let len = all.len() / photos.len();
                all[input * len..(input + 1) * len].to_vec()
            };
            let mut seen = 0;
            let observe = |i: usize, tokens: &CpuTokens| {
                let what = format!("{name}, {}, input {input}, block {i}", isa.name());
                close(&what, tokens.values(), &part(&blocks[i]));
                seen += 1;
            };
            model.tokens(pixels, observe).unwrap();
            assert_eq!(seen, blocks.len());
            let got = pollster::block_on(model.logits(pixels)).unwrap();
            close(&format!("{name}, {}, input {input}, logits", isa.name()), &got, &part(&logits));
        }
    }
}

fn close(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let worst = got.iter().zip(expected).map(|(g, e)| (g - e).abs()).fold(0.0, f32::max);
    assert!(worst <= TOLERANCE, "{what}: differs by up to {worst}");
}

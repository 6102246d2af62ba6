//! Checkpoints that the page itself fetches and quantises: from a hub, from the visitor's disk, through every fault.

#[path = "../crates/checkpoint/tests/support/mod.rs"]
mod checkpoints;
#[path = "import/seeded_checkpoint.rs"]
mod seeded_checkpoint;

#[test]
fn seeds() {
    let t = seeded_checkpoint::tensors();
    checkpoints::write_safetensors(std::path::Path::new("/tmp/tests_seed.safetensors"), &t);
    std::fs::write("/tmp/tests_seed.pth", checkpoints::pytorch::pth(&t, b"", b"")).unwrap();
}

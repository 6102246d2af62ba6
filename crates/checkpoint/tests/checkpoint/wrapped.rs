//! Networks that lie deeper than at the top of a checkpoint, or beside others: found by the names of their tensors,
//! and told where there was a choice.

use crate::support::pytorch::{Pickler, archive, pth, storages};
use crate::support::{Tensors, TestTensor, golden, shard_of, shard_of_bytes, shard_of_tensors, tensors};
use checkpoint::dialects::Dialect;
use checkpoint::{CheckpointError, Note};
use safetensors::Dtype;
use std::sync::LazyLock;

static TINY: LazyLock<Tensors> = LazyLock::new(|| tensors(&golden("tiny-relative")));
/// What a conversion of it is.
static EXPECTED: LazyLock<Vec<u8>> = LazyLock::new(|| shard_of(&golden("tiny-relative")).unwrap().0);

fn zeros(shape: &[usize], dtype: Dtype) -> TestTensor {
    TestTensor { dtype, shape: shape.to_vec(), values: vec![0.0; shape.iter().product()] }
}

fn renamed(tensors: &Tensors, rename: impl Fn(&str) -> String) -> Tensors {
    tensors.iter().map(|(name, tensor)| (rename(name), tensor.clone())).collect()
}

/// The same network with other weights.
fn other() -> Tensors {
    let mut other = TINY.clone();
    other.values_mut().flat_map(|tensor| &mut tensor.values).for_each(|value| *value *= 0.5);
    other
}

fn joined<const N: usize>(networks: [Tensors; N]) -> Tensors {
    networks.into_iter().flatten().collect()
}

/// Converts to what the plain network does; gives the notes.
fn same(what: &str, result: Result<(Vec<u8>, Vec<String>), CheckpointError>) -> Vec<String> {
    let (shard, notes) = result.unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(shard == *EXPECTED, "{what}: other weights");
    notes
}

#[test]
fn prefixes_and_wrappers_are_left_out() {
    for prefix in [
        "module.",
        "model.",
        "_orig_mod.",
        "backbone.",
        "net.",
        "module.model.",
        "model._orig_mod.",
        "_orig_mod.module.",
        "module.module.",
        "_forward_module.model.",
        "module._orig_mod.model.backbone.",
        "lit.encoder.vit.",
    ] {
        let notes = same(prefix, shard_of_tensors(&renamed(&TINY, |name| format!("{prefix}{name}"))));
        assert!(notes.is_empty(), "{prefix}: {notes:?}");
    }
    let inside = renamed(&TINY, |name| name.replacen(".norm", "._checkpoint_wrapped_module.norm", 1));
    same("inside a block", shard_of_tensors(&inside));
}

#[test]
fn every_dialect_may_be_wrapped() {
    for dialect in Dialect::ALL {
        let theirs = crate::support::renamed(&TINY, dialect);
        for prefix in ["module.", "model.", "model.module."] {
            let wrapped = renamed(&theirs, |name| format!("{prefix}{name}"));
            same(&format!("{prefix} before {dialect}"), shard_of_tensors(&wrapped));
        }
    }
}

#[test]
fn a_head_may_stand_beside_its_backbone() {
    for (backbone, head) in [("backbone.", ""), ("model.backbone.", "model."), ("module.model.vit.", "")] {
        let rename = |name: &str| match name.starts_with("head.") {
            true => format!("{head}{name}"),
            false => format!("{backbone}{name}"),
        };
        let mut all = renamed(&TINY, rename);
        all.insert("criterion.class_weight".into(), zeros(&[50], Dtype::F32));
        all.insert("train_accuracy.count".into(), zeros(&[1], Dtype::I64));
        let notes = same(backbone, shard_of_tensors(&all));
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert!(note.contains("criterion.class_weight, train_accuracy.count"), "{note}");
    }
}

#[test]
fn a_missing_tensor_is_named_as_the_file_would() {
    let mut all = renamed(&TINY, |name| format!("model.{name}"));
    all.remove("model.blocks.1.mlp.fc1.bias");
    all.insert("model.tokenizer".into(), zeros(&[3], Dtype::F32));
    let error = shard_of_tensors(&all).unwrap_err().to_string();
    assert!(error.contains("\n  model.blocks.1.mlp.fc1.bias: expected [512], got nothing"), "{error}");
    assert!(error.contains("\n  model.tokenizer: expected no such tensor"), "{error}");
}

#[test]
fn two_names_for_one_place_are_a_fault() {
    let mut all = TINY.clone();
    all.insert("module.head.bias".into(), zeros(&[50], Dtype::F32));
    let error = shard_of_tensors(&all).unwrap_err().to_string();
    assert!(error.contains("module.head.bias: expected one tensor of this name"), "{error}");
}

/// A pickle of a dict or list, nested by `open` and `close`, around state dicts.
fn pickled(write: impl FnOnce(&mut Pickler), networks: &[&Tensors]) -> Vec<u8> {
    let mut pickle = Pickler::default();
    pickle.op(b"\x80\x02");
    write(&mut pickle);
    pickle.op(b".");
    let mut first = 0;
    let mut all = Vec::new();
    for network in networks {
        all.extend(storages(network, first));
        first += network.len();
    }
    archive(&pickle.0, &all)
}

#[test]
fn whatever_scripts_wrap_a_state_dict_in_is_looked_through() {
    for path in [
        &["model_state_dict"][..],
        &["model_state"],
        &["state_dict"],
        &["net"],
        &["best"],
        &["model", "module"],
        &["checkpoint", "model", "state_dict"],
    ] {
        let write = |pickle: &mut Pickler| {
            for key in path {
                pickle.op(b"}").text(key);
            }
            pickle.state_dict(&TINY, 0).op(&vec![b's'; path.len()]);
        };
        let notes = same(&path.join("."), shard_of_bytes("x.pth", &pickled(write, &[&TINY])));
        assert!(notes.is_empty(), "{path:?}: {notes:?}");
    }
    // [{"model": state dict}, 7], and a tuple of one.
    for (open, close) in [(&b"]("[..], &b"K\x07e"[..]), (b"(", b"t"), (b"(K\x05", b"t")] {
        let write = |pickle: &mut Pickler| {
            pickle.op(open).op(b"}").text("model").state_dict(&TINY, 0).op(b"s").op(close);
        };
        same("a list", shard_of_bytes("x.pth", &pickled(write, &[&TINY])));
    }
    // Prefixes inside keys.
    let wrapped = renamed(&TINY, |name| format!("module.{name}"));
    let bytes = pth(&wrapped, &[&b"}"[..], b"X\x0a\x00\x00\x00state_dict"].concat(), b"s");
    same("DataParallel", shard_of_bytes("x.pth", &bytes));
}

#[test]
fn what_else_is_in_a_training_checkpoint_does_not_matter() {
    let write = |pickle: &mut Pickler| {
        pickle.op(b"}(").text("optimizer").op(b"}").text("state").op(b"}K\x00}").text("exp_avg");
        pickle.tensor("ComplexFloatStorage", "gone", 4, 0, &[4], &[1]);
        pickle.op(b"sss").text("seed").op(b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00");
        // LONG4, a bytearray of protocol 5, a call with named arguments.
        pickle.text("big").op(b"\x8b\x0a\x00\x00\x000123456789");
        pickle.text("state").op(b"\x96\x03\x00\x00\x00\x00\x00\x00\x00abc");
        pickle.text("args").op(b"cargparse\nNamespace\n)}\x92");
        pickle.text("model").state_dict(&TINY, 0).op(b"u");
    };
    same("training", shard_of_bytes("x.pth", &pickled(write, &[&TINY])));
}

#[test]
fn parameters_of_every_kind_are_tensors() {
    let mut changed = TINY.clone();
    let bias = changed.remove("head.bias").unwrap();
    let mut bytes = storages(&changed, 0);
    bytes.push(("data/bias".into(), crate::support::bytes_of(&bias)));
    type Write = fn(&mut Pickler);
    let bare: Write = |p| p.tensor("FloatStorage", "bias", 50, 0, &[50], &[1]);
    let kinds: [(&str, Write); 4] = [
        ("a parameter", |p| {
            p.op(b"ctorch._utils\n_rebuild_parameter\n(");
            p.tensor("FloatStorage", "bias", 50, 0, &[50], &[1]);
            p.op(b"\x88ccollections\nOrderedDict\n)RtR");
        }),
        ("a parameter with state", |p| {
            p.op(b"ctorch._utils\n_rebuild_parameter_with_state\n(");
            p.tensor("FloatStorage", "bias", 50, 0, &[50], &[1]);
            p.op(b"\x88ccollections\nOrderedDict\n)R}").text("tag").op(b"K\x01stR");
        }),
        ("a subclass", |p| {
            p.op(
                b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nclib\nTensor\n(",
            );
            p.op(b"(")
                .text("storage")
                .op(b"ctorch\nFloatStorage\n")
                .text("bias")
                .text("cpu")
                .int(50)
                .op(b"tQ");
            p.int(0).ints(&[50]).ints(&[1]).op(b"\x89ccollections\nOrderedDict\n)Rt}tR");
        }),
        ("a subclass's parameter", |p| {
            p.op(
                b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_parameter\nclib\nTensor\n(",
            );
            p.tensor("FloatStorage", "bias", 50, 0, &[50], &[1]);
            p.op(b"\x88ccollections\nOrderedDict\n)Rt}tR");
        }),
    ];
    for (kind, write) in [("bare", bare)].into_iter().chain(kinds) {
        let mut pickle = Pickler::default();
        pickle.op(b"\x80\x02").state_dict(&changed, 0).text("head.bias");
        write(&mut pickle);
        pickle.op(b"s.");
        same(kind, shard_of_bytes("x.pth", &archive(&pickle.0, &bytes)));
    }
}

#[test]
fn the_average_is_taken_and_that_is_told() {
    let other = other();
    for (model, average) in [
        ("model", "model_ema"),
        ("state_dict", "state_dict_ema"),
        ("model_state_dict", "ema_state_dict"),
        ("net", "EMA"),
    ] {
        for average_first in [true, false] {
            let write = |pickle: &mut Pickler| {
                pickle.op(b"}(");
                let one = |pickle: &mut Pickler, key: &str, tensors: &Tensors, first: usize| {
                    pickle.text(key).state_dict(tensors, first);
                };
                if average_first {
                    one(pickle, average, &TINY, 0);
                    one(pickle, model, &other, TINY.len());
                } else {
                    one(pickle, model, &other, TINY.len());
                    one(pickle, average, &TINY, 0);
                }
                pickle.op(b"u");
            };
            let notes = same(average, shard_of_bytes("x.pth", &pickled(write, &[&TINY, &other])));
            let [note] = &notes[..] else { panic!("{notes:?}") };
            assert!(note.contains(&format!("{average} is taken, the moving average")), "{note}");
            assert!(note.contains(&format!("not taken: {model} ")), "{note}");
        }
    }
    // No average was kept.
    let write = |pickle: &mut Pickler| {
        pickle.op(b"}(").text("model_ema").op(b"N").text("model").state_dict(&TINY, 0).op(b"u");
    };
    assert!(same("none", shard_of_bytes("x.pth", &pickled(write, &[&TINY]))).is_empty());
    // In one dict, as Lightning's callbacks leave it.
    let both = [
        renamed(&other, |name| format!("model.{name}")),
        renamed(&TINY, |n| format!("ema_model.module.{n}")),
    ];
    let notes = same("prefixes", shard_of_tensors(&joined(both)));
    assert!(notes[0].contains("ema_model is taken") && notes[0].contains("not taken: model "), "{notes:?}");
    assert_eq!(notes.len(), 1, "{notes:?}");
}

#[test]
fn without_a_word_which_network_is_meant_none_is_taken() {
    let both =
        [renamed(&TINY, |name| format!("student.{name}")), renamed(&other(), |n| format!("teacher.{n}"))];
    let error = shard_of_tensors(&joined(both)).unwrap_err().to_string();
    assert!(error.contains("several networks (student, teacher)"), "{error}");
    let other = other();
    let write = |pickle: &mut Pickler| {
        pickle.op(b"}(").text("student").state_dict(&TINY, 0);
        pickle.text("teacher").state_dict(&other, TINY.len()).op(b"u");
    };
    let error = shard_of_bytes("x.pth", &pickled(write, &[&TINY, &other])).unwrap_err().to_string();
    assert!(error.contains("several networks (student, teacher)"), "{error}");
    // Only one of them is a classifier.
    let mut teacher = renamed(&other, |name| format!("teacher.{name}"));
    teacher.retain(|name, _| !name.contains("head"));
    let both = [renamed(&TINY, |name| format!("student.{name}")), teacher];
    let notes = same("one head", shard_of_tensors(&joined(both)));
    assert!(notes[0].contains("student is taken"), "{notes:?}");
}

#[test]
fn what_pre_training_leaves_is_named_and_ignored() {
    for dialect in Dialect::ALL {
        let leftovers: &[&str] = match dialect {
            Dialect::Timm => {
                &["mask_token", "norm.weight", "norm.bias", "lm_head.weight", "blocks.0.attn.k_bias"]
            }
            Dialect::ModelScope => &["backbone.mask_token", "backbone.norm.weight"],
            Dialect::Mmpretrain => &["backbone.mask_token", "backbone.ln1.weight"],
            Dialect::Transformers4 => {
                &["beit.embeddings.mask_token", "beit.layernorm.weight", "lm_head.bias"]
            }
            Dialect::Transformers5 => {
                &["beit.embeddings.mask_token", "beit.layernorm.weight", "lm_head.bias"]
            }
        };
        let mut all = crate::support::renamed(&TINY, dialect);
        let mut odd = zeros(&[128], Dtype::F32);
        odd.values[0] = f32::NAN;
        leftovers.iter().for_each(|name| drop(all.insert((*name).into(), odd.clone())));
        let notes = same(&dialect.to_string(), shard_of_tensors(&all));
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert!(leftovers.iter().all(|name| note.contains(name)), "{note}");
    }
}

#[test]
fn a_note_does_not_flood_the_terminal() {
    let names: Vec<String> = (0..10_000).map(|i| format!("{i}{}", "x".repeat(1000))).collect();
    for note in [
        Note::PretrainingTensors { names: names.clone() },
        Note::OtherTensors { prefix: names[0].clone(), names: names.clone() },
        Note::NetworkChosen { taken: names[0].clone(), average: true, others: names.clone() },
        Note::Narrowed { names },
    ] {
        assert!(note.to_string().len() < 2000);
    }
}

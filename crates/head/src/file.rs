//! A head as a file: `.safetensors` with `head.weight` `[classes, width]` and `head.bias` `[classes]` in F32,
//! the rest as JSON in its metadata.

use crate::{Head, HeadError};
use beit::labels::Label;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The only value of [`Description::format`] so far.
const FORMAT: &str = "beitscope-head-1";
/// The one key of the metadata, so that the same head gives the same bytes.
const KEY: &str = "beitscope";
const WEIGHT: &str = "head.weight";
const BIAS: &str = "head.bias";

/// The largest file that is read: 21,841 classes on 1024 features take 90 MB.
const MAX_BYTES: usize = 256 << 20;

#[derive(Serialize, Deserialize)]
struct Description {
    format: String,
    /// The model whose features the head reads.
    model: String,
    model_sha256: String,
    classes: Vec<Label>,
}

impl Head {
    /// The file's bytes; the same head gives the same ones.
    pub fn to_bytes(&self) -> Result<Vec<u8>, HeadError> {
        let description = Description {
            format: FORMAT.into(),
            model: self.model().into(),
            model_sha256: self.model_sha256().into(),
            classes: self.classes().to_vec(),
        };
        let text = serde_json::to_string(&description).map_err(|e| HeadError::file(e.to_string()))?;
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (weights, bias) = (bytes(self.weights()), bytes(self.bias()));
        let view = |shape, bytes| {
            TensorView::new(Dtype::F32, shape, bytes).map_err(|e| HeadError::file(e.to_string()))
        };
        let classes = self.classes().len();
        let tensors =
            [(WEIGHT, view(vec![classes, self.width()], &weights)?), (BIAS, view(vec![classes], &bias)?)];
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| HeadError::file(e.to_string()))
    }

    /// Reads such a file. It may come from anywhere, so nothing in it is believed before it is checked.
    ///
    /// # Errors
    /// When the bytes are no such file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        if bytes.len() > MAX_BYTES {
            return Err(HeadError::file(format!("it has {} bytes, more than {MAX_BYTES}", bytes.len())));
        }
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|e| HeadError::file(format!("it is no whole .safetensors file ({e})")))?;
        let text = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
        let text = text.ok_or_else(|| HeadError::file(format!("its metadata lacks `{KEY}`")))?;
        let description: Description =
            serde_json::from_str(text).map_err(|e| HeadError::file(format!("metadata `{KEY}`: {e}")))?;
        let Description { format, model, model_sha256, classes } = description;
        if format != FORMAT {
            return Err(HeadError::file(format!("expected the format {FORMAT}, got {format:.80}")));
        }
        if let Some(class) = classes.iter().position(|label| label.en.trim().is_empty()) {
            return Err(HeadError::file(format!("class {class} has no name")));
        }
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|e| HeadError::file(format!("it is damaged ({e})")))?;
        let (weights, shape) = floats(&tensors, WEIGHT)?;
        let (bias, bias_shape) = floats(&tensors, BIAS)?;
        match (&shape[..], &bias_shape[..]) {
            ([rows, width], [biases]) if *rows == classes.len() && biases == rows && *width > 0 => {
                Self::new(classes, weights, bias, &model, &model_sha256)
            }
            _ => Err(HeadError::file(format!(
                "{} classes, but {WEIGHT} is {shape:?} and {BIAS} {bias_shape:?}",
                classes.len()
            ))),
        }
    }

    /// Refuses a head that was made for other features than those of the model with this name and hash.
    ///
    /// # Errors
    /// When the hashes differ.
    pub fn check_model(&self, name: &str, sha256: &str) -> Result<(), HeadError> {
        if self.model_sha256() == sha256 {
            return Ok(());
        }
        let short = |name: &str, hash: &str| format!("{name:.80} ({:.8})", hash);
        Err(HeadError::OtherModel {
            expected: short(self.model(), self.model_sha256()),
            got: short(name, sha256),
        })
    }
}

fn floats(tensors: &SafeTensors, name: &str) -> Result<(Vec<f32>, Vec<usize>), HeadError> {
    let view = tensors.tensor(name).map_err(|_| HeadError::file(format!("it lacks {name}")))?;
    if view.dtype() != Dtype::F32 {
        return Err(HeadError::file(format!("{name}: expected F32, got {:?}", view.dtype())));
    }
    let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    Ok((values, view.shape().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(en: &str) -> Label {
        Label { wnid: String::new(), en: en.into(), zh: "猫".into() }
    }

    fn head() -> Head {
        let weights = vec![1.0, -2.0, 0.5, 0.25, 3.0, -0.125];
        Head::new(vec![label("cat \"A\""), label("dog")], weights, vec![0.5, -1.5], "tiny", &"a".repeat(64))
            .unwrap()
    }

    #[test]
    fn a_head_survives_its_file() {
        let head = head();
        let bytes = head.to_bytes().unwrap();
        assert_eq!(head.to_bytes().unwrap(), bytes);
        let read = Head::from_bytes(&bytes).unwrap();
        assert_eq!(read, head);
        assert_eq!(read.logits(&[1.0, 1.0, 2.0]).unwrap(), [0.5, 1.5]);
        assert!(read.logits(&[1.0]).is_err());
        assert!(read.check_model("tiny", &"a".repeat(64)).is_ok());
        let error = read.check_model("other", &"b".repeat(64)).unwrap_err().to_string();
        assert!(error.contains("tiny (aaaaaaaa)") && error.contains("other (bbbbbbbb)"), "{error}");
    }

    #[test]
    fn damage_is_refused_in_words() {
        let good = head().to_bytes().unwrap();
        for cut in [0, 7, 40, good.len() - 1] {
            assert!(Head::from_bytes(&good[..cut]).is_err(), "{cut}");
        }
        let swap = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let at = good.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            let mut bad = good.clone();
            bad[at..at + to.len()].copy_from_slice(to.as_bytes());
            Head::from_bytes(&bad).unwrap_err().to_string()
        };
        assert!(swap("beitscope-head-1", "beitscope-head-9").contains("beitscope-head-9"));
        assert!(swap("head.bias", "head.bios").contains("lacks head.bias"));
        assert!(swap("dog", "   ").contains("class 1 has no name"));
        assert!(swap("beitscope\"", "beitscopf\"").contains("metadata lacks"));
        let mut nan = good.clone();
        let end = nan.len();
        nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(Head::from_bytes(&nan).unwrap_err().to_string().contains("not finite"));
    }
}

//! The weights in the browser's storage, as the page lists them.

use crate::models::list::Listed;
use protocol::import::{ImportOffer, ImportSource};
use std::rc::Rc;

/// A model in storage.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInStorage {
    /// Its manifest's address.
    pub manifest: Rc<str>,
    pub name: String,
    pub quantization: String,
    /// All shards together.
    pub bytes: u64,
    /// Those of them that are here.
    pub here: u64,
    /// Whole days since it was last loaded; none where nobody knows.
    pub days: Option<u64>,
    pub sha256: String,
}

/// What is in storage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StorageContents {
    /// Bytes of weights; none where the browser offers no storage.
    pub bytes: Option<u64>,
    /// The last used first.
    pub models: Rc<[ModelInStorage]>,
    /// Imports that no visit has finished, the last one first. Their `resumed_bytes` tell how far they are.
    pub imports: Rc<[Rc<ImportOffer>]>,
}

impl StorageContents {
    /// The listed models that are whole here, in the version that the list offers.
    pub fn whole(&self, listed: &[Listed]) -> Rc<[Rc<str>]> {
        let is_whole = |model: &&Listed| {
            let mut kept = self.models.iter().filter(|kept| kept.manifest == model.manifest);
            kept.any(|kept| {
                kept.here == kept.bytes && model.sha256.as_ref().is_none_or(|sha256| *sha256 == kept.sha256)
            })
        };
        listed.iter().filter(is_whole).map(|model| model.manifest.clone()).collect()
    }

    /// The imported models that are whole here and not listed.
    pub fn imported(&self, listed: &[Listed]) -> Rc<[ModelInStorage]> {
        let is_listed =
            |model: &ModelInStorage| listed.iter().any(|listed| listed.manifest == model.manifest);
        let is_imported = |model: &ModelInStorage| ImportSource::of(&model.manifest).is_some();
        let is_whole = |model: &ModelInStorage| model.here == model.bytes;
        let models = self.models.iter().filter(|model| is_imported(model) && is_whole(model));
        models.filter(|model| !is_listed(model)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_on_the_device_if_it_is_whole_and_of_the_version_that_is_offered() {
        let kept = |manifest: &str, here| ModelInStorage {
            manifest: manifest.into(),
            name: String::new(),
            quantization: String::new(),
            bytes: 9,
            here,
            days: None,
            sha256: "ab".into(),
        };
        let kept = StorageContents {
            bytes: Some(18),
            models: [kept("whole", 9), kept("part", 8), kept("old", 9)].into(),
            imports: [].into(),
        };
        let listed = |manifest: &str, sha256: Option<&str>| Listed {
            manifest: manifest.into(),
            sha256: sha256.map(str::to_owned),
            ..Listed::default()
        };
        let listed = [
            listed("whole", Some("ab")),
            listed("part", None),
            listed("old", Some("cd")),
            listed("none", None),
        ];
        assert_eq!(*kept.whole(&listed), ["whole".into()]);
    }
}

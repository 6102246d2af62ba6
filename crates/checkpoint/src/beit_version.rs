//! BEiT or BEiTv2: the same network, so that no tensor tells them apart, but trained on photos that were normalised
//! differently. Their authors, timm, transformers and mmpretrain put the version into names.

use beit::config::Config;

/// From this image size on, BEiT's evaluation (unilm, timm) crops nothing from the short side.
const UNCROPPED_SIZE: usize = 384;

/// Mean and standard deviation of BEiT: a photo's values from -1 to 1.
pub(crate) const V1_MEAN_AND_STD: [f32; 3] = [0.5; 3];

/// Which of the two a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BeitVersion {
    V1,
    V2,
}

impl BeitVersion {
    /// What a name says: `beitv2_large…`, `beit-v2…`, or `beit_large…`, `beit-base…`.
    pub(crate) fn told_by(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let mut found = None;
        for (at, word) in name.match_indices("beit") {
            let begins = !name[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let after = &name[at + word.len()..];
            let separated = after.strip_prefix(['_', '-']);
            if begins && separated.unwrap_or(after).starts_with("v2") {
                return Some(Self::V2);
            }
            if begins && separated.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric())) {
                found = Some(Self::V1);
            }
        }
        found
    }
}

/// Prepares photos as BEiT was trained and evaluated: mean and standard deviation 0.5.
pub(crate) fn prepare_as_v1(config: &mut Config) {
    let preprocessing = &mut config.preprocessing;
    (preprocessing.mean, preprocessing.std) = (V1_MEAN_AND_STD, V1_MEAN_AND_STD);
    if preprocessing.crop >= UNCROPPED_SIZE {
        preprocessing.short_side = preprocessing.crop;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_names_tell_the_version() {
        let v2 = [
            "beitv2_large_patch16_224_pt1k_ft21kto1k.pth",
            "beitv2_large_patch16_224.in1k_ft_in22k_in1k",
            "beitv2-base-p16_8xb128-coslr-100e_in1k",
            "BEiT_v2_base",
            "beit-v2",
            "my_beit_from_beitv2_large",
        ];
        let v1 = [
            "beit_large_patch16_512_pt22k_ft22kto1k.pth",
            "beit_base_patch16_384.in22k_ft_in22k_in1k",
            "beit-base-patch16-224",
            "microsoft/BEiT-large-patch16-224-pt22k-ft22k",
        ];
        let none = [
            "pytorch_model.pt",
            "beit",
            "beitscope-demo",
            "beit3_large",
            "dinobeit_large",
            "cv_vit-base",
            "",
        ];
        for (names, version) in
            [(&v2[..], Some(BeitVersion::V2)), (&v1, Some(BeitVersion::V1)), (&none, None)]
        {
            for name in names {
                assert_eq!(BeitVersion::told_by(name), version, "{name}");
            }
        }
    }
}

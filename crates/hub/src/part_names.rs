//! How the files of a checkpoint that is split over several are called.

/// How the name of an index ends.
const INDEX_ENDING: &str = ".index.json";

/// Whether a name is that of an index, which tells what is in which part.
pub fn is_index(file: &str) -> bool {
    file.ends_with(INDEX_ENDING)
}

/// Whether a name is one of several: `model-00001-of-00003.safetensors`.
pub fn is_part(file: &str) -> bool {
    let Some((stem, _)) = file.rsplit_once('.') else { return false };
    let Some((stem, count)) = stem.rsplit_once("-of-") else { return false };
    let Some((_, number)) = stem.rsplit_once('-') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(number) && digits(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered() {
        assert!(is_part("model-00001-of-00002.safetensors"));
        assert!(!is_part("vit-of-5.pth") && !is_part("a-of-b.pth"));
    }
}

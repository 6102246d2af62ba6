//! Recognises files that are no checkpoints by their first bytes, for an error that helps.

/// How a Git LFS pointer begins.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";
/// Bytes that are looked at.
const LOOKED_AT: usize = 1024;
/// Where a tar archive says that it is one.
const TAR_MAGIC: usize = 257;

/// A sentence about what the file is and what to do, if it is known.
pub(crate) fn describe(file: &[u8]) -> Option<String> {
    let start = &file[..file.len().min(LOOKED_AT)];
    if file.is_empty() {
        return Some("it is empty: fetch or save it again".into());
    }
    if start.starts_with(LFS) {
        let size = size_in_pointer(start).map(|size| format!(" of {size} bytes")).unwrap_or_default();
        return Some(format!(
            "it is a Git LFS pointer, not the weights{size} that it stands for: run `git lfs pull` in the clone (with \
             git-lfs installed), or download the file itself"
        ));
    }
    if is_markup(start) {
        return Some(
            "it is a web page (HTML or XML), not weights: probably a login or an error page that was saved under \
             this name; download the file again, signed in if need be"
                .into(),
        );
    }
    if is_json(start) {
        return Some(
            "it is JSON text, not weights: a configuration, or an error message that was saved under this name; \
             download the file again"
                .into(),
        );
    }
    if start.get(TAR_MAGIC..TAR_MAGIC + 5) == Some(b"ustar") {
        return Some(
            "it is a tar archive. PyTorch 0.1 (2016) wrote checkpoints as such: if this is one and you trust it, load \
             it with torch.load(FILE, weights_only=False) and save its state dict again; otherwise unpack it and \
             convert the checkpoint in it"
                .into(),
        );
    }
    let (_, sentence) = KINDS.iter().find(|(magic, _)| start.starts_with(magic))?;
    Some((*sentence).to_owned())
}

const KINDS: [(&[u8], &str); 9] = [
    (b"PK\x05\x06", "it is a zip archive without any file in it"),
    (b"\x1f\x8b", "it is compressed with gzip: unpack it first"),
    (b"BZh", "it is compressed with bzip2: unpack it first"),
    (b"\xfd7zXZ\0", "it is compressed with xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first"),
    (
        b"GGUF",
        "it is a GGUF file: converting needs the PyTorch or safetensors checkpoint that it was made from",
    ),
    (
        b"\x89HDF\r\n\x1a\n",
        "it is an HDF5 file (Keras, TensorFlow): convert the PyTorch or safetensors checkpoint",
    ),
    (b"\x93NUMPY", "it is a single numpy array: convert the PyTorch or safetensors checkpoint"),
];

/// The size that a Git LFS pointer tells.
fn size_in_pointer(start: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(start).ok()?;
    text.lines().find_map(|line| line.strip_prefix("size "))?.trim().parse().ok()
}

/// Whether it is text that begins as a JSON object does.
pub(crate) fn is_json(start: &[u8]) -> bool {
    let text = std::str::from_utf8(start).is_ok_and(|text| !text.contains('\0'));
    text && start.trim_ascii_start().starts_with(b"{")
}

fn is_markup(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins = |tag: &[u8]| start.get(..tag.len()).is_some_and(|found| found.eq_ignore_ascii_case(tag));
    [&b"<!doctype"[..], b"<html", b"<head", b"<body", b"<?xml", b"<!--"].into_iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_named() {
        let mut tar = vec![0; 512];
        tar[..8].copy_from_slice(b"sys_info");
        tar[257..265].copy_from_slice(b"ustar  \0");
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1217553480\n";
        for (file, part) in [
            (&b""[..], "empty"),
            (pointer, "Git LFS pointer, not the weights of 1217553480 bytes"),
            (b"\n <!DOCTYPE html>", "web page"),
            (b"\xef\xbb\xbf<HTML lang=en>", "web page"),
            (&tar, "tar archive"),
            (b"\x1f\x8b\x08", "gzip"),
            (br#"{"error": "Repository not found"}"#, "JSON text"),
        ] {
            let sentence = describe(file).unwrap();
            assert!(sentence.contains(part), "{part}: {sentence}");
        }
        assert_eq!(describe(b"\x80\x02}."), None);
        assert_eq!(describe(b"<"), None);
    }
}

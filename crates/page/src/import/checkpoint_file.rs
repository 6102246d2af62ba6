//! Which of the visitor's files is a checkpoint.

/// How the names of checkpoint files end, for file pickers.
pub const ENDINGS: &str = ".safetensors,.pth,.pt,.bin";

/// Whether a file is a checkpoint, by its name and its first bytes. A `.pth` file is a zip archive inside, but nobody
/// means the photos in it. Many things are called `.bin`, so of those the content decides.
pub fn is_checkpoint(name: &str, head: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    ends(&[".safetensors", ".pth", ".pt"]) || ends(&[".bin"]) && begins_like_one(head)
}

fn begins_like_one(head: &[u8]) -> bool {
    let is_pytorch_zip = head.starts_with(b"PK\x03\x04") && contains(head, b"data.pkl");
    let is_pickle = head.starts_with(b"\x80\x02");
    // The header's length, then the header, which is a JSON object.
    let is_safetensors = head.get(8) == Some(&b'{') && head[4..8] == [0; 4];
    is_pytorch_zip || is_pickle || is_safetensors
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYTORCH: &[u8] =
        b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0archive/data.pkl";

    #[test]
    fn checkpoints_are_told_by_name_and_content() {
        for (name, head, expected) in [
            ("model.safetensors", &b""[..], true),
            ("beitv2_large.PTH", PYTORCH, true),
            ("model.pt", b"\x80\x02", true),
            ("pytorch_model.bin", PYTORCH, true),
            ("pytorch_model.bin", b"\x80\x02\x8a\n", true),
            ("model.bin", b"\x40\x01\0\0\0\0\0\0{\"__metadata__\"", true),
            ("photos.bin", b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0cat.jpg", false),
            ("photo.bin", b"\xff\xd8\xff\xe0", false),
            ("empty.bin", b"", false),
            ("photos.zip", PYTORCH, false),
            ("cat.jpg", b"\xff\xd8\xff\xe0", false),
            ("pth", PYTORCH, false),
        ] {
            assert_eq!(is_checkpoint(name, head), expected, "{name} {head:?}");
        }
    }

    #[test]
    fn pickers_take_what_drops_take() {
        for ending in ENDINGS.split(',') {
            assert!(is_checkpoint(&format!("x{ending}"), PYTORCH), "{ending}");
        }
    }
}

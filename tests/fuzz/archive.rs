//! PyTorch's zip archive around a pickle.

use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An archive as `torch.save` lays it out; `storages` are keys and contents.
pub fn pytorch(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(format!("archive/{name}"), stored).expect("a new name");
        zip.write_all(bytes).expect("memory takes any bytes");
    };
    add("data.pkl", pickle);
    for (key, bytes) in storages {
        add(&format!("data/{key}"), bytes);
    }
    zip.finish().expect("memory takes any bytes").into_inner()
}

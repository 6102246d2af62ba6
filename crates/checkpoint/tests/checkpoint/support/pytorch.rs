//! PyTorch checkpoints of both containers, written byte by byte.

use super::{Tensors, bytes_of};
use safetensors::Dtype;
use std::io::{Cursor, Write};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// Writes pickles as `torch.save` does (protocol 2).
#[derive(Default)]
pub struct Pickler(pub Vec<u8>);

impl Pickler {
    pub fn op(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.op(b"X").op(&(text.len() as u32).to_le_bytes()).op(text.as_bytes())
    }

    pub fn int(&mut self, value: usize) -> &mut Self {
        self.op(b"J").op(&(value as i32).to_le_bytes())
    }

    pub fn ints(&mut self, values: &[usize]) -> &mut Self {
        self.op(b"(");
        for &value in values {
            self.int(value);
        }
        self.op(b"t")
    }

    /// What `Tensor.__reduce_ex__` leaves.
    pub fn tensor(
        &mut self,
        storage: &str,
        key: &str,
        numbers: usize,
        offset: usize,
        shape: &[usize],
        strides: &[usize],
    ) {
        self.op(b"ctorch._utils\n_rebuild_tensor_v2\n((")
            .text("storage")
            .op(format!("ctorch\n{storage}\n").as_bytes());
        self.text(key).text("cpu").int(numbers).op(b"tQ");
        self.int(offset).ints(shape).ints(strides);
        self.op(b"\x89ccollections\nOrderedDict\n)RtR");
    }

    /// An `OrderedDict` of tensors whose storages are numbered from `first` on.
    pub fn state_dict(&mut self, tensors: &Tensors, first: usize) -> &mut Self {
        self.op(b"ccollections\nOrderedDict\n)Rq\x01(");
        for (i, (name, t)) in tensors.iter().enumerate() {
            let key = (first + i).to_string();
            self.text(name);
            self.tensor(storage_class(t.dtype), &key, t.values.len(), 0, &t.shape, &strides(&t.shape));
        }
        // A state dict's `_metadata`.
        self.op(b"u}").text("_metadata").op(b"}sb")
    }
}

fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect()
}

fn storage_class(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F16 => "HalfStorage",
        Dtype::BF16 => "BFloat16Storage",
        Dtype::F64 => "DoubleStorage",
        Dtype::I64 => "LongStorage",
        _ => "FloatStorage",
    }
}

/// A checkpoint as `torch.save(prefix + state dict + suffix)` writes it.
pub fn pth(state_dict: &Tensors, before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut pickle = Pickler::default();
    pickle.op(b"\x80\x02").op(before).state_dict(state_dict, 0).op(after).op(b".");
    archive(&pickle.0, &storages(state_dict, 0))
}

/// The storages of a state dict, numbered from `first` on.
pub fn storages(state_dict: &Tensors, first: usize) -> Vec<(String, Vec<u8>)> {
    state_dict.values().enumerate().map(|(i, t)| (format!("data/{}", first + i), bytes_of(t))).collect()
}

pub fn archive(pickle: &[u8], storages: &[(String, Vec<u8>)]) -> Vec<u8> {
    archive_by(CompressionMethod::Stored, pickle, storages)
}

/// The archive as a zip program packs it.
pub fn archive_by(method: CompressionMethod, pickle: &[u8], storages: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(format!("archive/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    };
    add("data.pkl", pickle);
    add("byteorder", b"little");
    for (name, bytes) in storages {
        add(name, bytes);
    }
    add("version", b"3\n");
    zip.finish().unwrap().into_inner()
}

/// The archive as PyTorch writes it: headers without lengths, which follow each member's content, and contents that
/// begin at multiples of 64 bytes.
pub fn torch_archive(pickle: &[u8], storages: &[(String, Vec<u8>)], zip64: bool) -> Vec<u8> {
    let small = |name: &str, content: &[u8]| (name.to_owned(), content.to_vec());
    let mut members =
        vec![small("data.pkl", pickle), small(".format_version", b"1"), small("byteorder", b"little")];
    members.extend_from_slice(storages);
    // What follows a signature's first bytes in a content must not look like one.
    members.extend([
        small("version", b"3\n"),
        small(".data/serialization_id", b"PK\x07\x08 12345678901234567890"),
    ]);
    let (mut file, mut directory, count) = (Vec::new(), Vec::new(), members.len() as u16);
    for (name, content) in members {
        let (name, start) = (format!("archive/{name}"), file.len() as u32);
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        let mut extra = Vec::new();
        if zip64 {
            extra.extend([1, 0, 16, 0]);
            extra.extend([0; 16]);
        }
        let before = file.len() + 30 + name.len() + extra.len() + 4;
        let padding = before.next_multiple_of(64) - before;
        extra.extend(b"FB");
        extra.extend((padding as u16).to_le_bytes());
        extra.extend(vec![b'Z'; padding]);
        let sizes = [content.len() as u32; 2].map(u32::to_le_bytes).concat();
        let method_and_time = [0; 6];
        let (flags, version) = ([8, 8], [20, 0]);
        file.extend([&b"PK\x03\x04"[..], &version, &flags, &method_and_time, &[0; 12]].concat());
        file.extend([(name.len() as u16).to_le_bytes(), (extra.len() as u16).to_le_bytes()].concat());
        file.extend([name.as_bytes(), &extra, &content, b"PK\x07\x08", &crc.sum().to_le_bytes()].concat());
        match zip64 {
            true => file.extend([content.len() as u64; 2].map(u64::to_le_bytes).concat()),
            false => file.extend(&sizes),
        }
        directory.extend([&b"PK\x01\x02"[..], &version, &version, &flags, &method_and_time].concat());
        directory.extend([&crc.sum().to_le_bytes()[..], &sizes, &(name.len() as u16).to_le_bytes()].concat());
        directory.extend([&[0; 12][..], &start.to_le_bytes(), name.as_bytes()].concat());
    }
    let (start, len) = (file.len() as u32, directory.len() as u32);
    file.extend(directory);
    file.extend([&b"PK\x05\x06\0\0\0\0"[..], &count.to_le_bytes(), &count.to_le_bytes()].concat());
    file.extend([&len.to_le_bytes()[..], &start.to_le_bytes(), &[0, 0]].concat());
    file
}

pub fn dict_key(key: &str) -> Vec<u8> {
    let mut pickle = Pickler::default();
    pickle.op(b"}q\x00").text(key);
    pickle.0
}

/// What else training scripts save: an `argparse.Namespace`, an epoch, class names.
pub fn rest_of_training() -> Vec<u8> {
    let mut pickle = Pickler::default();
    pickle.op(b"s").text("epoch").op(b"K\x1ds");
    pickle.text("args").op(b"cargparse\nNamespace\n)\x81}").text("lr").op(b"G?PbM\xd2\xf1\xa9\xfcsbs");
    pickle.text("meta").op(b"}").text("CLASSES").op(b"(");
    for i in 0..50 {
        pickle.text(&format!("carried {i}"));
    }
    pickle.op(b"tss");
    pickle.0
}

/// The container before PyTorch 1.6: the pickle of the objects is `objects`, the storages have keys.
pub fn legacy(objects: &[u8], little_endian: bool, storages: &[(&str, usize, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    let mut machine = Pickler::default();
    machine.op(b"\x80\x02}(").text("protocol_version").op(b"M\xe9\x03").text("little_endian");
    machine.op(if little_endian { b"\x88" } else { b"\x89" }).op(b"u.");
    file.extend(machine.0);
    file.extend(objects);
    let mut keys = Pickler::default();
    keys.op(b"\x80\x02](");
    for (key, ..) in storages {
        keys.text(key);
    }
    file.extend(&keys.op(b"e.").0);
    for (_, each, bytes) in storages {
        file.extend(((bytes.len() / each) as u64).to_le_bytes());
        file.extend(bytes);
    }
    file
}

//! GGUF, the format of weights files (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>): the header's values
//! and tensors, read from its first bytes and written. All numbers are little-endian.

use std::collections::HashMap;

use thiserror::Error;

const MAGIC: &[u8] = b"GGUF";
/// The version that is written. Versions 2 and 3 differ for big-endian machines alone.
const VERSION: u32 = 2;
/// Tensors begin at multiples of so many bytes, unless the file says otherwise.
pub const ALIGNMENT: u64 = 32;
/// The metadata key by which a file says otherwise.
pub const ALIGNMENT_KEY: &str = "general.alignment";

/// GGML's own limit.
const MAX_DIMENSIONS: u32 = 4;
/// As an array of arrays of arrays: deeper ones would exhaust the stack.
const MAX_DEPTH: u32 = 4;
/// More than any network has classes, and so few that a hostile file takes no gigabytes of memory.
const MAX_ELEMENTS: u64 = 4 << 20;

/// A value of the header.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Value {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    String(String),
    /// Of values of one type.
    Array(Vec<Value>),
    U64(u64),
    I64(i64),
    F64(f64),
}

impl Value {
    /// A whole number that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U8(v) => Some(v.into()),
            Self::U16(v) => Some(v.into()),
            Self::U32(v) => Some(v.into()),
            Self::U64(v) => Some(v),
            Self::I8(v) => v.try_into().ok(),
            Self::I16(v) => v.try_into().ok(),
            Self::I32(v) => v.try_into().ok(),
            Self::I64(v) => v.try_into().ok(),
            _ => None,
        }
    }

    /// The value, if it is an F32.
    pub fn as_f32(&self) -> Option<f32> {
        if let Self::F32(v) = *self { Some(v) } else { None }
    }

    /// The value, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(v) = self { Some(v) } else { None }
    }

    /// The values, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(v) = self { Some(v) } else { None }
    }

    /// GGUF's number for its type.
    fn type_number(&self) -> u32 {
        match self {
            Self::U8(_) => 0,
            Self::I8(_) => 1,
            Self::U16(_) => 2,
            Self::I16(_) => 3,
            Self::U32(_) => 4,
            Self::I32(_) => 5,
            Self::F32(_) => 6,
            Self::Bool(_) => 7,
            Self::String(_) => 8,
            Self::Array(_) => 9,
            Self::U64(_) => 10,
            Self::I64(_) => 11,
            Self::F64(_) => 12,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::U8(v) => out.push(*v),
            Self::I8(v) => out.extend(v.to_le_bytes()),
            Self::U16(v) => out.extend(v.to_le_bytes()),
            Self::I16(v) => out.extend(v.to_le_bytes()),
            Self::U32(v) => out.extend(v.to_le_bytes()),
            Self::I32(v) => out.extend(v.to_le_bytes()),
            Self::F32(v) => out.extend(v.to_le_bytes()),
            Self::Bool(v) => out.push((*v).into()),
            Self::String(v) => write_text(v, out),
            Self::Array(values) => {
                // That of an empty one means nothing.
                let of = values.first().map_or(Self::U32(0).type_number(), Self::type_number);
                out.extend(of.to_le_bytes());
                out.extend((values.len() as u64).to_le_bytes());
                values.iter().for_each(|value| value.write(out));
            }
            Self::U64(v) => out.extend(v.to_le_bytes()),
            Self::I64(v) => out.extend(v.to_le_bytes()),
            Self::F64(v) => out.extend(v.to_le_bytes()),
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// How a tensor's values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TensorType {
    F32,
    F16,
    Q4_0,
    Q8_0,
    /// GGML has dozens.
    Other(u32),
}

impl TensorType {
    fn of(number: u32) -> Self {
        match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            8 => Self::Q8_0,
            other => Self::Other(other),
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q8_0 => 8,
            Self::Other(number) => number,
        }
    }

    /// As GGML names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Q4_0 => "Q4_0",
            Self::Q8_0 => "Q8_0",
            Self::Other(_) => "another type",
        }
    }

    /// Values that are stored together.
    pub fn block_values(self) -> u64 {
        if matches!(self, Self::Q4_0 | Self::Q8_0) { 32 } else { 1 }
    }

    /// Bytes of so many values, which fill blocks. None for a type that is not read here.
    pub fn bytes(self, values: u64) -> Option<u64> {
        let block = match self {
            Self::F32 => 4,
            Self::F16 => 2,
            // A scale in F16 and 32 values.
            Self::Q4_0 => 2 + 16,
            Self::Q8_0 => 2 + 32,
            Self::Other(_) => return None,
        };
        Some(values / self.block_values() * block)
    }
}

/// Where a tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Rows first, as in PyTorch; the file has it the other way round.
    pub shape: Vec<u64>,
    /// How it is stored.
    pub kind: TensorType,
    /// From [`Header::data_start`] on.
    pub offset: u64,
}

/// All that precedes the tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// By their keys.
    pub metadata: HashMap<String, Value>,
    /// By their names.
    pub tensors: HashMap<String, TensorInfo>,
    /// Where the tensors begin in the file.
    pub data_start: u64,
}

/// Why there is no header.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum HeaderError {
    /// It may be complete with more bytes.
    #[error("it ends in the middle of its header")]
    Incomplete,
    #[error("{0}")]
    Invalid(String),
    #[error("`{ALIGNMENT_KEY}`: expected a U32 above 0, got {got}")]
    Alignment { got: String },
}

fn invalid<T>(reason: impl Into<String>) -> Result<T, HeaderError> {
    Err(HeaderError::Invalid(reason.into()))
}

impl Header {
    /// Reads the header from a file's first bytes.
    ///
    /// # Errors
    /// [`HeaderError::Incomplete`] where they end too early.
    pub fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
        if !bytes.starts_with(MAGIC) {
            let magic = String::from_utf8_lossy(&bytes[..bytes.len().min(MAGIC.len())]);
            return invalid(format!("it begins with {magic:?} instead of \"GGUF\""));
        }
        let mut reader = Reader { bytes, at: MAGIC.len() };
        let version = reader.u32()?;
        if ![2, 3].contains(&version) {
            return invalid(format!("it is of version {version} of GGUF; 2 and 3 can be read"));
        }
        let (tensor_count, value_count) = (reader.u64()?, reader.u64()?);
        let mut metadata = HashMap::new();
        for _ in 0..value_count {
            let key = reader.text()?;
            let number = reader.u32()?;
            let value = reader.value(number, 0)?;
            if metadata.insert(key.clone(), value).is_some() {
                return invalid(format!("`{key:.80}` stands in it twice"));
            }
        }
        let mut tensors = HashMap::new();
        for _ in 0..tensor_count {
            let name = reader.text()?;
            let dimensions = reader.u32()?;
            if dimensions > MAX_DIMENSIONS {
                return invalid(format!(
                    "the tensor {name:.80} has {dimensions} dimensions; GGUF has at most 4"
                ));
            }
            let mut shape = (0..dimensions).map(|_| reader.u64()).collect::<Result<Vec<_>, _>>()?;
            shape.reverse();
            let info = TensorInfo { shape, kind: TensorType::of(reader.u32()?), offset: reader.u64()? };
            if tensors.insert(name.clone(), info).is_some() {
                return invalid(format!("the tensor {name:.80} stands in it twice"));
            }
        }
        let alignment = match metadata.get(ALIGNMENT_KEY) {
            None => ALIGNMENT,
            Some(&Value::U32(alignment)) if alignment > 0 => alignment.into(),
            Some(other) => return Err(HeaderError::Alignment { got: format!("{other:.40?}") }),
        };
        Ok(Self { metadata, tensors, data_start: (reader.at as u64).next_multiple_of(alignment) })
    }
}

/// Reads values one after another.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], HeaderError> {
        let length = usize::try_from(length).map_err(|_| HeaderError::Incomplete)?;
        let end = self.at.checked_add(length).ok_or(HeaderError::Incomplete)?;
        let taken = self.bytes.get(self.at..end).ok_or(HeaderError::Incomplete)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, HeaderError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, HeaderError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Other writers' text is not always UTF-8.
    fn text(&mut self) -> Result<String, HeaderError> {
        let length = self.u64()?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn value(&mut self, type_number: u32, depth: u32) -> Result<Value, HeaderError> {
        Ok(match type_number {
            0 => Value::U8(self.array().map(u8::from_le_bytes)?),
            1 => Value::I8(self.array().map(i8::from_le_bytes)?),
            2 => Value::U16(self.array().map(u16::from_le_bytes)?),
            3 => Value::I16(self.array().map(i16::from_le_bytes)?),
            4 => Value::U32(self.u32()?),
            5 => Value::I32(self.array().map(i32::from_le_bytes)?),
            6 => Value::F32(self.array().map(f32::from_le_bytes)?),
            7 => match self.array()? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [other] => return invalid(format!("{other} is no truth value")),
            },
            8 => Value::String(self.text()?),
            9 if depth == MAX_DEPTH => return invalid("arrays of arrays go too deep"),
            9 => {
                let (of, length) = (self.u32()?, self.u64()?);
                if length > MAX_ELEMENTS {
                    return invalid(format!("an array of {length} values; at most {MAX_ELEMENTS} are read"));
                }
                Value::Array((0..length).map(|_| self.value(of, depth + 1)).collect::<Result<_, _>>()?)
            }
            10 => Value::U64(self.u64()?),
            11 => Value::I64(self.array().map(i64::from_le_bytes)?),
            12 => Value::F64(self.array().map(f64::from_le_bytes)?),
            other => return invalid(format!("there is no type of values with the number {other}")),
        })
    }
}

/// A header, with the padding behind it, for tensors that follow in this order, each padded by [`padding`].
pub fn header<'a>(
    metadata: &[(&str, &Value)],
    tensors: impl ExactSizeIterator<Item = (&'a str, &'a [usize], TensorType, u64)>,
) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        write_text(key, &mut out);
        out.extend(value.type_number().to_le_bytes());
        value.write(&mut out);
    }
    let mut offset = 0u64;
    for (name, shape, kind, bytes) in tensors {
        write_text(name, &mut out);
        out.extend((shape.len() as u32).to_le_bytes());
        shape.iter().rev().for_each(|&length| out.extend((length as u64).to_le_bytes()));
        out.extend(kind.number().to_le_bytes());
        out.extend(offset.to_le_bytes());
        offset += bytes + padding(bytes) as u64;
    }
    out.resize(out.len() + padding(out.len() as u64), 0);
    out
}

/// How many zeros follow so many bytes.
pub fn padding(bytes: u64) -> usize {
    (bytes.next_multiple_of(ALIGNMENT) - bytes) as usize
}

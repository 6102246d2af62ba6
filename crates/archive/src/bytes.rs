//! Little-endian numbers in bytes that may end early.

use crate::ArchiveFault;

pub fn u16_at(bytes: &[u8], at: usize) -> Result<u16, ArchiveFault> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub fn u32_at(bytes: &[u8], at: usize) -> Result<u32, ArchiveFault> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub fn u64_at(bytes: &[u8], at: usize) -> Result<u64, ArchiveFault> {
    array(bytes, at).map(u64::from_le_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], ArchiveFault> {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    part.copied().ok_or(ArchiveFault::Damaged)
}

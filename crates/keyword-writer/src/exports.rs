//! The module's exports. Bytes come and go through its memory.

use crate::reply_to;
use std::mem::ManuallyDrop;

/// Where a reply is.
#[repr(C)]
pub struct Outcome {
    data: *const u8,
    length: usize,
}

/// Memory for so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    ManuallyDrop::new(vec![0; length]).as_mut_ptr()
}

/// Answers a request about a file, and about its sidecar unless that is null.
///
/// # Safety
/// Each address comes from [`allocate`] with the length beside it, and is given only once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reply(
    request: *mut u8,
    request_length: usize,
    file: *mut u8,
    file_length: usize,
    sidecar: *mut u8,
    sidecar_length: usize,
) -> *const Outcome {
    // SAFETY: `allocate` made vectors of these lengths and capacities there, which nobody else has.
    let (request, file) = unsafe {
        (
            Vec::from_raw_parts(request, request_length, request_length),
            Vec::from_raw_parts(file, file_length, file_length),
        )
    };
    let sidecar = (!sidecar.is_null()).then(|| {
        // SAFETY: as above.
        unsafe { Vec::from_raw_parts(sidecar, sidecar_length, sidecar_length) }
    });
    // A reply is plain data.
    let json = serde_json::to_vec(&reply_to(&request, &file, sidecar.as_deref())).unwrap_or_default();
    let json = ManuallyDrop::new(json);
    Box::into_raw(Box::new(Outcome { data: json.as_ptr(), length: json.len() }))
}

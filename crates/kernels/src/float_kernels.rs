//! The kernels that are written over [`Lanes`](crate::lanes::Lanes), compiled for one instruction set.

/// Compiles the float kernels for one instruction set: `$lanes` implements the traits, `$feature`
/// are the attributes every kernel needs.
macro_rules! float_kernels {
    ($lanes:ty, $(#[$feature:meta])*) => {
        $(#[$feature])*
        unsafe fn gelu(x: &mut [f32]) {
            // SAFETY: the caller has the instructions.
            unsafe { $crate::float::gelu::<$lanes>(x) }
        }

        $(#[$feature])*
        unsafe fn softmax_row(x: &mut [f32]) {
            // SAFETY: the caller has the instructions.
            unsafe { $crate::float::softmax_row::<$lanes>(x) }
        }

        $(#[$feature])*
        unsafe fn layer_norm_row(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
            // SAFETY: the caller has the instructions.
            unsafe { $crate::float::layer_norm_row::<$lanes>(x, weight, bias, eps, out) }
        }

        $(#[$feature])*
        unsafe fn add_scaled_row(x: &mut [f32], y: &[f32], gamma: &[f32]) {
            // SAFETY: the caller has the instructions.
            unsafe { $crate::float::add_scaled_row::<$lanes>(x, y, gamma) }
        }

        $(#[$feature])*
        unsafe fn quantize_row(
            x: *const f32,
            blocks: usize,
            largest: f32,
            groups: *mut $crate::kernel_table::Group,
            scales: *mut f32,
            sums: *mut i32,
            stride: usize,
        ) {
            // SAFETY: the caller has the instructions, and its pointers reach far enough.
            unsafe {
                $crate::float::quantize_row::<$lanes>(x, blocks, largest, groups, scales, sums, stride)
            }
        }

        $(#[$feature])*
        unsafe fn attention_head(args: &$crate::kernel_table::HeadArgs) {
            // SAFETY: the caller has the instructions, and its pointers reach far enough.
            unsafe { $crate::attention_head::head::<$lanes>(args) }
        }

        $(#[$feature])*
        unsafe fn dense_tile(height: usize, x: *const f32, panel: *const f32, k: usize, acc: *mut f32) {
            // SAFETY: the caller has the instructions, and its pointers reach far enough.
            unsafe { $crate::dense_tile::dense_tile::<$lanes>(height, x, panel, k, acc) }
        }
    };
}
pub(crate) use float_kernels;

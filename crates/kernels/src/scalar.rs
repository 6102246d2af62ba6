//! The reference: the plainest loop for everything, one value after another. Layer norm, softmax and
//! GELU are computed in f64, so that what differs from these is the other's rounding.

use half::f16;

use crate::BLOCK;
use crate::dense_tile::dense_tile_scalar;
use crate::float::block_scale;
use crate::kernel_table::{Group, HeadArgs, Kernels, TileArgs};
use crate::pack::PANEL;

pub(crate) static KERNELS: Kernels = Kernels {
    tile_rows: 1,
    code_bytes: 1,
    q4_0_in_i16: false,
    quantize_row,
    unpack_q8_0,
    unpack_q4_0,
    tile_q8_0: tile,
    tile_q4_0: tile,
    gelu,
    softmax_row,
    layer_norm_row,
    add_scaled_row,
    attention_head,
    dense_tile: dense_tile_scalar,
};

/// Groups of four codes in a block.
const STEPS: usize = BLOCK / 4;

/// Bytes of an unpacked block: 8 scales as f32, 8 × 32 codes.
const UNPACKED: usize = 4 * PANEL + PANEL * BLOCK;

unsafe fn quantize_row(
    x: *const f32,
    blocks: usize,
    largest: f32,
    groups: *mut Group,
    scales: *mut f32,
    sums: *mut i32,
    stride: usize,
) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as QuantizeRow says.
        unsafe {
            let x = std::slice::from_raw_parts(x.add(block * BLOCK), BLOCK);
            let magnitude = x.iter().map(|x| x.abs().to_bits()).fold(0, u32::max);
            let (scale, factor) = block_scale(magnitude, largest);
            let code = |x: f32| if factor == 0.0 { 0 } else { (x * factor).round_ties_even() as i8 };
            let mut sum = 0;
            for step in 0..STEPS {
                let codes: [i8; 4] = std::array::from_fn(|i| code(x[step * 4 + i]));
                sum += codes.iter().map(|&c| i32::from(c)).sum::<i32>();
                *groups.add((block * STEPS + step) * stride) = Group::from_le_bytes(codes.map(|c| c as u8));
            }
            *scales.add(block * stride) = scale;
            *sums.add(block * stride) = sum;
        }
    }
}

/// The scales of a packed block as f32.
unsafe fn unpack_scales(packed: *const u8, unpacked: *mut u8) {
    for row in 0..PANEL {
        // SAFETY: the caller's pointers reach 8 scales.
        unsafe {
            let scale = f16::from_bits(packed.cast::<u16>().add(row).read_unaligned());
            unpacked.cast::<f32>().add(row).write(scale.to_f32());
        }
    }
}

unsafe fn unpack_q8_0(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK));
            let unpacked = unpacked.add(block * UNPACKED);
            unpack_scales(packed, unpacked);
            unpacked.add(4 * PANEL).copy_from_nonoverlapping(packed.add(2 * PANEL), PANEL * BLOCK);
        }
    }
}

unsafe fn unpack_q4_0(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK / 2));
            let unpacked = unpacked.add(block * UNPACKED);
            unpack_scales(packed, unpacked);
            for byte in 0..PANEL * BLOCK / 2 {
                let both = *packed.add(2 * PANEL + byte);
                let (steps, within) = (byte / (4 * PANEL), byte % (4 * PANEL));
                let to = unpacked.add(4 * PANEL + 2 * steps * 4 * PANEL + within);
                *to = both & 15;
                *to.add(4 * PANEL) = both >> 4;
            }
        }
    }
}

/// acc[row][column] += scales · (Σ a·(w + offset) − offset·Σ a), block by block. Unpacked, both formats are
/// bytes with an offset.
unsafe fn panel(height: usize, args: TileArgs) {
    for block in 0..args.blocks {
        for row in 0..height {
            for column in 0..PANEL {
                // SAFETY: the pointers reach as far as TileArgs says.
                unsafe {
                    let at = block * height + row;
                    let panel = args.panel.add(block * UNPACKED);
                    let w = panel.add(4 * PANEL);
                    let mut dot = *args.corrections.add(at);
                    for step in 0..STEPS {
                        let group = *args.groups.add((block * STEPS + step) * height + row);
                        for (i, a) in group.to_le_bytes().into_iter().enumerate() {
                            let code = *w.add((step * PANEL + column) * 4 + i);
                            dot += i32::from(a as i8) * i32::from(code);
                        }
                    }
                    let scale = *panel.cast::<f32>().add(column) * *args.scales.add(at);
                    *args.acc.add(row * PANEL + column) += scale * dot as f32;
                }
            }
        }
    }
}

unsafe fn tile(height: usize, mut args: TileArgs) {
    for _ in 0..args.panels {
        // SAFETY: the caller's promise is ours.
        unsafe { panel(height, args) };
        args.next_panel();
    }
}

unsafe fn gelu(x: &mut [f32]) {
    for x in x {
        let wide = f64::from(*x);
        *x = (wide * normal_distribution(wide)) as f32;
    }
}

/// Φ(x) = erfc(−x/√2)/2. erf by its Taylor series where |x| < 3, else erfc by its continued
/// fraction; relative error below 1e-12 where it isn't 0.
fn normal_distribution(x: f64) -> f64 {
    let u = x.abs();
    let density = (-u * u / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if u < 3.0 {
        // Φ(u) − 1/2 = φ(u)·(u + u³/3 + u⁵/15 + …)
        let (mut term, mut sum, mut n) = (u, u, 1.0);
        while term > sum * 1e-17 {
            n += 2.0;
            term *= u * u / n;
            sum += term;
        }
        return 0.5 + x.signum() * density * sum;
    }
    // Φ(−u) = φ(u)/(u + 1/(u + 2/(u + 3/(u + …))))
    let mut fraction = u;
    for n in (1..60).rev() {
        fraction = u + f64::from(n) / fraction;
    }
    let tail = density / fraction;
    if x < 0.0 { tail } else { 1.0 - tail }
}

unsafe fn softmax_row(x: &mut [f32]) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for x in &mut *x {
        *x = (*x - max).exp();
        sum += f64::from(*x);
    }
    for x in x {
        *x = (f64::from(*x) / sum) as f32;
    }
}

unsafe fn layer_norm_row(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
    let width = x.len() as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / width;
    let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / width;
    let deviation = (variance + f64::from(eps)).sqrt();
    for i in 0..x.len() {
        out[i] = ((f64::from(x[i]) - mean) / deviation) as f32 * weight[i] + bias[i];
    }
}

unsafe fn add_scaled_row(x: &mut [f32], y: &[f32], gamma: &[f32]) {
    for i in 0..x.len() {
        x[i] += gamma[i] * y[i];
    }
}

unsafe fn attention_head(args: &HeadArgs) {
    // SAFETY: the pointers reach as far as HeadArgs says; the scratch holds a row of scores.
    unsafe {
        let scores = std::slice::from_raw_parts_mut(args.scratch, args.tokens);
        for query in 0..args.queries {
            for (key, score) in scores.iter_mut().enumerate() {
                let mut dot = 0.0;
                for d in 0..args.width {
                    dot += *args.q.add(query * args.stride + d) * *args.k.add(key * args.stride + d);
                }
                *score = dot / (args.width as f32).sqrt();
                if !args.bias.is_null() {
                    *score += *args.bias.add(query * args.tokens + key);
                }
            }
            softmax_row(scores);
            for d in 0..args.width {
                let mut sum = 0.0;
                for (key, score) in scores.iter().enumerate() {
                    sum += score * *args.v.add(key * args.stride + d);
                }
                *args.out.add(query * args.out_stride + d) = sum;
            }
        }
    }
}

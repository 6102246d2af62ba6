//! The GEMM's tile loop for WebAssembly: 128-bit registers in pairs, one column a 32-bit lane.
//!
//! Its shape is for V8, whose register allocator takes what it is given:
//! - Arrays are filled by loops, not by `from_fn`: that costs a twentieth.
//! - A step never shares its basic block with another one. In a block with many steps LLVM goes sum by sum, all operands
//!   of all steps are alive at once, and V8 spills them. So the steps are a loop, or end in a branch that is
//!   [never](Pages::shrank) taken.
//! - `opaque` is all ones, but the compiler doesn't know. Otherwise it would rewrite the pointers as
//!   induction variables and add every row's offset with an instruction of its own instead of in the load.
//! - What is done for the first four columns is done for the other four too, and the two are loaded and stored side by
//!   side: V8's revectoriser makes such pairs one 256-bit instruction.

use std::arch::wasm32::*;
use std::hint::black_box;
use std::sync::atomic::{Ordering, compiler_fence};

use crate::kernel_table::{Group, TileArgs};
use crate::pack::PANEL;
use crate::wasm::WasmLanes;

/// AT_ONCE steps of a tile: how that many times four bytes of codes of a row meet four columns of weights.
pub(crate) trait Step<const AT_ONCE: usize> {
    /// Steps in a block of 32: 8 with codes of one byte, 16 with two.
    const STEPS: usize;
    /// The code of all steps, four times AT_ONCE then, stands one after another instead of in a loop.
    const STRAIGHT: bool = false;

    /// The sums of four columns.
    type Sum: Copy;

    /// The sum to start from, of a row's correction in every lane.
    fn start(correction: v128) -> Self::Sum;
    /// `sum` with the products of each `a`, the same four bytes in every lane, and its `w`, one column a lane. `ones`
    /// is 1 in each of eight lanes.
    fn add(sum: Self::Sum, a: [v128; AT_ONCE], w: [v128; AT_ONCE], ones: v128) -> Self::Sum;
    /// The i32 dot products, one column a lane.
    fn finish(sum: Self::Sum, ones: v128) -> v128;
}

/// Bytes of weights in a step: four of each of 8 columns.
pub(crate) const STEP_BYTES: usize = 4 * PANEL;

/// Loaded from where the compiler can't see it: V8 makes a constant that is written in the code anew in every step, in
/// three instructions.
static ONES: [i16; 8] = [1; 8];

/// The size of the memory at some time.
#[derive(Clone, Copy)]
struct Pages(usize);

impl Pages {
    fn now() -> Self {
        Pages(memory_size::<0>())
    }

    /// False: a memory never shrinks. LLVM doesn't know it and keeps the branch on it, to V8 both sizes are one value and
    /// the branch of a second call is gone.
    #[inline(always)]
    fn shrank(self) -> bool {
        // So that LLVM doesn't take the two sizes for one.
        compiler_fence(Ordering::SeqCst);
        memory_size::<0>() < self.0
    }
}

/// M steps of R rows by 8 columns, added to `sums`.
///
/// # Safety
/// The pointers reach M · R groups and M · 32 bytes of weights.
#[inline(always)]
unsafe fn step<S: Step<M>, const M: usize, const R: usize>(
    sums: &mut [[S::Sum; 2]; R],
    groups: *const Group,
    w: *const u8,
    ones: v128,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut columns = [[i32x4_splat(0); M]; 2];
        for m in 0..M {
            for g in 0..2 {
                columns[g][m] = v128_load(w.add(m * STEP_BYTES + 16 * g).cast());
            }
        }
        for r in 0..R {
            let mut a = [i32x4_splat(0); M];
            for m in 0..M {
                a[m] = v128_load32_splat(groups.add(m * R + r).cast());
            }
            for g in 0..2 {
                sums[r][g] = S::add(sums[r][g], a, columns[g], ones);
            }
        }
    }
}

/// Integer dot products of one block: R rows by 8 columns, the columns in two registers of four.
///
/// # Safety
/// The pointers reach STEPS · R groups, R corrections and STEPS · 32 bytes of weights.
#[inline(always)]
unsafe fn dots<S: Step<M>, const M: usize, const R: usize>(
    groups: *const Group,
    corrections: *const i32,
    w: *const u8,
    (opaque, pages, ones): (usize, Pages, v128),
) -> [[S::Sum; 2]; R] {
    // SAFETY: the caller's promise; there are STEPS steps.
    unsafe {
        let mut sums = [[S::start(i32x4_splat(0)); 2]; R];
        for r in 0..R {
            sums[r] = [S::start(v128_load32_splat(corrections.add(r).cast())); 2];
        }
        if S::STRAIGHT {
            const { assert!(!S::STRAIGHT || S::STEPS == 4 * M) };
            let part = |sums: &mut _, i: usize| {
                step::<S, M, R>(sums, groups.add(i * M * R), w.add(i * M * STEP_BYTES), ones);
            };
            part(&mut sums, 0);
            if pages.shrank() {
                return sums;
            }
            part(&mut sums, 1);
            if pages.shrank() {
                return sums;
            }
            part(&mut sums, 2);
            if pages.shrank() {
                return sums;
            }
            part(&mut sums, 3);
            return sums;
        }
        let (mut groups, mut w) = (groups, w);
        let end = w.add(S::STEPS * STEP_BYTES);
        loop {
            step::<S, M, R>(&mut sums, groups, w, ones);
            groups = (groups.add(M * R) as usize & opaque) as *const Group;
            w = (w.add(M * STEP_BYTES) as usize & opaque) as *const u8;
            if w == end {
                return sums;
            }
        }
    }
}

/// Adds R rows by the panels' columns to `args.acc`: for each block the integer dot products, then
/// two scales.
#[inline(always)]
unsafe fn tile<S: Step<M>, L: WasmLanes, const M: usize, const R: usize>(mut args: TileArgs) {
    let opaque = black_box(usize::MAX);
    let pages = Pages::now();
    // SAFETY: the pointers reach as far as TileArgs says.
    unsafe {
        let ones = v128_load(black_box(&ONES).as_ptr().cast());
        for _ in 0..args.panels {
            let mut acc = [[L::splat(0.0); 2]; R];
            for r in 0..R {
                acc[r] = [L::load(args.acc.add(r * PANEL)), L::load(args.acc.add(r * PANEL + 4))];
            }
            let (mut groups, mut scales, mut corrections, mut panel) =
                (args.groups, args.scales, args.corrections, args.panel);
            for _ in 0..args.blocks {
                let dots = dots::<S, M, R>(groups, corrections, panel.add(4 * PANEL), (opaque, pages, ones));
                let w_scales = [L::load(panel.cast()), L::load(panel.add(16).cast())];
                for r in 0..R {
                    let scale = L::splat(*scales.add(r));
                    for g in 0..2 {
                        let dot = L::from_v128(f32x4_convert_i32x4(S::finish(dots[r][g], ones)));
                        acc[r][g] = w_scales[g].mul(scale).mul_add(dot, acc[r][g]);
                    }
                }
                groups = (groups.add(S::STEPS * R) as usize & opaque) as *const Group;
                scales = scales.add(R);
                corrections = corrections.add(R);
                panel = (panel.add(4 * PANEL + S::STEPS * STEP_BYTES) as usize & opaque) as *const u8;
            }
            for r in 0..R {
                acc[r][0].store(args.acc.add(r * PANEL));
                acc[r][1].store(args.acc.add(r * PANEL + 4));
            }
            args.next_panel();
        }
    }
}

/// [`tile`] for heights 1 to 5.
#[inline(always)]
pub(crate) unsafe fn tile_of<S: Step<M>, L: WasmLanes, const M: usize>(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe {
        match height {
            1 => tile::<S, L, M, 1>(args),
            2 => tile::<S, L, M, 2>(args),
            3 => tile::<S, L, M, 3>(args),
            4 => tile::<S, L, M, 4>(args),
            _ => tile::<S, L, M, 5>(args),
        }
    }
}

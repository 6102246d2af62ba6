//! GGUF blocks to panels and back.

use crate::common::{FORMATS, Random, blocks, code_range};
use half::f16;
use kernels::{BLOCK, PackError, PackedWeights, WeightFormat};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn packing_keeps_every_weight() {
    let mut random = Random(1);
    for format in FORMATS {
        for (n, k) in [(1, 32), (7, 64), (8, 32), (9, 96), (1000, 64)] {
            let (low, high) = code_range(format);
            let codes: Vec<i32> = (0..n * k).map(|_| random.integer(low, high)).collect();
            let scales: Vec<f32> =
                (0..n * k / BLOCK).map(|_| f16::from_f32(random.float()).to_f32()).collect();
            let mut next = scales.iter().copied();
            let bytes = blocks(format, n, k, &mut |row, column| codes[row * k + column], &mut || {
                next.next().unwrap()
            });
            let packed = PackedWeights::pack(format, n, k, bytes.clone()).unwrap();
            assert_eq!((packed.n(), packed.k(), packed.format()), (n, k, format));
            assert_eq!(packed.bytes(), bytes.len() / n * n.next_multiple_of(8), "no second copy");
            let expected: Vec<f32> =
                codes.iter().enumerate().map(|(i, &code)| scales[i / BLOCK] * code as f32).collect();
            assert_eq!(packed.dequantize(), expected, "{format:?} {n} × {k}");
        }
    }
}

#[test]
fn packing_names_what_is_wrong() {
    let pack = PackedWeights::pack;
    let q8 = WeightFormat::Q8_0;
    assert_eq!(pack(q8, 0, 32, vec![]).unwrap_err(), PackError::Shape { n: 0, k: 32 });
    assert_eq!(pack(q8, 1, 33, vec![0; 34]).unwrap_err(), PackError::Shape { n: 1, k: 33 });
    let k = usize::MAX & !31;
    assert_eq!(pack(q8, 1, k, vec![]).unwrap_err(), PackError::Shape { n: 1, k });
    assert_eq!(
        pack(WeightFormat::Q4_0, 2, 64, vec![0; 71]).unwrap_err(),
        PackError::Length { format: WeightFormat::Q4_0, n: 2, k: 64, expected: 72, got: 71 }
    );
    for (code, fits) in [(63, true), (-63, true), (64, false), (-64, false), (-128, false), (127, false)] {
        let at = |row, column| if (row, column) == (9, 37) { code } else { 0 };
        let bytes = blocks(q8, 10, 64, &mut { at }, &mut || 1.0);
        let expected = if fits {
            None
        } else {
            Some(PackError::CodeOutOfRange { row: 9, column: 37, code: code as i8 })
        };
        assert_eq!(pack(q8, 10, 64, bytes).err(), expected);
    }
    let bytes = blocks(q8, 1, 32, &mut |_, _| 0, &mut || f32::INFINITY);
    assert_eq!(
        pack(q8, 1, 32, bytes).unwrap_err(),
        PackError::Scale { row: 0, block: 0, scale: f32::INFINITY }
    );
}

/// Large enough for several threads.
#[test]
fn the_first_of_several_faults_is_named() {
    let format = WeightFormat::Q8_0;
    let bad = [(90, 3), (17, 1000), (17, 40), (64, 0)];
    let code = &mut |row, column| if bad.contains(&(row, column)) { 64 } else { 0 };
    let bytes = blocks(format, 100, 1024, code, &mut || 1.0);
    let expected = PackError::CodeOutOfRange { row: 17, column: 40, code: 64 };
    assert_eq!(PackedWeights::pack(format, 100, 1024, bytes).unwrap_err(), expected);
}

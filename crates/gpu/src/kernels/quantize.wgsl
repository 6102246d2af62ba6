// x [rows, k] → signed codes in blocks of 32 with a scale each, as the processor's kernels quantise
// activations: scale = largest magnitude / largest code, code = x / scale rounded half to even. A thread a block.

const THREADS: u32 = 128u;
// Quads of a block.
const BLOCK: u32 = 8u;
// Of smaller values a block counts as zero: code / largest must not overflow.
const SMALLEST: f32 = 1e-30;

struct Shape {
    // rows · k / 32
    blocks: u32,
    // The largest code: 64 for a product with 8-bit weights, 127 with 4-bit ones.
    code: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
// [block][quad]: four codes in a word, the first in the lowest byte.
@group(0) @binding(2) var<storage, read_write> codes: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x;
    if block >= shape.blocks {
        return;
    }
    let first = block * BLOCK;
    var largest4 = vec4<f32>();
    for (var quad = 0u; quad < BLOCK; quad++) {
        largest4 = max(largest4, abs(x[first + quad]));
    }
    let largest = max(max(largest4.x, largest4.y), max(largest4.z, largest4.w));
    let zero = largest < SMALLEST;
    let code = f32(shape.code);
    let factor = select(code / largest, 0.0, zero);
    scales[block] = select(largest / code, 0.0, zero);
    for (var quad = 0u; quad < BLOCK; quad++) {
        let bytes = vec4<u32>(vec4<i32>(round(x[first + quad] * factor))) & vec4<u32>(255u);
        codes[first + quad] = bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
    }
}

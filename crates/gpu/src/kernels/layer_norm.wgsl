// out = (x − mean(x)) / √(var(x) + eps) ⊙ weight + bias for each row of x [rows, width]; a workgroup a row.
// Mean first, then the squares of the differences: no cancellation.

const THREADS: u32 = 128u;

struct Shape {
    quads: u32,
    width: u32,
    // The bits of an f32.
    eps: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

var<workgroup> partial: array<f32, THREADS>;

// The sum of every thread's value, in all threads.
fn total(thread: u32, value: f32) -> f32 {
    partial[thread] = value;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            partial[thread] += partial[thread + half];
        }
        workgroupBarrier();
    }
    let sum = partial[0];
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row = group.x * shape.quads;
    let width = f32(shape.width);

    var sum = vec4<f32>();
    for (var quad = thread; quad < shape.quads; quad += THREADS) {
        sum += x[row + quad];
    }
    let mean = total(thread, dot(sum, vec4<f32>(1.0))) / width;

    sum = vec4<f32>();
    for (var quad = thread; quad < shape.quads; quad += THREADS) {
        let inside = vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(shape.width);
        let difference = select(vec4<f32>(), x[row + quad] - mean, inside);
        sum += difference * difference;
    }
    let variance = total(thread, dot(sum, vec4<f32>(1.0))) / width;
    let factor = 1.0 / sqrt(variance + bitcast<f32>(shape.eps));

    // Beyond the width, weight and bias are zero, hence so is the result.
    for (var quad = thread; quad < shape.quads; quad += THREADS) {
        out[row + quad] = (x[row + quad] - mean) * factor * weight[quad] + bias[quad];
    }
}

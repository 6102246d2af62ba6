// layer_norm.wgsl with its sums by subgroups: two barriers a sum instead of nine. Any size of subgroup that divides
// THREADS will do, and any order of threads in them.

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

// Each subgroup's sum at one of its threads, zeros at the others.
var<workgroup> partial: array<f32, THREADS>;

struct Thread {
    @builtin(local_invocation_index) index: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_size) lanes: u32,
}

// The sum of every thread's value, in all threads.
fn total(thread: Thread, value: f32) -> f32 {
    let sum = subgroupAdd(value);
    partial[thread.index] = select(0.0, sum, thread.index == subgroupMin(thread.index));
    workgroupBarrier();
    var all = 0.0;
    for (var i = thread.lane; i < THREADS; i += thread.lanes) {
        all += partial[i];
    }
    all = subgroupAdd(all);
    workgroupBarrier();
    return all;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, thread: Thread) {
    let row = group.x * shape.quads;
    let width = f32(shape.width);

    var sum = vec4<f32>();
    for (var quad = thread.index; quad < shape.quads; quad += THREADS) {
        sum += x[row + quad];
    }
    let mean = total(thread, dot(sum, vec4<f32>(1.0))) / width;

    sum = vec4<f32>();
    for (var quad = thread.index; quad < shape.quads; quad += THREADS) {
        let inside = vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(shape.width);
        let difference = select(vec4<f32>(), x[row + quad] - mean, inside);
        sum += difference * difference;
    }
    let variance = total(thread, dot(sum, vec4<f32>(1.0))) / width;
    let factor = 1.0 / sqrt(variance + bitcast<f32>(shape.eps));

    // Beyond the width, weight and bias are zero, hence so is the result.
    for (var quad = thread.index; quad < shape.quads; quad += THREADS) {
        out[row + quad] = (x[row + quad] - mean) * factor * weight[quad] + bias[quad];
    }
}

// x += gamma ⊙ y for x, y [rows, width]: the residual connection with its layer scale. A thread a quad.

const THREADS: u32 = 128u;

struct Shape {
    // rows · quads
    all: u32,
    quads: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gamma: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x;
    if at < shape.all {
        x[at] += gamma[at % shape.quads] * y[at];
    }
}

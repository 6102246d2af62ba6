// The mean of every row but a photo's first: x [photos · tokens, width] → out [photos, width].
// A workgroup takes 16 quads of a photo; 16 threads share each quad's rows.

const QUADS: u32 = 16u;
const SHARERS: u32 = 16u;
const THREADS: u32 = QUADS * SHARERS;

struct Shape {
    quads: u32,
    tokens: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

// [sharer][quad]
var<workgroup> partial: array<vec4<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let quad = group.x * QUADS + thread % QUADS;
    let photo = group.y;
    var sum = vec4<f32>();
    if quad < shape.quads {
        for (var token = 1u + thread / QUADS; token < shape.tokens; token += SHARERS) {
            sum += x[(photo * shape.tokens + token) * shape.quads + quad];
        }
    }
    partial[thread] = sum;
    workgroupBarrier();
    if thread < QUADS && quad < shape.quads {
        for (var sharer = 1u; sharer < SHARERS; sharer++) {
            sum += partial[sharer * QUADS + thread];
        }
        out[photo * shape.quads + quad] = sum / f32(shape.tokens - 1u);
    }
}

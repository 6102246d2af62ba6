// out = [class_token; patches] + position for each photo: [patches, width] → [1 + patches, width]. A thread a quad.

const THREADS: u32 = 128u;

struct Shape {
    // photos · tokens · quads
    all: u32,
    quads: u32,
    // Of a photo: 1 + patches.
    tokens: u32,
    has_position: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> patches: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> class_token: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> position: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x;
    if at >= shape.all {
        return;
    }
    let quad = at % shape.quads;
    let row = at / shape.quads;
    let token = row % shape.tokens;
    let photo = row / shape.tokens;
    var value = class_token[quad];
    if token > 0u {
        value = patches[(photo * (shape.tokens - 1u) + token - 1u) * shape.quads + quad];
    }
    if shape.has_position != 0u {
        value += position[token * shape.quads + quad];
    }
    out[at] = value;
}

// Sixteen independent chains of 8-bit dot products a thread, in registers: what dot4I8Packed can do.
//
// Generated in front: ROUNDS.

@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<i32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var a = x[id.x];
    let b = a.yzwx;
    var s0 = vec4<i32>();
    var s1 = vec4<i32>();
    var s2 = vec4<i32>();
    var s3 = vec4<i32>();
    for (var round = 0u; round < ROUNDS; round++) {
        s0 += vec4<i32>(dot4I8Packed(a.x, b.x), dot4I8Packed(a.y, b.x), dot4I8Packed(a.z, b.x), dot4I8Packed(a.w, b.x));
        s1 += vec4<i32>(dot4I8Packed(a.x, b.y), dot4I8Packed(a.y, b.y), dot4I8Packed(a.z, b.y), dot4I8Packed(a.w, b.y));
        s2 += vec4<i32>(dot4I8Packed(a.x, b.z), dot4I8Packed(a.y, b.z), dot4I8Packed(a.z, b.z), dot4I8Packed(a.w, b.z));
        s3 += vec4<i32>(dot4I8Packed(a.x, b.w), dot4I8Packed(a.y, b.w), dot4I8Packed(a.z, b.w), dot4I8Packed(a.w, b.w));
        // Other codes each round, so that no product can be taken out of the loop.
        a += vec4<u32>(0x01010101u);
    }
    out[id.x] = s0 + s1 + s2 + s3;
}

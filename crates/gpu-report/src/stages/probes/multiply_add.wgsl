// Sixteen independent chains of vector multiply-adds a thread, in registers: what arithmetic in Real can do.
//
// Generated in front: Real (f32 or f16), ROUNDS.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let a = vec4<Real>(x[id.x]);
    let b = a * Real(0.5);
    var s0 = a;
    var s1 = a + Real(1.0);
    var s2 = a + Real(2.0);
    var s3 = a + Real(3.0);
    var s4 = a + Real(4.0);
    var s5 = a + Real(5.0);
    var s6 = a + Real(6.0);
    var s7 = a + Real(7.0);
    var t0 = b;
    var t1 = b + Real(1.0);
    var t2 = b + Real(2.0);
    var t3 = b + Real(3.0);
    var t4 = b + Real(4.0);
    var t5 = b + Real(5.0);
    var t6 = b + Real(6.0);
    var t7 = b + Real(7.0);
    for (var round = 0u; round < ROUNDS; round++) {
        s0 = fma(s0, a, b);
        s1 = fma(s1, a, b);
        s2 = fma(s2, a, b);
        s3 = fma(s3, a, b);
        s4 = fma(s4, a, b);
        s5 = fma(s5, a, b);
        s6 = fma(s6, a, b);
        s7 = fma(s7, a, b);
        t0 = fma(t0, a, b);
        t1 = fma(t1, a, b);
        t2 = fma(t2, a, b);
        t3 = fma(t3, a, b);
        t4 = fma(t4, a, b);
        t5 = fma(t5, a, b);
        t6 = fma(t6, a, b);
        t7 = fma(t7, a, b);
    }
    let sum = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + t0 + t1 + t2 + t3 + t4 + t5 + t6 + t7;
    out[id.x] = vec4<f32>(sum);
}

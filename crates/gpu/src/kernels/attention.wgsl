// out = softmax(q·kᵀ/√head_width + bias)·v for one head, one photo and 16 queries a workgroup.
//
// Keys come in tiles of 32; the softmax is an online one: a running maximum and sum a query, and what is
// summed so far scaled down when the maximum grows. So any number of tokens fits.
//
//     qkv  [photo][token][q ‖ k ‖ v][head][head_quads]
//     bias [head][token][token], F32
//     out  [photo][token][head][head_quads]

const QUERIES: u32 = 16u;
const KEYS: u32 = 32u;
const HEAD_QUADS: u32 = 16u;
const THREADS: u32 = 128u;
// Threads that share a query's softmax.
const SHARERS: u32 = THREADS / QUERIES;
// Queries a thread makes scores for (of one key), and sums values for (of one quad).
const SCORES: u32 = QUERIES * KEYS / THREADS;
const Q_STRIDE: u32 = QUERIES + 1u;
const K_STRIDE: u32 = KEYS + 1u;
const SCORE_STRIDE: u32 = KEYS + 1u;
const LOWEST: f32 = -3.0e38;

struct Shape {
    tokens: u32,
    heads: u32,
    // Quads of a head: at most HEAD_QUADS.
    head_quads: u32,
    has_bias: u32,
    // 1/√head_width: the bits of an f32.
    scale: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

// [quad][query]
var<workgroup> queries: array<vec4<f32>, HEAD_QUADS * Q_STRIDE>;
// Keys [quad][key], then values [key][quad].
var<workgroup> tile: array<vec4<f32>, HEAD_QUADS * K_STRIDE>;
// Scores, then weights: [query][key]
var<workgroup> scores: array<f32, QUERIES * SCORE_STRIDE>;
// Of each thread's share of a query: largest score, sum of weights.
var<workgroup> share_largest: array<f32, THREADS>;
var<workgroup> share_sum: array<f32, THREADS>;
// What a query's sums so far are scaled by.
var<workgroup> rescale: array<f32, QUERIES>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let first_query = group.x * QUERIES;
    let head = group.y;
    let width = shape.heads * shape.head_quads;
    let row = 3u * width;
    // Of this photo and head: the first token's query, key and value.
    let q_base = group.z * shape.tokens * row + head * shape.head_quads;
    let k_base = q_base + width;
    let v_base = k_base + width;
    let scale = bitcast<f32>(shape.scale);

    for (var i = thread; i < QUERIES * HEAD_QUADS; i += THREADS) {
        let query = i / HEAD_QUADS;
        let quad = i % HEAD_QUADS;
        var value = vec4<f32>();
        if first_query + query < shape.tokens && quad < shape.head_quads {
            value = qkv[q_base + (first_query + query) * row + quad] * scale;
        }
        queries[quad * Q_STRIDE + query] = value;
    }

    // As one who makes scores: one key, queries from `score_query` on.
    let key = thread % KEYS;
    let score_query = thread / KEYS * SCORES;
    // As one who shares a softmax.
    let softmax_query = thread / SHARERS;
    let share = thread % SHARERS;
    var largest = LOWEST;
    // As one who sums values: one quad of two queries.
    let quad = thread % HEAD_QUADS;
    let query0 = thread / HEAD_QUADS;
    let query1 = query0 + QUERIES / 2u;
    var out0 = vec4<f32>();
    var out1 = vec4<f32>();
    var sum0 = 0.0;
    var sum1 = 0.0;

    for (var first_key = 0u; first_key < shape.tokens; first_key += KEYS) {
        for (var i = thread; i < KEYS * HEAD_QUADS; i += THREADS) {
            let k = i / HEAD_QUADS;
            let d = i % HEAD_QUADS;
            var value = vec4<f32>();
            if first_key + k < shape.tokens && d < shape.head_quads {
                value = qkv[k_base + (first_key + k) * row + d];
            }
            tile[d * K_STRIDE + k] = value;
        }
        workgroupBarrier();

        var score = vec4<f32>();
        for (var d = 0u; d < shape.head_quads; d++) {
            let k = tile[d * K_STRIDE + key];
            let at = d * Q_STRIDE + score_query;
            // A column of the matrix is a query.
            score += k * mat4x4<f32>(queries[at], queries[at + 1u], queries[at + 2u], queries[at + 3u]);
        }
        for (var i = 0u; i < SCORES; i++) {
            let query = score_query + i;
            var value = score[i];
            if shape.has_bias != 0u {
                let token = min(first_query + query, shape.tokens - 1u);
                let other = min(first_key + key, shape.tokens - 1u);
                value += bias[(head * shape.tokens + token) * shape.tokens + other];
            }
            scores[query * SCORE_STRIDE + key] = select(LOWEST, value, first_key + key < shape.tokens);
        }
        workgroupBarrier();

        for (var i = thread; i < KEYS * HEAD_QUADS; i += THREADS) {
            let k = i / HEAD_QUADS;
            let d = i % HEAD_QUADS;
            var value = vec4<f32>();
            if first_key + k < shape.tokens && d < shape.head_quads {
                value = qkv[v_base + (first_key + k) * row + d];
            }
            tile[i] = value;
        }
        var share_max = LOWEST;
        for (var k = share; k < KEYS; k += SHARERS) {
            share_max = max(share_max, scores[softmax_query * SCORE_STRIDE + k]);
        }
        share_largest[thread] = share_max;
        workgroupBarrier();

        let before = largest;
        for (var i = 0u; i < SHARERS; i++) {
            largest = max(largest, share_largest[softmax_query * SHARERS + i]);
        }
        var sum = 0.0;
        for (var k = share; k < KEYS; k += SHARERS) {
            let at = softmax_query * SCORE_STRIDE + k;
            let weight = exp(scores[at] - largest);
            scores[at] = weight;
            sum += weight;
        }
        share_sum[thread] = sum;
        if share == 0u {
            rescale[softmax_query] = exp(before - largest);
        }
        workgroupBarrier();

        out0 *= rescale[query0];
        out1 *= rescale[query1];
        sum0 *= rescale[query0];
        sum1 *= rescale[query1];
        for (var i = 0u; i < SHARERS; i++) {
            sum0 += share_sum[query0 * SHARERS + i];
            sum1 += share_sum[query1 * SHARERS + i];
        }
        for (var k = 0u; k < KEYS; k++) {
            let value = tile[k * HEAD_QUADS + quad];
            out0 += scores[query0 * SCORE_STRIDE + k] * value;
            out1 += scores[query1 * SCORE_STRIDE + k] * value;
        }
        workgroupBarrier();
    }

    if quad < shape.head_quads {
        let out_base = group.z * shape.tokens * width + head * shape.head_quads + quad;
        if first_query + query0 < shape.tokens {
            out[out_base + (first_query + query0) * width] = out0 / sum0;
        }
        if first_query + query1 < shape.tokens {
            out[out_base + (first_query + query1) * width] = out1 / sum1;
        }
    }
}

// out = activation(x · wᵀ + bias): x [rows, k] → out [rows, n], F32; factors and sums of four products are Real,
// all other sums F32.
//
// A workgroup computes TILE_ROWS × 64 outputs, a thread 8 rows × 4 or 8 columns in registers. 16 steps of k at a
// time are brought to workgroup memory, weights dequantised on the way, in vectors of four consecutive k
// ("quads"), so that four multiply-adds follow each pair of vectors read:
//
//     x       [rows][x_quads]                         rows padded with zeros to whole quads
//     weights [panel of 64 columns][quad][column]     F32: 4 words; Q8_0: 1 word of 4 codes;
//                                                     Q4_0: 1 word of 8 codes, for two quads
//     scales  [panel][block of 32 k][column]          f16, two in a word; F32: none
//
// Generated in front: Real (f32 or f16), FORMAT (one of the three), TILE_ROWS, THREAD_COLUMNS (4 or 8). Behind
// follows linear_common.wgsl.

const F32: u32 = 0u;

// Of k at a time, in quads: half a block of weights.
const STEP: u32 = 4u;
// Strides in workgroup memory, odd multiples of what would make neighbours share a bank.
const X_STRIDE: u32 = TILE_ROWS + 2u;
const W_LANE: u32 = PANEL / 4u + 2u;
const W_STRIDE: u32 = 4u * W_LANE;

struct Shape {
    rows: u32,
    x_quads: u32,
    // Quads of k as the weights are stored: a multiple of STEP, at least x_quads.
    weight_quads: u32,
    out_quads: u32,
    activation: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<u32>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;

// [quad][row]
var<workgroup> x_tile: array<vec4<Real>, STEP * X_STRIDE>;
// [quad][column % 4][column / 4]: the threads of a row read side by side.
var<workgroup> w_tile: array<vec4<Real>, STEP * W_STRIDE>;

fn w_place(quad: u32, column: u32) -> u32 {
    return quad * W_STRIDE + (column % 4u) * W_LANE + column / 4u;
}

// Four neighbouring columns: a column of the matrix is a column of wᵀ, so that vector · matrix makes four
// dot products.
fn w_columns(at: u32) -> mat4x4<Real> {
    return mat4x4<Real>(
        w_tile[at],
        w_tile[at + W_LANE],
        w_tile[at + 2u * W_LANE],
        w_tile[at + 3u * W_LANE],
    );
}

fn load_x(first_row: u32, first_quad: u32, thread: u32) {
    for (var i = thread; i < TILE_ROWS * STEP; i += THREADS) {
        let row = first_row + i / STEP;
        let quad = first_quad + i % STEP;
        var value = vec4<f32>();
        if row < shape.rows && quad < shape.x_quads {
            value = x[row * shape.x_quads + quad];
        }
        x_tile[(i % STEP) * X_STRIDE + i / STEP] = vec4<Real>(value);
    }
}

fn scale(panel: u32, quad: u32, column: u32) -> f32 {
    let at = (panel * (shape.weight_quads / 8u) + quad / 8u) * PANEL + column;
    let pair = unpack2x16float(scales[at / 2u]);
    return select(pair.x, pair.y, at % 2u == 1u);
}

fn load_w(panel: u32, first_quad: u32, thread: u32) {
    if FORMAT == F32 {
        for (var i = thread; i < PANEL * STEP; i += THREADS) {
            let at = ((panel * shape.weight_quads + first_quad) * PANEL + i) * 4u;
            let words = vec4<u32>(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
            w_tile[w_place(i / PANEL, i % PANEL)] = vec4<Real>(bitcast<vec4<f32>>(words));
        }
    } else if FORMAT == Q8_0 {
        for (var i = thread; i < PANEL * STEP; i += THREADS) {
            let word = weights[(panel * shape.weight_quads + first_quad) * PANEL + i];
            // Each byte to the top, then down again with its sign.
            let codes = vec4<i32>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
            let column = i % PANEL;
            w_tile[w_place(i / PANEL, column)] = vec4<Real>(scale(panel, first_quad, column) * vec4<f32>(codes));
        }
    } else {
        for (var i = thread; i < PANEL * STEP / 2u; i += THREADS) {
            let word = weights[(panel * shape.weight_quads + first_quad) / 2u * PANEL + i];
            let shifts = vec4<u32>(0u, 8u, 16u, 24u);
            let low = (vec4<u32>(word) >> shifts) & vec4<u32>(15u);
            let high = (vec4<u32>(word) >> (shifts + vec4<u32>(4u))) & vec4<u32>(15u);
            let column = i % PANEL;
            let quad = i / PANEL * 2u;
            let factor = scale(panel, first_quad, column);
            w_tile[w_place(quad, column)] = vec4<Real>(factor * (vec4<f32>(low) - 8.0));
            w_tile[w_place(quad + 1u, column)] = vec4<Real>(factor * (vec4<f32>(high) - 8.0));
        }
    }
}

fn accumulate(panel: u32, first_row: u32, column_quad: u32, row: u32, thread: u32) -> Sums {
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var sum4 = vec4<f32>();
    var sum5 = vec4<f32>();
    var sum6 = vec4<f32>();
    var sum7 = vec4<f32>();
    var more0 = vec4<f32>();
    var more1 = vec4<f32>();
    var more2 = vec4<f32>();
    var more3 = vec4<f32>();
    var more4 = vec4<f32>();
    var more5 = vec4<f32>();
    var more6 = vec4<f32>();
    var more7 = vec4<f32>();

    for (var quad = 0u; quad < shape.weight_quads; quad += STEP) {
        load_x(first_row, quad, thread);
        load_w(panel, quad, thread);
        workgroupBarrier();
        for (var step = 0u; step < STEP; step++) {
            let x_at = step * X_STRIDE + row;
            let x0 = x_tile[x_at];
            let x1 = x_tile[x_at + ROW_GROUPS];
            let x2 = x_tile[x_at + 2u * ROW_GROUPS];
            let x3 = x_tile[x_at + 3u * ROW_GROUPS];
            let x4 = x_tile[x_at + 4u * ROW_GROUPS];
            let x5 = x_tile[x_at + 5u * ROW_GROUPS];
            let x6 = x_tile[x_at + 6u * ROW_GROUPS];
            let x7 = x_tile[x_at + 7u * ROW_GROUPS];
            let w = w_columns(step * W_STRIDE + column_quad);
            sum0 += vec4<f32>(x0 * w);
            sum1 += vec4<f32>(x1 * w);
            sum2 += vec4<f32>(x2 * w);
            sum3 += vec4<f32>(x3 * w);
            sum4 += vec4<f32>(x4 * w);
            sum5 += vec4<f32>(x5 * w);
            sum6 += vec4<f32>(x6 * w);
            sum7 += vec4<f32>(x7 * w);
            if THREAD_COLUMNS == 8u {
                let v = w_columns(step * W_STRIDE + column_quad + COLUMN_GROUPS);
                more0 += vec4<f32>(x0 * v);
                more1 += vec4<f32>(x1 * v);
                more2 += vec4<f32>(x2 * v);
                more3 += vec4<f32>(x3 * v);
                more4 += vec4<f32>(x4 * v);
                more5 += vec4<f32>(x5 * v);
                more6 += vec4<f32>(x6 * v);
                more7 += vec4<f32>(x7 * v);
            }
        }
        workgroupBarrier();
    }
    return Sums(
        sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7,
        more0, more1, more2, more3, more4, more5, more6, more7,
    );
}

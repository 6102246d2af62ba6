// out = activation(x · wᵀ + bias) like linear.wgsl, for quantised x: products of signed 8-bit codes, four at a time by
// dot4I8Packed, summed in i32 inside a block of 32 and in F32 across blocks. The integer part is exact: it is
// the processor's arithmetic.
//
//     codes    [row][block][2 vectors of 16 codes]
//     x_scales [row][block]
//     weights, w_scales as in linear.wgsl
//
// Generated in front: FORMAT (one of the two), TILE_ROWS, THREAD_COLUMNS (4 or 8). Behind follows
// linear_common.wgsl.

// Quads of a block, which is what a step takes.
const BLOCK: u32 = 8u;
const X_STRIDE: u32 = TILE_ROWS + 1u;
const W_LANE: u32 = PANEL / 4u + 1u;
const W_STRIDE: u32 = 4u * W_LANE;

struct Shape {
    rows: u32,
    blocks: u32,
    out_quads: u32,
    activation: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> codes: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> x_scales: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<u32>;
@group(0) @binding(4) var<storage, read> w_scales: array<u32>;
@group(0) @binding(5) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;

// [half of the block][row]
var<workgroup> x_tile: array<vec4<u32>, 2u * X_STRIDE>;
var<workgroup> x_scale: array<f32, TILE_ROWS>;
// [half of the block][column % 4][column / 4]
var<workgroup> w_tile: array<vec4<u32>, 2u * W_STRIDE>;
var<workgroup> w_scale: array<f32, PANEL>;

fn load_x(first_row: u32, block: u32, thread: u32) {
    for (var i = thread; i < TILE_ROWS * 2u; i += THREADS) {
        let row = first_row + i / 2u;
        var value = vec4<u32>();
        if row < shape.rows {
            value = codes[(row * shape.blocks + block) * 2u + i % 2u];
        }
        x_tile[(i % 2u) * X_STRIDE + i / 2u] = value;
    }
    for (var i = thread; i < TILE_ROWS; i += THREADS) {
        var value = 0.0;
        if first_row + i < shape.rows {
            value = x_scales[(first_row + i) * shape.blocks + block];
        }
        x_scale[i] = value;
    }
}

// Four codes 0…15, one a byte, to −8…7: no borrow crosses a byte.
fn centred(nibbles: u32) -> u32 {
    return ((nibbles | 0x80808080u) - 0x08080808u) ^ 0x80808080u;
}

fn load_w(panel: u32, block: u32, thread: u32) {
    let at = panel * shape.blocks + block;
    for (var i = thread; i < PANEL * 2u; i += THREADS) {
        let half = i / PANEL;
        let column = i % PANEL;
        var value: vec4<u32>;
        if FORMAT == Q8_0 {
            let first = (at * BLOCK + half * 4u) * PANEL + column;
            value = vec4<u32>(
                weights[first],
                weights[first + PANEL],
                weights[first + 2u * PANEL],
                weights[first + 3u * PANEL],
            );
        } else {
            let first = (at * BLOCK / 2u + half * 2u) * PANEL + column;
            let word = vec2<u32>(weights[first], weights[first + PANEL]);
            let mask = vec2<u32>(0x0f0f0f0fu);
            let low = word & mask;
            let high = (word >> vec2<u32>(4u)) & mask;
            value = vec4<u32>(centred(low.x), centred(high.x), centred(low.y), centred(high.y));
        }
        w_tile[half * W_STRIDE + (column % 4u) * W_LANE + column / 4u] = value;
    }
    for (var i = thread; i < PANEL; i += THREADS) {
        let pair = unpack2x16float(w_scales[(at * PANEL + i) / 2u]);
        w_scale[i] = select(pair.x, pair.y, i % 2u == 1u);
    }
}

// Four neighbouring columns of a block of weights, each in two halves.
struct Columns {
    low0: vec4<u32>,
    low1: vec4<u32>,
    low2: vec4<u32>,
    low3: vec4<u32>,
    high0: vec4<u32>,
    high1: vec4<u32>,
    high2: vec4<u32>,
    high3: vec4<u32>,
    scale: vec4<f32>,
}

fn columns(quad: u32) -> Columns {
    return Columns(
        w_tile[quad],
        w_tile[quad + W_LANE],
        w_tile[quad + 2u * W_LANE],
        w_tile[quad + 3u * W_LANE],
        w_tile[quad + W_STRIDE],
        w_tile[quad + W_STRIDE + W_LANE],
        w_tile[quad + W_STRIDE + 2u * W_LANE],
        w_tile[quad + W_STRIDE + 3u * W_LANE],
        vec4<f32>(w_scale[4u * quad], w_scale[4u * quad + 1u], w_scale[4u * quad + 2u], w_scale[4u * quad + 3u]),
    );
}

fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

// What a block adds to four outputs of a row.
fn product(row: u32, w: Columns) -> vec4<f32> {
    let low = x_tile[row];
    let high = x_tile[row + X_STRIDE];
    let dots = vec4<i32>(
        dot16(low, w.low0) + dot16(high, w.high0),
        dot16(low, w.low1) + dot16(high, w.high1),
        dot16(low, w.low2) + dot16(high, w.high2),
        dot16(low, w.low3) + dot16(high, w.high3),
    );
    return (w.scale * x_scale[row]) * vec4<f32>(dots);
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

    for (var block = 0u; block < shape.blocks; block++) {
        load_x(first_row, block, thread);
        load_w(panel, block, thread);
        workgroupBarrier();
        let w = columns(column_quad);
        sum0 += product(row, w);
        sum1 += product(row + ROW_GROUPS, w);
        sum2 += product(row + 2u * ROW_GROUPS, w);
        sum3 += product(row + 3u * ROW_GROUPS, w);
        sum4 += product(row + 4u * ROW_GROUPS, w);
        sum5 += product(row + 5u * ROW_GROUPS, w);
        sum6 += product(row + 6u * ROW_GROUPS, w);
        sum7 += product(row + 7u * ROW_GROUPS, w);
        if THREAD_COLUMNS == 8u {
            let v = columns(column_quad + COLUMN_GROUPS);
            more0 += product(row, v);
            more1 += product(row + ROW_GROUPS, v);
            more2 += product(row + 2u * ROW_GROUPS, v);
            more3 += product(row + 3u * ROW_GROUPS, v);
            more4 += product(row + 4u * ROW_GROUPS, v);
            more5 += product(row + 5u * ROW_GROUPS, v);
            more6 += product(row + 6u * ROW_GROUPS, v);
            more7 += product(row + 7u * ROW_GROUPS, v);
        }
        workgroupBarrier();
    }
    return Sums(
        sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7,
        more0, more1, more2, more3, more4, more5, more6, more7,
    );
}

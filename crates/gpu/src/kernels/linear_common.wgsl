// What linear.wgsl and linear_int8.wgsl share: the shape of a tile, and what follows the sums. Each of them has
// a function `accumulate` that makes the sums, and declares `shape`, `bias` and `out`.

const Q8_0: u32 = 1u;
const Q4_0: u32 = 2u;

const PANEL: u32 = 64u;
const THREAD_ROWS: u32 = 8u;
const ROW_GROUPS: u32 = TILE_ROWS / THREAD_ROWS;
const COLUMN_GROUPS: u32 = PANEL / THREAD_COLUMNS;
const THREADS: u32 = ROW_GROUPS * COLUMN_GROUPS;

const GELU: u32 = 1u;

// A thread's sums: of rows `row`, `row + ROW_GROUPS`, …, and of one or two quads of columns. Named rather than an array,
// so that they are registers on every driver.
struct Sums {
    sum0: vec4<f32>,
    sum1: vec4<f32>,
    sum2: vec4<f32>,
    sum3: vec4<f32>,
    sum4: vec4<f32>,
    sum5: vec4<f32>,
    sum6: vec4<f32>,
    sum7: vec4<f32>,
    more0: vec4<f32>,
    more1: vec4<f32>,
    more2: vec4<f32>,
    more3: vec4<f32>,
    more4: vec4<f32>,
    more5: vec4<f32>,
    more6: vec4<f32>,
    more7: vec4<f32>,
}

// x · Φ(x), the exact form: erf by Abramowitz and Stegun, 7.1.26, within 1.5e-7.
fn gelu(x: vec4<f32>) -> vec4<f32> {
    let u = abs(x) * 0.70710678;
    let t = 1.0 / (1.0 + 0.3275911 * u);
    let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let tail = 0.5 * series * exp(-u * u);
    return x * select(tail, 1.0 - tail, x >= vec4<f32>());
}

fn store(row: u32, column_quad: u32, sum: vec4<f32>) {
    if row < shape.rows && column_quad < shape.out_quads {
        var value = sum + bias[column_quad];
        if shape.activation == GELU {
            value = gelu(value);
        }
        out[row * shape.out_quads + column_quad] = value;
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let panel = group.x;
    let first_row = group.y * TILE_ROWS;
    let column_quad = thread % COLUMN_GROUPS;
    let row = thread / COLUMN_GROUPS;
    let sums = accumulate(panel, first_row, column_quad, row, thread);

    let at = first_row + row;
    let columns = panel * (PANEL / 4u) + column_quad;
    store(at, columns, sums.sum0);
    store(at + ROW_GROUPS, columns, sums.sum1);
    store(at + 2u * ROW_GROUPS, columns, sums.sum2);
    store(at + 3u * ROW_GROUPS, columns, sums.sum3);
    store(at + 4u * ROW_GROUPS, columns, sums.sum4);
    store(at + 5u * ROW_GROUPS, columns, sums.sum5);
    store(at + 6u * ROW_GROUPS, columns, sums.sum6);
    store(at + 7u * ROW_GROUPS, columns, sums.sum7);
    if THREAD_COLUMNS == 8u {
        let others = columns + COLUMN_GROUPS;
        store(at, others, sums.more0);
        store(at + ROW_GROUPS, others, sums.more1);
        store(at + 2u * ROW_GROUPS, others, sums.more2);
        store(at + 3u * ROW_GROUPS, others, sums.more3);
        store(at + 4u * ROW_GROUPS, others, sums.more4);
        store(at + 5u * ROW_GROUPS, others, sums.more5);
        store(at + 6u * ROW_GROUPS, others, sums.more6);
        store(at + 7u * ROW_GROUPS, others, sums.more7);
    }
}

#include "twin.h"

// A multiplication and an addition are one operation only where this file says so.
#pragma STDC FP_CONTRACT OFF

typedef float floats __attribute__((vector_size(64)));
typedef uint32_t words __attribute__((vector_size(64)));

// Bytes of x that are in the second cache at once, beside a panel of w.
enum { scratch_bytes = 512 << 10 };

// Bytes of a row in scratch. bf16: its numbers are floats again, so that a kernel need not expand them; hi and lo of a step
// after each other. int8: whole numbers of 16 bits.
static int64_t row_bytes(ctileproducts_mode mode, int64_t inner) {
    const int64_t width = steps_of(mode, inner) * step_width(mode);
    return mode == ctileproducts_int8 ? 2 * width : 4 * parts(mode) * width;
}

int64_t twin_rows(ctileproducts_mode mode, int64_t rows, int64_t inner) {
    return least(rows, most(16, scratch_bytes / most(row_bytes(mode, inner), 1) / 16 * 16));
}

int64_t twin_scratch_bytes(ctileproducts_mode mode, int64_t rows, int64_t inner) {
    const int64_t some = twin_rows(mode, rows, inner), factors = mode == ctileproducts_int8 ? pieces(some, 16) * 64 : 0;
    return some * row_bytes(mode, inner) + factors;
}

// As the conversion instructions (VCVTNE2PS2BF16) do it: what is denormal becomes zero.
INLINE float to_bf16(float x) {
    const uint32_t bits = bits_of(x), flushed = bits & 0x7f800000 ? bits : bits & 0x80000000;
    return float_of(rounded(float_of(flushed)) << 16);
}

INLINE void fill_row(const float *x, int64_t width, int64_t steps, int64_t has_lo, float *to) {
    for (int64_t s = 0; s < steps; s++, to += has_lo ? 64 : 32) {
        const float *from = x + 32 * s;
        float last[32] = {0};
        if (width - 32 * s < 32) {
            memcpy(last, from, (size_t)(width - 32 * s) * sizeof *last);
            from = last;
        }
        for (int64_t k = 0; k < 32; k++) to[k] = to_bf16(from[k]);
        if (!has_lo) continue;
        for (int64_t k = 0; k < 32; k++) to[32 + k] = to_bf16(from[k] - to[k]);
    }
}

// y = x * w + y, rounded once.
INLINE void multiply_add(float x, const floats *w, floats *y) {
    const floats all = {x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
    *y = __builtin_elementwise_fma(all, *w, *y);
}

// What TDPBF16PS does with `rows` rows of x and a tile of w: in each row and column a sum of the products of even places and
// one of those of odd places, each product added without being rounded itself; then the sum of the two is added to y.
INLINE void tile_product(int rows, const float *x, int64_t x_stride, const char *w, floats *y) {
    floats even[8], odd[8];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) even[r] = odd[r] = (floats){0};
    for (int k = 0; k < 16; k++) {
        words pair;
        memcpy(&pair, w + 64 * k, sizeof pair);
        const floats first = (floats)(pair << 16), second = (floats)(pair & 0xffff0000);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            multiply_add(x[r * x_stride + 2 * k], &first, &even[r]);
            multiply_add(x[r * x_stride + 2 * k + 1], &second, &odd[r]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) y[r] = y[r] + (even[r] + odd[r]);
}

// `rows` rows with sixteen columns of a panel: the tiles in the order of the kernels on tiles.
INLINE void compute(int rows, int64_t parts, const float *x, int64_t x_stride, const char *w, int64_t steps, floats *y) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) y[r] = (floats){0};
    for (int64_t s = 0; s < steps; s++, x += 32 * parts, w += 2 * parts * tile_bytes) {
        tile_product(rows, x, x_stride, w, y);
        if (parts == 1) continue;
        tile_product(rows, x, x_stride, w + 2 * tile_bytes, y);
        tile_product(rows, x + 32, x_stride, w + 2 * tile_bytes, y);
    }
}

// A constant number of rows, so that sums stay in registers.
INLINE void store_rows(int rows, const rows_task *t, int64_t first_row, int64_t first_column) {
    const ctileproducts_operand *w = t->w;
    const int64_t steps = steps_of(w->mode, w->inner), stride = row_bytes(w->mode, w->inner) / 4;
    const char *tile = (const char *)w->panels + first_column / panel_columns * steps * step_bytes(w->mode) +
                       first_column % panel_columns / 16 * tile_bytes;
    const float *x = (const float *)t->scratch + first_row * stride;
    floats sums[8];
    if (parts(w->mode) == 2) {
        compute(rows, 2, x, stride, tile, steps, sums);
    } else {
        compute(rows, 1, x, stride, tile, steps, sums);
    }
    const int64_t columns = least(16, w->columns - first_column);
    for (int r = 0; r < rows; r++) {
        memcpy(t->y + (first_row + r) * t->y_stride + first_column, &sums[r], (size_t)columns * sizeof(float));
    }
}

// `at_once`: rows whose sums fit into registers.
INLINE void run_bf16(int at_once, const rows_task *t) {
    const ctileproducts_operand *w = t->w;
    const int64_t steps = steps_of(w->mode, w->inner), stride = row_bytes(w->mode, w->inner) / 4;
    for (int64_t r = 0; r < t->rows; r++) {
        fill_row(t->x + r * t->x_stride, w->inner, steps, parts(w->mode) == 2, (float *)t->scratch + r * stride);
    }
    for (int64_t column = 0; column < w->columns; column += 16) {
        int64_t row = 0;
        for (; at_once == 8 && row + 8 <= t->rows; row += 8) store_rows(8, t, row, column);
        for (; row + 2 <= t->rows; row += 2) store_rows(2, t, row, column);
        for (; row < t->rows; row++) store_rows(1, t, row, column);
    }
}

FOR_ALL static void run_plain(const rows_task *t) { run_bf16(2, t); }
#if defined(__x86_64__)
FOR_AVX2 static void run_avx2(const rows_task *t) { run_bf16(2, t); }
FOR_AVX512 static void run_avx512(const rows_task *t) { run_bf16(8, t); }
#endif

// Tiles take denormal numbers as zero and round to nearest, whatever the thread's settings are. Other processors than these two
// keep what is denormal, which no tolerance notices.
#if defined(__x86_64__)
typedef unsigned settings;
static settings take_settings(void) {
    const settings before = _mm_getcsr();
    _mm_setcsr(0x9fc0);
    return before;
}
static void give_back(settings before) { _mm_setcsr(before); }
#elif defined(__aarch64__)
typedef uint64_t settings;
static settings take_settings(void) {
    settings before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"((settings)1 << 24) : "memory");
    return before;
}
static void give_back(settings before) { __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory"); }
#else
typedef int settings;
static settings take_settings(void) { return 0; }
static void give_back(settings before) { (void)before; }
#endif

static void run_rows(ctileproducts_way way, const rows_task *t) {
    if (t->w->mode == ctileproducts_int8) {
        twin_run_int8(way, t);
        return;
    }
    const settings before = take_settings();
    switch (way) {
#if defined(__x86_64__)
    case ctileproducts_avx512: run_avx512(t); break;
    case ctileproducts_avx2: run_avx2(t); break;
#endif
    default: run_plain(t);
    }
    give_back(before);
}

void twin_run(
    ctileproducts_way way, const float *x, int64_t x_stride, int64_t rows, const ctileproducts_operand *w, void *scratch,
    float *y, int64_t y_stride) {
    const int64_t at_once = twin_rows(w->mode, rows, w->inner);
    for (int64_t row = 0; row < rows; row += at_once) {
        const rows_task t = {
            .x = x + row * x_stride,
            .x_stride = x_stride,
            .rows = least(at_once, rows - row),
            .w = w,
            .scratch = scratch,
            .y = y + row * y_stride,
            .y_stride = y_stride,
        };
        run_rows(way, &t);
    }
}

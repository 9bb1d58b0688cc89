#include "amx.h"

#if defined(__x86_64__)
// Registers: 2 x 2 tiles of sums (0-3), two of x (4, 5), two of w (6, 7): four loads for four products, and eight loads for the
// twelve products of bf16x3.

// Rows of the two row tiles; all other tiles are whole.
TILES static void configure(int64_t rows0, int64_t rows1) {
    struct {
        uint8_t palette, start, none[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } __attribute__((aligned(64))) c = {.palette = 1};
    const uint8_t r0 = (uint8_t)rows0, r1 = (uint8_t)most(rows1, 1);
    const uint8_t rows[8] = {r0, r0, r1, r1, r0, r1, 16, 16};
    for (int i = 0; i < 8; i++) c.bytes[i] = 64;
    memcpy(c.rows, rows, sizeof rows);
    __asm__ volatile("" ::: "memory");
    _tile_loadconfig(&c);
}

// Whole sums of a block that wait to become floats, which is done between the products of the next block.
typedef struct {
    const int32_t *sums;
    int64_t rows, done, columns;
    const float *row_factors, *factors;
    float *y;
    int64_t y_stride;
} waiting;

// One block of rows with one panel, some steps of it.
typedef struct {
    const char *x, *w;
    int64_t steps;
    // Where sums start and end, and bytes between rows.
    char *sums;
    int64_t stride;
    int starts;
    // Memory that is wanted next: lines of w for each step, and where the next block's results go, rows for each step.
    const char *next_w, *next_y;
    int64_t next_lines, next_rows, y_stride, rows_per_step;
    waiting *last;
} task;

INLINE AVX512 void finish(waiting *b, int64_t rows) {
    const int64_t end = least(b->rows, b->done + rows);
    const __mmask16 m0 = mask(b->columns), m1 = mask(b->columns - 16);
    const __m512 f0 = _mm512_maskz_loadu_ps(m0, b->factors), f1 = _mm512_maskz_loadu_ps(m1, b->factors + 16);
    for (int64_t r = b->done; r < end; r++) {
        const __m512 f = _mm512_set1_ps(b->row_factors[r]);
        const __m512 s0 = _mm512_cvtepi32_ps(_mm512_load_si512(b->sums + 32 * r));
        const __m512 s1 = _mm512_cvtepi32_ps(_mm512_load_si512(b->sums + 32 * r + 16));
        _mm512_mask_storeu_ps(b->y + r * b->y_stride, m0, _mm512_mul_ps(s0, _mm512_mul_ps(f0, f)));
        _mm512_mask_storeu_ps(b->y + r * b->y_stride + 16, m1, _mm512_mul_ps(s1, _mm512_mul_ps(f1, f)));
    }
    b->done = end;
}

INLINE TILES void prefetch(const task *t, int64_t s) {
    const char *w = t->next_w + s * t->next_lines * 64;
    for (int64_t i = 0; i < t->next_lines; i++) _mm_prefetch(w + 64 * i, _MM_HINT_T1);
    const int64_t end = least(t->next_rows, (s + 1) * t->rows_per_step);
    for (int64_t r = s * t->rows_per_step; r < end; r++) {
        __builtin_prefetch(t->next_y + r * t->y_stride, 1);
        __builtin_prefetch(t->next_y + r * t->y_stride + 64, 1);
    }
}

INLINE TILES void start(int two, const task *t) {
    __asm__ volatile("" ::: "memory");
    if (t->starts) {
        _tile_zero(0);
        _tile_zero(1);
        if (two) _tile_zero(2);
        if (two) _tile_zero(3);
        return;
    }
    _tile_loadd(0, t->sums, t->stride);
    _tile_loadd(1, t->sums + 64, t->stride);
    if (two) _tile_loadd(2, t->sums + 16 * t->stride, t->stride);
    if (two) _tile_loadd(3, t->sums + 16 * t->stride + 64, t->stride);
}

INLINE TILES void end(int two, const task *t) {
    _tile_stored(0, t->sums, t->stride);
    _tile_stored(1, t->sums + 64, t->stride);
    if (two) _tile_stored(2, t->sums + 16 * t->stride, t->stride);
    if (two) _tile_stored(3, t->sums + 16 * t->stride + 64, t->stride);
    __asm__ volatile("" ::: "memory");
}

INLINE TILES void compute_bf16x3(int two, const task *t) {
    const char *x = t->x, *w = t->w;
    start(two, t);
    for (int64_t s = 0; s < t->steps; s++, w += 4 * tile_bytes, x += (two ? 4 : 2) * tile_bytes) {
        // hi lo
        _tile_loadd(4, x, 64);
        _tile_loadd(6, w, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, w + 1024, 64);
        _tile_dpbf16ps(1, 4, 7);
        if (two) _tile_loadd(5, x + 1024, 64);
        if (two) _tile_dpbf16ps(2, 5, 6);
        if (two) _tile_dpbf16ps(3, 5, 7);
        prefetch(t, s);
        // hi hi
        _tile_loadd(6, w + 2048, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, w + 3072, 64);
        _tile_dpbf16ps(1, 4, 7);
        if (two) _tile_dpbf16ps(2, 5, 6);
        if (two) _tile_dpbf16ps(3, 5, 7);
        // lo hi
        _tile_loadd(4, x + (two ? 2048 : 1024), 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        if (two) _tile_loadd(5, x + 3072, 64);
        if (two) _tile_dpbf16ps(2, 5, 6);
        if (two) _tile_dpbf16ps(3, 5, 7);
    }
    end(two, t);
}

#define COMPUTE(name, product, between)                                                                    \
    INLINE TILES void name(int two, const task *t) {                                                       \
        const char *x = t->x, *w = t->w;                                                                   \
        start(two, t);                                                                                     \
        for (int64_t s = 0; s < t->steps; s++, w += 2 * tile_bytes, x += (two ? 2 : 1) * tile_bytes) {     \
            _tile_loadd(4, x, 64);                                                                         \
            _tile_loadd(6, w, 64);                                                                         \
            product(0, 4, 6);                                                                              \
            _tile_loadd(7, w + 1024, 64);                                                                  \
            product(1, 4, 7);                                                                              \
            if (two) _tile_loadd(5, x + 1024, 64);                                                         \
            if (two) product(2, 5, 6);                                                                     \
            if (two) product(3, 5, 7);                                                                     \
            prefetch(t, s);                                                                                \
            between;                                                                                       \
        }                                                                                                  \
        end(two, t);                                                                                       \
    }
COMPUTE(compute_bf16, _tile_dpbf16ps, (void)0)
COMPUTE(compute_int8, _tile_dpbssd, finish(t->last, t->rows_per_step))

// A loop for each mode and for one or two tiles of rows.
TILES static void compute(ctileproducts_mode mode, int two, const task *t) {
    switch (mode) {
    case ctileproducts_bf16x3: return two ? compute_bf16x3(1, t) : compute_bf16x3(0, t);
    case ctileproducts_bf16: return two ? compute_bf16(1, t) : compute_bf16(0, t);
    default: return two ? compute_int8(1, t) : compute_int8(0, t);
    }
}

// All panels with the rows in scratch, `rows` of them, from `step` on: a panel after the other, each with all rows while it is
// in the second cache, so that w is read from memory once.
TILES void amx_run_block(
    const char *x, int64_t rows, int64_t step, int64_t steps, const float *row_factors, const ctileproducts_operand *w,
    float *y, int64_t y_stride) {
    const ctileproducts_mode mode = w->mode;
    const int64_t panel_bytes = steps_of(mode, w->inner) * step_bytes(mode);
    const int64_t panels = pieces(w->columns, panel_columns), row_blocks = pieces(rows, block_rows);
    const int64_t lines = pieces(step_bytes(mode) / 64, row_blocks);
    // Sums of a block: whole numbers, in turn with those of the block before, or what is not 32 columns wide.
    float buffer[2][block_rows * panel_columns] __attribute__((aligned(64)));
    waiting last = {0};
    int64_t configured = 0, turn = 0;
    for (int64_t p = 0; p < panels; p++) {
        const char *panel = (const char *)w->panels + p * panel_bytes + step * step_bytes(mode);
        const int64_t columns = least(panel_columns, w->columns - p * panel_columns);
        const int direct = mode != ctileproducts_int8 && columns == panel_columns;
        for (int64_t first = 0; first < rows; first += block_rows, turn ^= 1) {
            const int64_t count = least(block_rows, rows - first), below = first + block_rows;
            const int two = count > tile_rows;
            if (configured != count) configure(least(count, tile_rows), count - tile_rows);
            configured = count;
            float *out = y + first * y_stride + p * panel_columns;
            // The next block of y: below, or at the top of the next panel.
            const float *next_y = below < rows ? out + block_rows * y_stride : y + least(p + 1, panels - 1) * panel_columns;
            const task t = {
                .x = x + first / tile_rows * steps * parts(mode) * tile_bytes,
                .w = panel,
                .steps = steps,
                .sums = direct ? (char *)out : (char *)buffer[turn],
                .stride = direct ? y_stride * 4 : panel_columns * 4,
                .starts = step == 0,
                .next_w = panel + panel_bytes + first / block_rows * lines * 64 * steps,
                .next_lines = p + 1 < panels ? lines : 0,
                .next_y = (const char *)next_y,
                .next_rows = least(block_rows, below < rows ? rows - below : rows),
                .y_stride = y_stride * 4,
                .rows_per_step = pieces(block_rows, steps),
                .last = &last,
            };
            if (!direct && !t.starts) {
                for (int64_t r = 0; r < count; r++) memcpy(buffer[turn] + 32 * r, out + r * y_stride, (size_t)columns * 4);
            }
            compute(mode, two, &t);
            if (mode == ctileproducts_int8) {
                last = (waiting){
                    .sums = (const int32_t *)buffer[turn],
                    .rows = count,
                    .columns = columns,
                    .row_factors = row_factors + first,
                    .factors = w->factors + p * panel_columns,
                    .y = out,
                    .y_stride = y_stride,
                };
            } else if (!direct) {
                for (int64_t r = 0; r < count; r++) memcpy(out + r * y_stride, buffer[turn] + 32 * r, (size_t)columns * 4);
            }
        }
    }
    if (mode == ctileproducts_int8) finish(&last, block_rows);
    _tile_release();
}
#endif

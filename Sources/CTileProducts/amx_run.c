#include "amx.h"

#if defined(__x86_64__)
// Bytes of x as tiles that are in the second cache (2 MiB) at once, beside two panels of w and lines of y; and rows.
enum { scratch_bytes = 5 << 18, most_rows = 512 };

// Rows and steps that are in scratch at once. Neither changes the order of summation.
typedef struct {
    int64_t rows, steps;
} blocking;

static blocking blocks(ctileproducts_mode mode, int64_t rows, int64_t inner) {
    const int64_t steps = steps_of(mode, inner), row_bytes = 64 * parts(mode);
    if (mode == ctileproducts_int8) {
        // Sums stay in registers to the end, so all steps at once.
        const int64_t fit = most(128, scratch_bytes / (most(steps, 1) * row_bytes) / block_rows * block_rows);
        return (blocking){least(rows, fit), steps};
    }
    const int64_t taken = least(rows, most_rows);
    const int64_t fit = scratch_bytes / (pieces(most(taken, 1), tile_rows) * tile_rows * row_bytes);
    const int64_t chunks = pieces(most(steps, 1), fit);
    return (blocking){taken, pieces(steps, chunks)};
}

int64_t amx_scratch_bytes(ctileproducts_mode mode, int64_t rows, int64_t inner) {
    const blocking b = blocks(mode, rows, inner);
    const int64_t factors = mode == ctileproducts_int8 ? pieces(b.rows, 16) * 64 : 0;
    return pieces(b.rows, tile_rows) * b.steps * parts(mode) * tile_bytes + factors;
}

void amx_run(
    const float *x, int64_t x_stride, int64_t rows, const ctileproducts_operand *w, void *scratch, float *y,
    int64_t y_stride) {
    const blocking b = blocks(w->mode, rows, w->inner);
    const int64_t steps = steps_of(w->mode, w->inner), width = step_width(w->mode);
    for (int64_t row = 0; row < rows; row += b.rows) {
        const int64_t count = least(b.rows, rows - row);
        float *factors = (float *)((char *)scratch + pieces(b.rows, tile_rows) * b.steps * parts(w->mode) * tile_bytes);
        for (int64_t step = 0; step < steps; step += b.steps) {
            const int64_t some = least(b.steps, steps - step);
            const float *from = x + row * x_stride + step * width;
            if (w->mode == ctileproducts_int8) {
                amx_fill_int8(from, x_stride, count, w->inner, some, scratch, factors);
            } else {
                amx_fill_bf16(w->mode, from, x_stride, count, w->inner - step * width, some, scratch);
            }
            amx_run_block(scratch, count, step, some, factors, w, y + row * y_stride, y_stride);
        }
    }
}
#endif

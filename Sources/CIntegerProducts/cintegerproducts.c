#include "cintegerproducts.h"

#include <string.h>

enum { columns = cintegerproducts_columns };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

void cintegerproducts_run_plain(
    const int16_t *x, int64_t rows, const float *row_factors, const cintegerproducts_operand *b, float *y,
    int64_t y_stride) {
    for (int64_t first = 0; first < b->columns; first += columns) {
        const int8_t *panel = b->panels + first * 2 * b->pairs;
        for (int64_t row = 0; row < rows; row++) {
            int32_t sums[columns] = {0};
            for (int64_t p = 0; p < b->pairs; p++) {
                const int16_t *pair = x + (row * b->pairs + p) * 2;
                for (int j = 0; j < columns; j++) {
                    sums[j] += pair[0] * panel[(p * columns + j) * 2] + pair[1] * panel[(p * columns + j) * 2 + 1];
                }
            }
            for (int64_t j = 0; j < least(columns, b->columns - first); j++) {
                y[row * y_stride + first + j] = (float)sums[j] * (b->factors[first + j] * row_factors[row]);
            }
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

// Rows of a tile: twelve sums, two vectors of b and one of x fill the sixteen registers.
enum { tile_rows = 6 };
// Pairs per block: sixteen columns of 512 pairs are 16 KiB, half of the smallest first-level cache.
enum { block_pairs = 512 };
// Rows per block: 96 rows of 1,024 numbers are 192 KiB, which fit into the smallest second-level cache beside a panel.
enum { block_rows = 16 * tile_rows };

// One tile's part of a product: some of the pairs of all its rows with some columns.
typedef struct {
    const int16_t *x;
    int64_t x_stride;
    const int8_t *panel;
    int64_t pairs;
    const float *row_factors, *column_factors;
    float *y;
    int64_t y_stride;
    // Whether the sums start at zero instead of with the content of y, and whether they become floats.
    int starts, ends;
} tile;

// The loops over rows and halves must be unrolled, otherwise the sums would be kept in memory.
AVX2 static inline __attribute__((always_inline)) void compute(const int rows, const tile *t) {
    __m256i sums[tile_rows][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int half = 0; half < 2; half++) {
            const float *y = t->y + r * t->y_stride + 8 * half;
            sums[r][half] = t->starts ? _mm256_setzero_si256() : _mm256_loadu_si256((const __m256i *)y);
        }
    }
    const int16_t *x = t->x;
    const int8_t *panel = t->panel;
    const int64_t stride = t->x_stride;
    for (int64_t p = 0; p < t->pairs; p++) {
        const __m256i low = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(panel + 32 * p)));
        const __m256i high = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(panel + 32 * p + 16)));
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            int32_t two;
            memcpy(&two, x + r * stride + 2 * p, sizeof two);
            const __m256i pair = _mm256_set1_epi32(two);
            sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(low, pair));
            sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(high, pair));
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int half = 0; half < 2; half++) {
            float *y = t->y + r * t->y_stride + 8 * half;
            if (t->ends) {
                const __m256 factors = _mm256_mul_ps(
                    _mm256_loadu_ps(t->column_factors + 8 * half), _mm256_set1_ps(t->row_factors[r]));
                _mm256_storeu_ps(y, _mm256_mul_ps(_mm256_cvtepi32_ps(sums[r][half]), factors));
            } else {
                _mm256_storeu_si256((__m256i *)y, sums[r][half]);
            }
        }
    }
}

// One loop for each number of rows, so that the sums stay in registers.
AVX2 static void compute_rows(int64_t rows, const tile *t) {
    switch (rows) {
    case 1: return compute(1, t);
    case 2: return compute(2, t);
    case 3: return compute(3, t);
    case 4: return compute(4, t);
    case 5: return compute(5, t);
    default: return compute(tile_rows, t);
    }
}

// The last panel, in which y has fewer than sixteen columns: it is computed in a tile with all columns, so with all pairs at
// once.
AVX2 static void compute_last_columns(
    const int16_t *x, int64_t rows, const float *row_factors, const cintegerproducts_operand *b, int64_t first, float *y,
    int64_t y_stride) {
    float wide[tile_rows * columns], factors[columns] = {0};
    memcpy(factors, b->factors + first, (size_t)(b->columns - first) * sizeof *factors);
    for (int64_t row = 0; row < rows; row += tile_rows) {
        const int64_t count = least(tile_rows, rows - row);
        const tile t = {
            .x = x + row * 2 * b->pairs,
            .x_stride = 2 * b->pairs,
            .panel = b->panels + first * 2 * b->pairs,
            .pairs = b->pairs,
            .row_factors = row_factors + row,
            .column_factors = factors,
            .y = wide,
            .y_stride = columns,
            .starts = 1,
            .ends = 1,
        };
        compute_rows(count, &t);
        for (int64_t r = 0; r < count; r++) {
            memcpy(y + (row + r) * y_stride + first, wide + r * columns, (size_t)(b->columns - first) * sizeof *y);
        }
    }
}

AVX2 static void run_avx2(
    const int16_t *x, int64_t rows, const float *row_factors, const cintegerproducts_operand *b, float *y,
    int64_t y_stride) {
    const int64_t whole = b->columns / columns * columns;
    // Without pairs there is one empty block, which writes zeros.
    for (int64_t block = 0; block < rows; block += block_rows) {
        const int64_t end = least(rows, block + block_rows);
        int64_t pair = 0;
        do {
            const int64_t pairs = least(block_pairs, b->pairs - pair);
            for (int64_t first = 0; first < whole; first += columns) {
                for (int64_t row = block; row < end; row += tile_rows) {
                    const tile t = {
                        .x = x + (row * b->pairs + pair) * 2,
                        .x_stride = 2 * b->pairs,
                        .panel = b->panels + first * 2 * b->pairs + pair * 2 * columns,
                        .pairs = pairs,
                        .row_factors = row_factors + row,
                        .column_factors = b->factors + first,
                        .y = y + row * y_stride + first,
                        .y_stride = y_stride,
                        .starts = pair == 0,
                        .ends = pair + pairs == b->pairs,
                    };
                    compute_rows(least(tile_rows, end - row), &t);
                }
            }
            pair += pairs;
        } while (pair < b->pairs);
        if (whole < b->columns) {
            compute_last_columns(
                x + block * 2 * b->pairs, end - block, row_factors + block, b, whole, y + block * y_stride, y_stride);
        }
    }
}
#endif

int cintegerproducts_has_avx2(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") ? 1 : 0;
#else
    return 0;
#endif
}

void cintegerproducts_run(
    const int16_t *x, int64_t rows, const float *row_factors, const cintegerproducts_operand *b, float *y,
    int64_t y_stride) {
#if defined(__x86_64__)
    if (cintegerproducts_has_avx2()) {
        run_avx2(x, rows, row_factors, b, y, y_stride);
        return;
    }
#endif
    cintegerproducts_run_plain(x, rows, row_factors, b, y, y_stride);
}

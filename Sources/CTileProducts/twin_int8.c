#include "twin.h"

#pragma STDC FP_CONTRACT OFF

// Rounds a row to whole numbers and returns its factor: `quantiseRow`. The largest magnitude is found among whole numbers,
// where NaN and infinity are above all others.
INLINE float quantise(const float *x, int64_t count, int64_t width, int16_t *to) {
    uint32_t top = 0;
    for (int64_t i = 0; i < count; i++) {
        const uint32_t magnitude = bits_of(x[i]) & 0x7fffffff;
        top = magnitude > top ? magnitude : top;
    }
    if (top == 0 || top >= 0x7f800000) {
        memset(to, 0, (size_t)width * sizeof *to);
        return top == 0 ? 0 : __builtin_nanf("");
    }
    const float scale = 127 / float_of(top);
    for (int64_t i = 0; i < count; i++) to[i] = (int8_t)bits_of(x[i] * scale + 12582912);
    memset(to + count, 0, (size_t)(width - count) * sizeof *to);
    return float_of(top) / 127;
}

// `sums[0..15]` of one row with sixteen columns.
INLINE void sum_plain(const int16_t *x, const int8_t *w, int64_t steps, int32_t *sums) {
    memset(sums, 0, 16 * sizeof *sums);
    for (int64_t s = 0; s < steps; s++, w += 2 * tile_bytes) {
        for (int64_t i = 0; i < 16; i++, x += 4) {
            for (int64_t j = 0; j < 16; j++) {
                const int8_t *four = w + 64 * i + 4 * j;
                sums[j] += x[0] * four[0] + x[1] * four[1] + x[2] * four[2] + x[3] * four[3];
            }
        }
    }
}

#if defined(__x86_64__)
// The same for `rows` rows: products of 16-bit numbers are added in pairs, so each column has two sums up to the end.
INLINE __attribute__((target("avx2,fma"))) void sum_avx2(
    const int rows, const int16_t *x, int64_t x_stride, const int8_t *w, int64_t steps, int32_t (*sums)[16]) {
    __m256i pairs[2][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) pairs[r][q] = _mm256_setzero_si256();
    }
    for (int64_t s = 0; s < steps; s++, w += 2 * tile_bytes) {
        for (int64_t i = 0; i < 16; i++, x += 4) {
            __m256i four[2];
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
                long long numbers;
                memcpy(&numbers, x + r * x_stride, sizeof numbers);
                four[r] = _mm256_set1_epi64x(numbers);
            }
#pragma clang loop unroll(full)
            for (int q = 0; q < 4; q++) {
                const __m256i columns = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(w + 64 * i + 16 * q)));
#pragma clang loop unroll(full)
                for (int r = 0; r < rows; r++) {
                    pairs[r][q] = _mm256_add_epi32(pairs[r][q], _mm256_madd_epi16(columns, four[r]));
                }
            }
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q += 2) {
            const __m256i mixed = _mm256_hadd_epi32(pairs[r][q], pairs[r][q + 1]);
            _mm256_storeu_si256((__m256i *)(sums[r] + 4 * q), _mm256_permute4x64_epi64(mixed, 0xd8));
        }
    }
}
#endif

INLINE void store(const int32_t *sums, float row_factor, const float *factors, int64_t columns, float *y) {
    for (int64_t j = 0; j < columns; j++) y[j] = (float)sums[j] * (factors[j] * row_factor);
}

// Whole numbers in scratch, then the factors of the rows.
#define RUN(name, attributes, at_once, sum_rows)                                                                \
    attributes static void name(const rows_task *t) {                                                           \
        const ctileproducts_operand *w = t->w;                                                                  \
        const int64_t steps = steps_of(w->mode, w->inner), width = 64 * steps;                                  \
        int16_t *x = t->scratch;                                                                                \
        float *row_factors = (float *)(x + t->rows * width);                                                    \
        for (int64_t r = 0; r < t->rows; r++) {                                                                 \
            row_factors[r] = quantise(t->x + r * t->x_stride, w->inner, width, x + r * width);                  \
        }                                                                                                       \
        for (int64_t column = 0; column < w->columns; column += 16) {                                           \
            const int8_t *tile = (const int8_t *)w->panels +                                                    \
                                 column / panel_columns * steps * 2 * tile_bytes + column / 16 % 2 * tile_bytes; \
            const int64_t columns = least(16, w->columns - column);                                             \
            for (int64_t row = 0; row < t->rows;) {                                                             \
                int32_t sums[2][16];                                                                            \
                const int64_t count = least(at_once, t->rows - row);                                            \
                sum_rows;                                                                                       \
                for (int64_t r = 0; r < count; r++, row++) {                                                    \
                    store(sums[r], row_factors[row], w->factors + column, columns,                              \
                          t->y + row * t->y_stride + column);                                                   \
                }                                                                                               \
            }                                                                                                   \
        }                                                                                                       \
    }

RUN(run_plain, FOR_ALL, 1, sum_plain(x + row * width, tile, steps, sums[0]))
#if defined(__x86_64__)
RUN(run_avx2, FOR_AVX2, 2,
    count == 2 ? sum_avx2(2, x + row * width, width, tile, steps, sums)
               : sum_avx2(1, x + row * width, width, tile, steps, sums))
#endif

void twin_run_int8(ctileproducts_way way, const rows_task *t) {
#if defined(__x86_64__)
    if (way >= ctileproducts_avx2) {
        run_avx2(t);
        return;
    }
#endif
    (void)way;
    run_plain(t);
}

// Between the files of the kernels on tiles.
#ifndef AMX_H
#define AMX_H

#include "layout.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define TILES __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16,amx-int8")))
#define INLINE static inline __attribute__((always_inline))

// Rows of a block: two tiles.
enum { block_rows = 32 };

static inline __mmask16 mask(int64_t count) { return count >= 16 ? 0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1); }

// Overwrites scratch with rows as bfloat16, hi and perhaps lo.
void amx_fill_bf16(
    ctileproducts_mode mode, const float *x, int64_t x_stride, int64_t rows, int64_t width, int64_t steps, void *scratch);

// The same with rows rounded to whole numbers, and the factor of each: `quantiseRow`.
void amx_fill_int8(
    const float *x, int64_t x_stride, int64_t rows, int64_t width, int64_t steps, void *scratch, float *factors);

// All panels with the `rows` rows in scratch, from `step` on.
void amx_run_block(
    const char *x, int64_t rows, int64_t step, int64_t steps, const float *row_factors, const ctileproducts_operand *w,
    float *y, int64_t y_stride);
#endif

#endif

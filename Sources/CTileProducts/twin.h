// The twin of the products on tiles: vectors of sixteen numbers in C, which compilers turn into the instructions of each way.
#ifndef TWIN_H
#define TWIN_H

#include "layout.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FOR_AVX2 __attribute__((target("avx2,fma"), noinline))
#define FOR_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"), noinline))
#endif
#define FOR_ALL __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

// Everything about a product of some rows, which are in scratch.
typedef struct {
    const float *x;
    int64_t x_stride, rows;
    const ctileproducts_operand *w;
    void *scratch;
    float *y;
    int64_t y_stride;
} rows_task;

// One call computes at most `twin_rows` rows; their numbers, and for int8 their factors, fit into scratch.
int64_t twin_rows(ctileproducts_mode mode, int64_t rows, int64_t inner);

void twin_run_int8(ctileproducts_way way, const rows_task *t);

#endif

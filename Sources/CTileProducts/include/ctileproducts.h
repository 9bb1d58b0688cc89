// Serial products with frozen weights in the layout of the matrix tiles of Intel processors (AMX: Sapphire Rapids and later),
// and a twin of each that runs on every processor.
//
// `y[rows, columns] = x[rows, inner] w[inner, columns]`. `w` is packed once. Three modes:
// - bf16x3: float32 numbers as the sum of two bfloat16, `hi + lo`, each rounded to nearest even; three of the four products
//   (`lo lo` is left out), added up in float32. About 16 bits are right.
// - bf16: `hi hi` alone. About 8 bits.
// - int8: whole numbers from -127 to 127 with a factor for each row of x and each column of w; exact 32-bit sums.
//
// An element has the same bits whatever the number of rows, its place among them, the thread and the blocks: every kernel adds
// up its products in the same order. What is not finite stays not finite.
//
// Why C: Swift cannot name the instructions.
#ifndef CTILEPRODUCTS_H
#define CTILEPRODUCTS_H

#include <stdint.h>

typedef enum ctileproducts_mode {
    ctileproducts_bf16,
    ctileproducts_bf16x3,
    ctileproducts_int8,
} ctileproducts_mode;

/// What computes. The first three are the twin: with the same bits, at different speeds. With int8 all four have the same bits.
typedef enum ctileproducts_way {
    ctileproducts_plain,
    ctileproducts_avx2,
    ctileproducts_avx512,
    ctileproducts_amx,
} ctileproducts_way;

/// Whether this processor, and the system on it, can do it: 1 or 0. For amx this asks the kernel, which gives a process its
/// permission on request (threads and forked children have it too, a program that is executed asks anew): call it once in every
/// process.
int ctileproducts_can(ctileproducts_way way);

/// Whether the processor has the tiles, with or without the system's permission: 1 or 0.
int ctileproducts_processor_has_amx(void);

/// A packed second operand.
typedef struct ctileproducts_operand {
    ctileproducts_mode mode;
    int64_t inner, columns;
    /// `ctileproducts_packed_bytes`, at a multiple of 64.
    const void *panels;
    /// One for each column; int8 only.
    const float *factors;
} ctileproducts_operand;

/// Bytes of the panels, a multiple of 2,048. Per weight (of the padded shape) 4 for bf16x3, 2 for bf16, 1 for int8.
int64_t ctileproducts_packed_bytes(ctileproducts_mode mode, int64_t inner, int64_t columns);

/// Overwrites `panels` with `w`, whose element (i, j) is `w[i * inner_stride + j * column_stride]`; bf16 and bf16x3.
void ctileproducts_pack(
    ctileproducts_mode mode, const float *w, int64_t inner_stride, int64_t column_stride, int64_t inner, int64_t columns,
    void *panels);

/// The same for int8, from whole numbers column by column: `w[columns, inner]`.
void ctileproducts_pack_int8(const int8_t *w, int64_t inner, int64_t columns, void *panels);

/// Bytes, at a multiple of 64, that a product of this many rows needs for `x` (at most about 1.3 MB, unless `inner` is above
/// 10,000).
int64_t ctileproducts_scratch_bytes(ctileproducts_way way, ctileproducts_mode mode, int64_t rows, int64_t inner);

/// Overwrites `y`; rows of `x` and `y` are `x_stride` and `y_stride` floats apart. bf16 and bf16x3: rounds `x` to bfloat16;
/// int8: rounds each row of `x` as `quantiseRow` (Kernels) does, and `y = sum * (column factor * row factor)`, the sum rounded
/// to float. The caller's processor must be able to go this `way`.
void ctileproducts_run(
    ctileproducts_way way, const float *x, int64_t x_stride, int64_t rows, const ctileproducts_operand *w, void *scratch,
    float *y, int64_t y_stride);

#endif

// What packing, the kernels on tiles and their twin share: the layout of operands.
//
// A tile is 16 rows of 64 bytes. A *step* is what one tile holds of the inner dimension: 32 bfloat16 or 64 int8.
// - w: panels of 32 columns; a panel has, step after step, its tiles in the order of use: lo lo hi hi for bf16x3 (two tiles of
//   16 columns each), hi hi for bf16, two for int8. A tile of w holds groups of 4 bytes: row i, column j has the elements
//   (2 i, j), (2 i + 1, j), or for int8 (4 i ... 4 i + 3, j).
// - x on tiles, in scratch: blocks of 32 rows; a block has, step after step, hi hi lo lo (or hi hi, or two for int8), each tile
//   16 rows by 64 bytes. The last block has half as many tiles where it has no more than 16 rows. Rows that do not exist are not
//   read: the tiles are configured to fewer rows.
#ifndef LAYOUT_H
#define LAYOUT_H

#include "ctileproducts.h"

#include <string.h>

enum { tile_bytes = 1024, tile_rows = 16, panel_columns = 32 };

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t pieces(int64_t a, int64_t b) { return (a + b - 1) / b; }

static inline int64_t step_width(ctileproducts_mode mode) { return mode == ctileproducts_int8 ? 64 : 32; }
static inline int64_t parts(ctileproducts_mode mode) { return mode == ctileproducts_bf16x3 ? 2 : 1; }
static inline int64_t steps_of(ctileproducts_mode mode, int64_t inner) { return pieces(inner, step_width(mode)); }

// Bytes of a step of a panel.
static inline int64_t step_bytes(ctileproducts_mode mode) { return 2 * parts(mode) * tile_bytes; }

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// The bits of the bfloat16 nearest to x, ties to even; a NaN stays one.
static inline uint32_t rounded(float x) {
    const uint32_t bits = bits_of(x), nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : nearest;
}

// The ways, as the dispatcher in run.c calls them; x86 only but for the twin.
int64_t amx_scratch_bytes(ctileproducts_mode mode, int64_t rows, int64_t inner);
void amx_run(
    const float *x, int64_t x_stride, int64_t rows, const ctileproducts_operand *w, void *scratch, float *y,
    int64_t y_stride);
int64_t twin_scratch_bytes(ctileproducts_mode mode, int64_t rows, int64_t inner);
void twin_run(
    ctileproducts_way way, const float *x, int64_t x_stride, int64_t rows, const ctileproducts_operand *w, void *scratch,
    float *y, int64_t y_stride);

#endif

#include "layout.h"

int64_t ctileproducts_packed_bytes(ctileproducts_mode mode, int64_t inner, int64_t columns) {
    return pieces(columns, panel_columns) * steps_of(mode, inner) * step_bytes(mode);
}

// A step of a panel as floats, with zeros where w ends. The longer run of memory is the inner loop.
typedef struct {
    float at[32][panel_columns];
} block;

static void read_block(
    block *b, const float *w, int64_t inner_stride, int64_t column_stride, int64_t inner, int64_t columns) {
    if (inner < 32 || columns < panel_columns) memset(b, 0, sizeof *b);
    if (column_stride == 1) {
        for (int64_t k = 0; k < inner; k++) memcpy(b->at[k], w + k * inner_stride, (size_t)columns * sizeof *w);
        return;
    }
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t k = 0; k < inner; k++) b->at[k][j] = w[k * inner_stride + j * column_stride];
    }
}

void ctileproducts_pack(
    ctileproducts_mode mode, const float *w, int64_t inner_stride, int64_t column_stride, int64_t inner, int64_t columns,
    void *panels) {
    const int64_t steps = steps_of(mode, inner), has_lo = parts(mode) == 2;
    // Groups of two bfloat16: sixteen in a row of a tile, whose second tile is 256 groups further.
    uint32_t *tile = panels;
    block b;
    for (int64_t first = 0; first < columns; first += panel_columns) {
        for (int64_t s = 0; s < steps; s++, tile += step_bytes(mode) / 4) {
            read_block(
                &b, w + 32 * s * inner_stride + first * column_stride, inner_stride, column_stride,
                least(32, inner - 32 * s), least(panel_columns, columns - first));
            for (int64_t k = 0; k < 16; k++) {
                uint32_t hi[panel_columns], lo[panel_columns];
                for (int64_t j = 0; j < panel_columns; j++) {
                    const float even = b.at[2 * k][j], odd = b.at[2 * k + 1][j];
                    const uint32_t he = rounded(even), ho = rounded(odd);
                    hi[j] = he | ho << 16;
                    lo[j] = rounded(even - float_of(he << 16)) | rounded(odd - float_of(ho << 16)) << 16;
                }
                uint32_t *row = tile + 16 * k;
                for (int64_t half = 0; half < 2; half++, row += 256) {
                    memcpy(has_lo ? row + 512 : row, hi + 16 * half, 64);
                    if (has_lo) memcpy(row, lo + 16 * half, 64);
                }
            }
        }
    }
}

void ctileproducts_pack_int8(const int8_t *w, int64_t inner, int64_t columns, void *panels) {
    int8_t *tile = panels;
    const int64_t steps = steps_of(ctileproducts_int8, inner);
    for (int64_t first = 0; first < columns; first += panel_columns) {
        for (int64_t s = 0; s < steps; s++, tile += 2 * tile_bytes) {
            const int64_t depth = least(64, inner - 64 * s), width = least(panel_columns, columns - first);
            if (depth < 64 || width < panel_columns) memset(tile, 0, 2 * tile_bytes);
            for (int64_t j = 0; j < width; j++) {
                const int8_t *from = w + (first + j) * inner + 64 * s;
                int8_t *to = tile + j / 16 * tile_bytes + j % 16 * 4;
                for (int64_t k = 0; k + 4 <= depth; k += 4) memcpy(to + k * 16, from + k, 4);
                memcpy(to + depth / 4 * 64, from + depth / 4 * 4, (size_t)(depth % 4));
            }
        }
    }
}

// Products of matrices that are small on one side: attention of one head, the sides of an adapter.

/// Copies `b: [k, n]` into panels of sixteen columns, `[k, 16]` one after the other; what fills the last one does not matter.
INLINE void NAME(fill_panels)(int64_t n, int64_t k, cvectorkernels_operand b, float *panels) {
    for (int64_t first = 0; first < n; first += 16, panels += 16 * k) {
        const float *source = b.base + first * b.column;
        const int64_t width = n - first < 16 ? n - first : 16;
        if (b.column == 1) {
            if (width == 16) {
                for (int64_t i = 0; i < k; i++) NAME(store)(panels + 16 * i, NAME(load)(source + i * b.row));
            } else {
                for (int64_t i = 0; i < k; i++) NAME(store)(panels + 16 * i, NAME(load_some)(source + i * b.row, width));
            }
            continue;
        }
        int64_t i = 0;
        if (b.row == 1) {
            for (; i + 16 <= k; i += 16) NAME(transpose)(source + i, b.column, width, panels + 16 * i);
        }
        for (; i < k; i++) {
            floats column = {0};
            for (int64_t j = 0; j < width; j++) column[j] = source[i * b.row + j * b.column];
            NAME(store)(panels + 16 * i, column);
        }
    }
}

/// Writes the sums of one row and one panel.
INLINE void NAME(write)(floats sum, float alpha, int adding, float *c, int64_t width) {
    const floats scaled = sum * alpha;
    if (width >= 16) {
        NAME(store)(c, adding ? NAME(load)(c) + scaled : scaled);
    } else {
        NAME(store_some)(c, adding ? NAME(load_some)(c, width) + scaled : scaled, width);
    }
}

/// Some rows of `a` times one or two panels.
INLINE void NAME(tile)(
    const int rows, const int panels, int64_t k, const float *a, int64_t row, int64_t column, const float *b, int64_t b_row,
    int64_t b_panel, float alpha, int adding, float *c, int64_t c_stride, int64_t width) {
    floats sums[rows * panels];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows * panels; i++) sums[i] = (floats){0};
    for (int64_t i = 0; i < k; i++, a += column, b += b_row) {
        const floats b0 = NAME(load)(b), b1 = panels == 2 ? NAME(load)(b + b_panel) : b0;
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const floats x = NAME(all)(a[r * row]);
            sums[r * panels] = NAME(fused)(x, b0, sums[r * panels]);
            if (panels == 2) sums[r * panels + 1] = NAME(fused)(x, b1, sums[r * panels + 1]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        NAME(write)(sums[r * panels], alpha, adding, c + r * c_stride, width);
        if (panels == 2) NAME(write)(sums[r * panels + 1], alpha, adding, c + r * c_stride + 16, width - 16);
    }
}

// Rows of a tile: its sums, the panels' vectors and one number of a fill the registers.
#if HAS_AVX512
enum { JOIN(tile_rows, VERSION) = 12, JOIN(tile_panels, VERSION) = 2 };
#elif HAS_AVX2
enum { JOIN(tile_rows, VERSION) = 6, JOIN(tile_panels, VERSION) = 1 };
#else
enum { JOIN(tile_rows, VERSION) = 2, JOIN(tile_panels, VERSION) = 1 };
#endif

/// All rows of `a` times one or two panels.
INLINE void NAME(column_of_tiles)(
    const int panels, int64_t m, int64_t k, cvectorkernels_operand a, const float *b, int64_t b_row, int64_t b_panel,
    float alpha, int adding, float *c, int64_t c_stride, int64_t width) {
    enum { most = JOIN(tile_rows, VERSION) };
    int64_t r = 0;
#define TILE(count)                                                                                                      \
    NAME(tile)(                                                                                                          \
        count, panels, k, a.base + r * a.row, a.row, a.column, b, b_row, b_panel, alpha, adding, c + r * c_stride, c_stride, \
        width)
    // Rows in parts of nearly one size, since a tile of few rows waits for its own sums.
    const int64_t tiles = (m + most - 1) / most;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t count = (m - r + tiles - t - 1) / (tiles - t);
        switch (count) {
        case 1: TILE(1); break;
        case 2: TILE(2); break;
#if HAS_AVX2
        case 3: TILE(3); break;
        case 4: TILE(4); break;
        case 5: TILE(5); break;
        case 6: TILE(6); break;
#endif
#if HAS_AVX512
        case 7: TILE(7); break;
        case 8: TILE(8); break;
        case 9: TILE(9); break;
        case 10: TILE(10); break;
        case 11: TILE(11); break;
        case 12: TILE(12); break;
#endif
        default: __builtin_unreachable();
        }
        r += count;
    }
#undef TILE
}

static void NAME(product)(
    int64_t m, int64_t n, int64_t k, cvectorkernels_operand a, cvectorkernels_operand b, float *c, int64_t c_stride,
    float alpha, int adding, float *panels) {
    const float *base = panels;
    int64_t row = 16, panel = 16 * k;
    // A few rows do not repay the copy of a matrix whose panels can be read where they are. Many do even then: rows that are a
    // power of two apart would evict each other from the cache.
    if (b.column == 1 && n % 16 == 0 && (m <= 8 || b.row == n)) {
        base = b.base;
        row = b.row;
        panel = 16;
    } else {
        NAME(fill_panels)(n, k, b, panels);
    }
    int64_t first = 0;
    if (JOIN(tile_panels, VERSION) == 2) {
        for (; n - first > 16; first += 32) {
            NAME(column_of_tiles)(
                2, m, k, a, base + first / 16 * panel, row, panel, alpha, adding, c + first, c_stride, n - first);
        }
    }
    for (; first < n; first += 16) {
        NAME(column_of_tiles)(
            1, m, k, a, base + first / 16 * panel, row, panel, alpha, adding, c + first, c_stride, n - first);
    }
}

/// Adds some rows of `a^T b` for one or two vectors of columns.
INLINE void NAME(outer_tile)(
    const int rows, const int vectors, int64_t k, const float *a, int64_t a_stride, const float *b, int64_t b_stride,
    float *c, int64_t c_stride, int64_t width) {
    floats sums[rows * vectors];
    const int part = width < 16 * vectors;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        sums[r * vectors] = vectors == 1 && part ? NAME(load_some)(c + r * c_stride, width) : NAME(load)(c + r * c_stride);
        if (vectors == 2) {
            sums[r * 2 + 1] = part ? NAME(load_some)(c + r * c_stride + 16, width - 16) : NAME(load)(c + r * c_stride + 16);
        }
    }
    for (int64_t i = 0; i < k; i++, a += a_stride, b += b_stride) {
        const floats b0 = vectors == 1 && part ? NAME(load_some)(b, width) : NAME(load)(b);
        const floats b1 = vectors == 1 ? b0 : part ? NAME(load_some)(b + 16, width - 16) : NAME(load)(b + 16);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const floats x = NAME(all)(a[r]);
            sums[r * vectors] = NAME(fused)(x, b0, sums[r * vectors]);
            if (vectors == 2) sums[r * 2 + 1] = NAME(fused)(x, b1, sums[r * 2 + 1]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        if (vectors == 1 && part) {
            NAME(store_some)(c + r * c_stride, sums[r * vectors], width);
        } else {
            NAME(store)(c + r * c_stride, sums[r * vectors]);
        }
        if (vectors == 2 && part) NAME(store_some)(c + r * c_stride + 16, sums[r * 2 + 1], width - 16);
        if (vectors == 2 && !part) NAME(store)(c + r * c_stride + 16, sums[r * 2 + 1]);
    }
}

static void NAME(outer_product)(
    int64_t rows, int64_t m, int64_t n, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *sums,
    int64_t sums_stride) {
    // Some rows of a and b at a time, so that they stay in the first-level cache while the sums pass by.
    enum { block = 32, most = 8, wide = 16 * JOIN(tile_panels, VERSION) };
    for (int64_t start = 0; start < rows; start += block, a += block * a_stride, b += block * b_stride) {
        const int64_t k = rows - start < block ? rows - start : block;
        for (int64_t column = 0; column < n; column += wide) {
            const int64_t width = n - column < wide ? n - column : wide;
            for (int64_t row = 0; row < m;) {
                float *c = sums + row * sums_stride + column;
#define TILE(count, vectors) \
    NAME(outer_tile)(count, vectors, k, a + row, a_stride, b + column, b_stride, c, sums_stride, width)
#define ROWS(count)                      \
    if (wide == 32 && width > 16) {      \
        TILE(count, 2);                  \
    } else {                             \
        TILE(count, 1);                  \
    }                                    \
    row += count;
                if (m - row >= most) {
                    ROWS(8)
                } else if (m - row >= 4) {
                    ROWS(4)
                } else if (m - row >= 2) {
                    ROWS(2)
                } else {
                    ROWS(1)
                }
#undef ROWS
#undef TILE
            }
        }
    }
}

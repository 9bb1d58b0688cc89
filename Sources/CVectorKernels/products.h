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
            for (; i + 16 <= k; i += 16) NAME(transpose)(source + i, b.column, width, 16, panels + 16 * i);
            for (; i + 8 <= k; i += 8) NAME(transpose)(source + i, b.column, width, 8, panels + 16 * i);
        }
        for (; i < k; i++) {
            for (int64_t j = 0; j < 16; j++) {
                panels[16 * i + j] = source[i * b.row + NAME(least)(j, width - 1) * b.column];
            }
        }
    }
}

/// The new numbers of one row and one panel: `alpha * sum`, or that added to the numbers at `c`.
INLINE floats NAME(result)(floats sum, float alpha, int adding, const float *c, int64_t width) {
    const floats scaled = sum * alpha;
    if (!adding) return scaled;
    return (width >= 16 ? NAME(load)(c) : NAME(load_some)(c, width)) + scaled;
}

INLINE void NAME(write)(float *c, floats x, int64_t width) {
    if (width >= 16) {
        NAME(store)(c, x);
    } else {
        NAME(store_some)(c, x, width);
    }
}

/// The same for half a panel.
INLINE eight_floats NAME(half_result)(eight_floats sum, float alpha, int adding, const float *c, int64_t width) {
    const eight_floats scaled = sum * alpha;
    if (!adding) return scaled;
    if (width >= 8) return NAME(load_half)(c) + scaled;
    const floats some = NAME(load_some)(c, width);
    return __builtin_shufflevector(some, some, 0, 1, 2, 3, 4, 5, 6, 7) + scaled;
}

INLINE void NAME(write_half)(float *c, eight_floats x, int64_t width) {
    if (width >= 8) {
        NAME(store_half)(c, x);
    } else {
        NAME(store_some)(c, __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7), width);
    }
}

/// Some rows of `a` times up to two panels and, if `half`, the first eight columns of the next.
INLINE void NAME(tile)(
    const int rows, const int panels, const int half, int64_t k, const float *a, int64_t row, int64_t column, const float *b,
    int64_t b_row, int64_t b_panel, float alpha, int adding, float *c, int64_t c_stride, int64_t width) {
    floats sums[rows * panels + 1];
    eight_floats halves[half ? rows : 1];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows * panels; i++) sums[i] = (floats){0};
#pragma clang loop unroll(full)
    for (int i = 0; i < (half ? rows : 0); i++) halves[i] = (eight_floats){0};
    int64_t i = 0;
    if (panels == 0 && column == 1) {
        // A half panel uses every number once: four at a time, so that finding a row costs less than reading it.
        for (; i + 4 <= k; i += 4, a += 4, b += 4 * b_row) {
            eight_floats four[4];
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) four[j] = NAME(load_half)(b + j * b_row);
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
                const float *x = a + r * row;
#pragma clang loop unroll(full)
                for (int j = 0; j < 4; j++) {
                    const eight_floats all = {x[j], x[j], x[j], x[j], x[j], x[j], x[j], x[j]};
                    halves[r] = NAME(fused_half)(all, four[j], halves[r]);
                }
            }
        }
    }
    for (; i < k; i++, a += column, b += b_row) {
        floats b0, b1;
        eight_floats b2;
        if (panels > 0) b0 = NAME(load)(b);
        if (panels > 1) b1 = NAME(load)(b + b_panel);
        if (half) b2 = NAME(load_half)(b + panels * b_panel);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const float x = a[r * row];
            if (panels > 0) sums[r * panels] = NAME(fused)(NAME(all)(x), b0, sums[r * panels]);
            if (panels > 1) sums[r * panels + 1] = NAME(fused)(NAME(all)(x), b1, sums[r * panels + 1]);
            if (half) halves[r] = NAME(fused_half)((eight_floats){x, x, x, x, x, x, x, x}, b2, halves[r]);
        }
    }
    // Everything is read before anything is written: a number that is read may seem to be the one just written where rows are a
    // multiple of 1 KiB apart, and then the processor waits.
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++, c += c_stride) {
        if (panels > 0) sums[r * panels] = NAME(result)(sums[r * panels], alpha, adding, c, width);
        if (panels > 1) sums[r * panels + 1] = NAME(result)(sums[r * panels + 1], alpha, adding, c + 16, width - 16);
        if (half) halves[r] = NAME(half_result)(halves[r], alpha, adding, c + 16 * panels, width - 16 * panels);
    }
    c -= rows * c_stride;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++, c += c_stride) {
        if (panels > 0) NAME(write)(c, sums[r * panels], width);
        if (panels > 1) NAME(write)(c + 16, sums[r * panels + 1], width - 16);
        if (half) NAME(write_half)(c + 16 * panels, halves[r], width - 16 * panels);
    }
}

// Rows of a tile: its sums, the panels' vectors and one number of a fill the registers. Half a panel leaves room for more rows, and
// needs them: fewer sums would wait for each other.
#if HAS_AVX512
enum { JOIN(tile_rows, VERSION) = 12, JOIN(half_rows, VERSION) = 12, JOIN(tile_panels, VERSION) = 2 };
#elif HAS_AVX2
enum { JOIN(tile_rows, VERSION) = 6, JOIN(half_rows, VERSION) = 12, JOIN(tile_panels, VERSION) = 1 };
#else
enum { JOIN(tile_rows, VERSION) = 2, JOIN(half_rows, VERSION) = 4, JOIN(tile_panels, VERSION) = 1 };
#endif

/// All rows of `a` times up to two panels and, if `half`, the first eight columns of the next.
INLINE void NAME(column_of_tiles)(
    const int panels, const int half, int64_t m, int64_t k, cvectorkernels_operand a, const float *b, int64_t b_row,
    int64_t b_panel, float alpha, int adding, float *c, int64_t c_stride, int64_t width) {
    const int most = panels == 0 ? JOIN(half_rows, VERSION) : JOIN(tile_rows, VERSION);
    int64_t r = 0;
#define TILE(count)                                                                                                       \
    case count:                                                                                                           \
        if (count <= most) {                                                                                              \
            NAME(tile)(                                                                                                   \
                count, panels, half, k, a.base + r * a.row, a.row, a.column, b, b_row, b_panel, alpha, adding,            \
                c + r * c_stride, c_stride, width);                                                                       \
        }                                                                                                                 \
        break
    // Rows in parts of nearly one size, since a tile of few rows waits for its own sums.
    const int64_t tiles = (m + most - 1) / most;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t count = (m - r + tiles - t - 1) / (tiles - t);
        switch (count) {
            TILE(1);
            TILE(2);
            TILE(3);
            TILE(4);
            TILE(5);
            TILE(6);
            TILE(7);
            TILE(8);
            TILE(9);
            TILE(10);
            TILE(11);
            TILE(12);
        default: __builtin_unreachable();
        }
        r += count;
    }
#undef TILE
}

/// `c = alpha * a b`, or `c += alpha * a b`: column j of `b` is at `base + j / 16 * panel + j % 16`, its rows `row` apart.
INLINE void NAME(multiply_panels)(
    int64_t m, int64_t n, int64_t k, cvectorkernels_operand a, const float *base, int64_t row, int64_t panel, float *c,
    int64_t c_stride, float alpha, int adding) {
#define COLUMNS(panels, half)                                                                                          \
    NAME(column_of_tiles)(                                                                                             \
        panels, half, m, k, a, base + first / 16 * panel, row, panel, alpha, adding, c + first, c_stride, n - first)
    int64_t first = 0;
    if (JOIN(tile_panels, VERSION) == 2) {
        for (; n - first > 24; first += 32) COLUMNS(2, 0);
        if (n - first > 16) {
            COLUMNS(1, 1);
            return;
        }
    }
    for (; n - first > 8; first += 16) COLUMNS(1, 0);
    if (n > first) COLUMNS(0, 1);
#undef COLUMNS
}

static void NAME(product)(
    int64_t m, int64_t n, int64_t k, cvectorkernels_operand a, cvectorkernels_operand b, float *c, int64_t c_stride,
    float alpha, int adding, float *panels) {
    // A few rows do not repay the copy of a matrix whose panels can be read where they are. Many do even then: rows that are a
    // power of two apart would evict each other from the cache.
    if (b.column == 1 && n % 8 == 0 && (m <= 8 || b.row == n)) {
        NAME(multiply_panels)(m, n, k, a, b.base, b.row, 16, c, c_stride, alpha, adding);
        return;
    }
    NAME(fill_panels)(n, k, b, panels);
    NAME(multiply_panels)(m, n, k, a, panels, 16, 16 * k, c, c_stride, alpha, adding);
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
